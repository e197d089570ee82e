// A situation is what the settings say. It can be written into an address and read from one:
// what an address does not say is as at the start of the course.

const situation = (() => {
  const START = {
    x: [1, 2],
    t: [3, 5],
    a: 1,
    b: 0,
    lr: 0.1,
    steps: 0,
    optimizer: "sgd",
    loss: "mean",
    reset: true,
    squares: false,
  };
  // Least and most of each number.
  const RANGES = {
    x: [-100, 100],
    t: [-100, 100],
    a: [-100, 100],
    b: [-100, 100],
    lr: [0.00001, 10],
    steps: [0, 5000],
    points: [2, 50],
  };
  const CHOICES = {
    optimizer: ["sgd", "momentum", "adam"],
    loss: ["mean", "sum"],
  };
  // What is on or off, and the words for it.
  const SWITCHES = {
    reset: { each: true, never: false },
    squares: { drawn: true, hidden: false },
  };

  // Whether a text or a number is one that `name` can have.
  function allows(name, value) {
    const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value) ? Number(value) : NaN;
    const [least, most] = RANGES[name];
    return number >= least && number <= most && (name !== "steps" || Number.isInteger(number));
  }

  // One entry of an address as a change of the settings, or null if it cannot be.
  function entry(key, value) {
    if (key === "x" || key === "t") {
      const list = value.split(",");
      return list.every((item) => allows(key, item)) ? { [key]: list.map(Number) } : null;
    }
    if (Object.hasOwn(CHOICES, key)) return CHOICES[key].includes(value) ? { [key]: value } : null;
    if (Object.hasOwn(SWITCHES, key)) {
      return Object.hasOwn(SWITCHES[key], value) ? { [key]: SWITCHES[key][value] } : null;
    }
    const isNumber = ["a", "b", "lr", "steps"].includes(key);
    return isNumber && allows(key, value) ? { [key]: Number(value) } : null;
  }

  // The settings of an address, and the entries of it that could not be taken.
  function read(address) {
    const asked = [...new URLSearchParams(address)];
    const keys = asked.map(([key]) => key);
    const isFirst = (key, i) => keys.indexOf(key) === i;
    const changes = asked.map(([key, value], i) => (isFirst(key, i) ? entry(key, value) : null));
    const settings = Object.assign({ ...START }, ...changes);
    // The points are taken as a whole or not at all.
    const [least, most] = RANGES.points;
    const count = settings.x.length;
    const arePoints = ([key]) => key === "x" || key === "t";
    const isBroken =
      asked.some((pair, i) => arePoints(pair) && !changes[i]) ||
      count !== settings.t.length ||
      count < least ||
      count > most;
    if (isBroken) Object.assign(settings, { x: START.x, t: START.t });
    const refused = asked.filter((pair, i) => !changes[i] || (isBroken && arePoints(pair)));
    return { settings, refused: refused.map((pair) => pair.join("=")) };
  }

  // The address of the settings: what differs from the start.
  function write(settings) {
    const word = (key, on) => Object.keys(SWITCHES[key]).find((w) => SWITCHES[key][w] === on);
    const said = (key, value) => (key in SWITCHES ? word(key, value) : `${value}`);
    return Object.keys(START)
      .filter((key) => `${settings[key]}` !== `${START[key]}`)
      .map((key) => `${key}=${said(key, settings[key])}`)
      .join("&");
  }

  return { START, RANGES, allows, read, write };
})();
