// How a number is written: on the page, and in a program.

const numbers = (() => {
  const TINY = 1e-9;
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  // "fixed": four digits behind the point. "power": four digits and a power of ten, for what
  // is too small or too large for that. What is below a billionth is rounding, and is no more
  // than 0.
  function style(value) {
    const size = Math.abs(value);
    return size < TINY || (size >= 0.001 && size < 1e6) ? "fixed" : "power";
  }

  // As a number stands in a table: every digit has its place.
  function written(value) {
    if (Math.abs(value) < TINY) return "0.0000";
    if (style(value) === "fixed") return value.toFixed(4).replace("-", "−");
    const [digits, power] = value.toExponential(3).split("e");
    const raised = [...String(Math.abs(Number(power)))].map((digit) => SUPERSCRIPTS[digit]).join("");
    return `${digits.replace("-", "−")} · 10${power < 0 ? "⁻" : ""}${raised}`;
  }

  // As a number stands in a sentence: no zeros behind it.
  function short(value) {
    const text = written(value);
    return text.includes("·") ? text : text.replace(/\.?0+$/, "");
  }

  // As a number stands in a calculation, behind another one.
  function inner(value) {
    return value < 0 ? `(${short(value)})` : short(value);
  }

  // As Python reads it: the very same number, and a float.
  function literal(value) {
    const text = String(value);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }

  // How Python writes it as `written` does.
  function format(value) {
    return style(value) === "fixed" ? ".4f" : ".3e";
  }

  return { written, short, inner, literal, format };
})();
