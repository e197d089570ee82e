// How a number is written: on the page, and in a program.

const numbers = (() => {
  // What is below this is rounding, and is shown as 0.
  const TINY = 1e-7;
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  // Four digits behind the point; four digits and a power of ten for what is too small or too
  // large for that.
  const isPower = (value) => Math.abs(value) < 0.001 || Math.abs(value) >= 1e5;

  const signed = (text) => text.replace("-", "−");
  const raised = (power) =>
    [...`${Number(power)}`].map((sign) => (sign === "-" ? "⁻" : SUPERSCRIPTS[sign])).join("");

  // Python rounds a 5 with nothing behind it to the even digit, JavaScript always up. Such a
  // number has few binary digits.
  function fixed(value) {
    const tie =
      Number.isInteger(value * 32) && /^(-?\d+\.\d{3}[02468])50*$/.exec(value.toFixed(20));
    return tie ? tie[1] : value.toFixed(4);
  }
  function power(value) {
    const tie = /^(-?\d\.\d\d[02468])50*e(.+)$/.exec(value.toExponential(60));
    return (tie ? `${tie[1]}e${tie[2]}` : value.toExponential(3)).split("e");
  }

  function digits(value) {
    if (!isPower(value)) return signed(fixed(value));
    const [first, second] = power(value);
    return `${signed(first)} · 10${raised(second)}`;
  }

  const shortened = (text) => (text.includes("·") ? text : text.replace(/\.?0+$/, ""));

  // As a number stands in a table: every digit has its place.
  const written = (value) => (Math.abs(value) < TINY ? "0.0000" : digits(value));

  // As a number stands in a sentence: no zeros behind it.
  const short = (value) => shortened(written(value));

  // As a number stands in a calculation: what is small counts there, too.
  const exact = (value) => (value === 0 ? "0" : shortened(digits(value)));

  // The same behind another number or below a root.
  function inner(value) {
    const text = exact(value);
    return /^−|·/.test(text) ? `(${text})` : text;
  }

  // As a number stands at an axis, where there is little room.
  function tick(value) {
    if (Math.abs(value) < 1e4) return short(value);
    const [first, second] = value.toExponential().split("e");
    return `${signed(first)}·10${raised(second)}`;
  }

  // As it was given, with a real minus.
  const plain = (value) => signed(`${value}`);

  // As Python reads it: the very same number, and a float.
  function literal(value) {
    const text = String(value);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }

  // How Python writes it as `written` does. The z takes the minus from a 0.
  function format(value) {
    if (Math.abs(value) < TINY) return "z.4f";
    return isPower(value) ? ".3e" : ".4f";
  }

  return { written, short, exact, inner, tick, plain, literal, format };
})();
