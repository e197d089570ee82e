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

  const raised = (power) =>
    [...String(power)].map((sign) => (sign === "-" ? "⁻" : SUPERSCRIPTS[sign])).join("");

  // As a number stands in a table: every digit has its place.
  function written(value) {
    if (Math.abs(value) < TINY) return "0.0000";
    if (style(value) === "fixed") return value.toFixed(4).replace("-", "−");
    const [digits, power] = value.toExponential(3).split("e");
    return `${digits.replace("-", "−")} · 10${raised(Number(power))}`;
  }

  // As a number stands in a sentence: no zeros behind it.
  function short(value) {
    const text = written(value);
    return text.includes("·") ? text : text.replace(/\.?0+$/, "");
  }

  // As a number stands at an axis, where there is little room.
  function tick(value) {
    if (Math.abs(value) < 1e4) return short(value);
    const [digits, power] = value.toExponential().split("e+");
    return `${digits.replace("-", "−")}·10${raised(power)}`;
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

  return { written, short, tick, inner, literal, format };
})();
