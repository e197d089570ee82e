// The playground: settings, a walk, and a page that shows both. A walk follows from its
// settings alone, so whatever a reader changes, the whole walk is walked anew.

function playground(root) {
  // Steps a second at first; a run gets faster the longer it runs.
  const PACE = 8;
  const STORED = "playground-done";

  const all = (selector) => [...root.querySelectorAll(selector)];
  // A small playground leaves some parts out.
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const sentences = Object.fromEntries(
    all("template").map((t) => [t.dataset.name, t.content.textContent.trim()]),
  );
  // A sentence of the page's with its blanks filled in.
  const say = (name, values = {}) =>
    sentences[name].replace(/\{(\w+)\}/g, (_, blank) => values[blank]);
  const hasAddress = root.hasAttribute("data-address");

  let settings = { ...situation.START };
  let rows = descent.walk(settings);
  let selected = 0;
  let timer = null;

  // What a reader does

  function show(wanted) {
    settings = wanted;
    rows = descent.walk(settings);
    selected = Math.min(selected, settings.x.length - 1);
    draw();
    rememberSoon();
  }

  function change(some) {
    clearNotes();
    show({ ...settings, ...some });
    judge();
  }

  function go(count) {
    const steps = within("steps", rows.length - 1 + count);
    settings = { ...settings, steps };
    rows = descent.walk(settings, rows);
    draw();
    rememberSoon();
    judge();
  }

  // Why no further step is taken or worth taking: the name of the sentence that says so.
  function ending() {
    const row = rows.at(-1);
    const end = descent.end(settings, row);
    if (end === "held" && !settings.reset) return "held-never";
    return end ?? (row.step >= situation.RANGES.steps[1] ? "full" : null);
  }

  function pause() {
    clearTimeout(timer);
    timer = null;
    // Written anew, so that it is read out.
    part("state").textContent = "";
    draw();
  }

  function run() {
    let ran = 0;
    const on = () => {
      if (ending()) return pause();
      timer = setTimeout(on, 1000 / PACE);
      ran += 1;
      go(1 + Math.floor(ran / 40));
    };
    on();
  }

  const within = (name, value) => {
    const [least, most] = situation.RANGES[name];
    return Math.max(least, Math.min(most, value));
  };
  const pairs = () => settings.x.map((xi, i) => [xi, settings.t[i]]);
  const changePoints = (list) => change({ x: list.map((p) => p[0]), t: list.map((p) => p[1]) });

  const points = {
    select(i) {
      selected = Math.max(0, Math.min(settings.x.length - 1, i));
      draw();
    },
    move(i, x, t) {
      // It may be gone while a hand still holds it.
      if (i < settings.x.length) changePoints(pairs().with(i, [within("x", x), within("t", t)]));
    },
    add(x, t) {
      const [, most] = situation.RANGES.points;
      if (settings.x.length >= most) return note("point-note", say("many", { most }));
      selected = settings.x.length;
      changePoints([...pairs(), [within("x", x), within("t", t)]]);
    },
    remove(i) {
      const [fewest] = situation.RANGES.points;
      if (settings.x.length <= fewest) return note("point-note", say("few", { fewest }));
      changePoints(pairs().toSpliced(i, 1));
    },
    // Beside the last one, where none is yet: to the right, and from the left again.
    addBeside() {
      let [x, t] = pairs().at(-1);
      do x = picture.round(x < 5.5 ? x + 0.5 : x - 4.7);
      while (pairs().some((p) => p[0] === x && p[1] === t));
      points.add(x, t);
      pictures[0].focus();
    },
  };

  // Slope and intercept are where the walk stands. Who sets one of them starts there, with the
  // other as it is.
  function set(name, value) {
    if (name === "lr") return change({ lr: value });
    const row = rows.at(-1);
    // Where the walk has left what can be set, the other starts where it started.
    const other = name === "a" ? "b" : "a";
    const kept = within(other, row[other]) === row[other] ? row[other] : settings[other];
    setOut({ [other]: kept, [name]: value });
  }

  // Begin a new walk; the browser's Back leads to the old one.
  function setOut(start) {
    const isLeft = rows.length > 1;
    if (isLeft) leave();
    change({ ...start, steps: 0 });
    if (isLeft && hasAddress) remember();
  }

  const pictures = [
    pointsPicture(part("points"), say, points),
    surfacePicture(part("surface"), say, {
      hold: () => timer !== null && pause(),
      move: (a, b) => setOut({ a: within("a", a), b: within("b", b) }),
    }),
  ];

  const doing = {
    back: () => go(-1),
    step: () => go(1),
    ten: () => go(10),
    run,
    reset: () => setOut({}),
    afresh: () => begin("", null),
    add: points.addBeside,
    remove: () => points.remove(selected),
    link: copyLink,
    forget: () => keep([]),
  };
  for (const button of all("[data-do]")) {
    const name = button.dataset.do;
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      clearNotes();
      const wasRunning = timer !== null;
      // Who takes a step by hand wants no others to follow.
      if (wasRunning) pause();
      if (!(wasRunning && name === "run")) doing[name]();
    });
  }

  async function copyLink() {
    const address = `${location.href.split("#")[0]}#${situation.write(settings)}`;
    try {
      await navigator.clipboard.writeText(address);
      note("link-note", say("copied"));
    } catch {
      note("link-note", say("not-copied", { address }));
    }
  }

  // Numbers have a slider and a field. A rate's slider goes by powers of ten.
  const fromSlider = (name, v) => (name === "lr" ? Number((10 ** v).toPrecision(2)) : v);
  const toSlider = (name, v) => (name === "lr" ? Math.log10(v) : v);
  for (const slider of all("[data-slider]")) {
    const name = slider.dataset.slider;
    slider.addEventListener("input", () => set(name, fromSlider(name, slider.valueAsNumber)));
  }
  let typed = null;
  for (const field of all("[data-field]")) {
    const name = field.dataset.field;
    field.addEventListener("input", () => (typed = field));
    // The browser's own steps would call every other number invalid.
    field.addEventListener("keydown", (event) => {
      const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!direction) return;
      event.preventDefault();
      const moved = Number(field.value) + direction * Number(field.dataset.step);
      field.value = Number(moved.toFixed(10));
      field.dispatchEvent(new Event("change"));
    });
    field.addEventListener("change", () => {
      typed = null;
      if (!situation.allows(name, field.value)) return refuse(field);
      const value = Number(field.value);
      const [x, t] = pairs()[selected];
      if (name === "x") points.move(selected, value, t);
      else if (name === "t") points.move(selected, x, value);
      else set(name, value);
    });
  }
  for (const choice of all("[data-choice]")) {
    const name = choice.dataset.choice;
    choice.addEventListener("change", () => {
      if (name === "reset") change({ reset: !choice.checked });
      else if (name === "squares") change({ squares: choice.checked });
      else if (name === "selected") points.select(Number(choice.value));
      else change({ [name]: choice.value });
    });
  }

  // A number that cannot be is put back, and the reader is told which could.
  function refuse(field) {
    const { field: key, name } = field.dataset;
    const [least, most] = situation.RANGES[key];
    const kept = values()[key];
    const given = field.value || say("nothing");
    field.value = kept;
    const [low, high, was, stays] = [least, most, given, kept].map(numbers.plain);
    const place = key === "x" || key === "t" ? "point-note" : "note";
    clearNotes();
    note(place, say("refused", { name, least: low, most: high, given: was, kept: stays }));
  }

  // What is seen

  function note(place, text) {
    // A small playground has one place for all.
    (part(place) ?? part("note")).textContent = text;
  }

  function clearNotes() {
    for (const place of ["note", "point-note", "link-note"]) note(place, "");
  }

  const put = (name, text) => {
    const element = part(name);
    if (element && element.textContent !== text) element.textContent = text;
  };

  function draw() {
    const row = rows.at(-1);
    const ground = descent.ground(settings);
    const moved = descent.isHeld(row) ? null : descent.update(settings, row);
    const found = descent.pointwise(settings, row.a, row.b);
    const ahead = moved && { a: moved.a.to, b: moved.b.to };
    const { lr, squares } = settings;
    const state = { found, rows, row, selected, squares, ground, ahead, lr };
    for (const one of pictures) one.show(state);

    const over = ending();
    drawControls(over);
    drawState(row, over);
    drawLimit(ground);
    drawTable(found, row);
    put("next", over ? say("none") : arithmetic.of(settings, rows, moved));
    put("program", program.of(settings, row));
    for (const link of all("a[data-open]")) link.hash = situation.write(settings);
  }

  // What the fields and sliders hold.
  function values() {
    const digits = (v) => Number(Math.abs(v) < 1e4 ? v.toFixed(4) : v.toPrecision(5));
    const { a, b } = settings;
    const row = rows.at(-1);
    const here = rows.length === 1 ? { a, b } : { a: digits(row.a), b: digits(row.b) };
    const [x, t] = pairs()[selected];
    return { ...here, lr: settings.lr, x, t };
  }

  function drawControls(over) {
    const shown = values();
    for (const field of all("[data-field]")) {
      // Nothing is written over what a reader is typing.
      if (field !== typed) field.value = shown[field.dataset.field];
    }
    for (const slider of all("[data-slider]")) {
      const name = slider.dataset.slider;
      const value = toSlider(name, shown[name]);
      // It reaches as far as it is set by other means.
      slider.min = Math.min(slider.dataset.min, Math.floor(value));
      slider.max = Math.max(slider.dataset.max, Math.ceil(value));
      slider.value = value;
      slider.setAttribute("aria-valuetext", shown[name]);
    }
    for (const choice of all("select[data-choice]")) {
      if (choice.dataset.choice === "selected") drawPointChoice(choice);
      else choice.value = settings[choice.dataset.choice];
    }
    for (const box of all("input[data-choice]")) {
      box.checked = box.dataset.choice === "reset" ? !settings.reset : settings.squares;
    }

    const isAtStart = rows.length === 1;
    const off = { back: isAtStart, reset: isAtStart, run: over && timer === null };
    off.step = off.ten = over;
    for (const button of all("[data-do]")) {
      // It stays where the keyboard is, and says that it can do nothing now.
      button.setAttribute("aria-disabled", Boolean(off[button.dataset.do]));
    }
    const runButton = root.querySelector('[data-do="run"]');
    runButton.textContent = timer === null ? runButton.dataset.run : runButton.dataset.pause;
  }

  function drawPointChoice(choice) {
    while (choice.options.length > settings.x.length) choice.lastElementChild.remove();
    while (choice.options.length < settings.x.length) {
      const number = choice.options.length + 1;
      choice.add(new Option(say("point", { number }), number - 1));
    }
    choice.value = selected;
  }

  // The sentence about where the walk stands. It is read out, but not while it runs.
  function drawState(row, over) {
    const [a, b, e] = [row.a, row.b, row.e].map(numbers.short);
    part("state").setAttribute("aria-live", timer === null ? "polite" : "off");
    put("state", say("state", { step: row.step, a, b, e }));
    put("ending", over ? say(over) : "");
    part("ending").toggleAttribute("data-good", over === "arrived");
  }

  function drawLimit(ground) {
    const { optimizer, lr, reset } = settings;
    const { across, along } = ground.eigenvalues;
    const limit = reset ? descent.limit(settings) : descent.swingLimit(settings);
    let kind = `never-${optimizer}`;
    if (reset) kind = optimizer === "adam" ? "adam" : lr < limit ? "below" : "above";
    const isWarning = kind === "above" || (limit !== null && lr >= limit);
    const isAbove = isWarning || kind === "never-momentum";
    root.toggleAttribute("data-above", isAbove);
    part("limit").setAttribute("aria-live", isAbove ? "polite" : "off");
    const factor = optimizer === "momentum" ? `2 · (1 + ${descent.MOMENTUM})` : "2";
    const [bend, flat, least] = [across, along, limit ?? 0].map(numbers.exact);
    put("limit", say(kind, { factor, across: bend, limit: least, lr: numbers.plain(lr) }));
    const ratio = along ? numbers.exact(Number((across / along).toPrecision(4))) : "∞";
    put("ground", say("ground", { across: bend, along: flat, ratio }));
  }

  function drawTable(found, row) {
    const table = part("table");
    if (!table) return;
    const { short, written } = numbers;
    const cells = found.map((p, i) => [
      `${i + 1}`,
      ...[p.x, p.t].map(short),
      ...[p.y, p.error, p.da, p.db].map(written),
    ]);
    d3.select(table)
      .select("tbody")
      .selectAll("tr")
      .data(cells)
      .join("tr")
      .selectAll("td")
      .data((d) => d)
      .join("td")
      .each(function write(text) {
        // What is there already is not laid out anew.
        if (this.firstChild?.data !== text) this.textContent = text;
      });
    put("loss", say(settings.loss));
    for (const name of ["e", "da", "db"]) put(name, written(row[name]));
    for (const name of ["a", "b"]) put(`grad-${name}`, written(row.grad[name]));
  }

  // Tasks. One at a time is worked on: the one that was begun. What is done stays done, in
  // this browser.

  const items = all("[data-task]");
  const taskOf = (item) => JSON.parse(item.dataset.task);
  let current = null;
  let done = stored();

  function stored() {
    try {
      const list = JSON.parse(localStorage.getItem(STORED));
      return Array.isArray(list) ? list : [];
    } catch {
      return [];
    }
  }

  function keep(list) {
    done = list;
    try {
      localStorage.setItem(STORED, JSON.stringify(done));
    } catch {
      // Without a store the ticks last as long as the page.
    }
    drawTasks();
  }

  function drawTasks() {
    for (const item of items) {
      item.toggleAttribute("data-done", done.includes(taskOf(item).kind));
      if (item === current) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  function judge() {
    if (!current || !tasks.isDone(taskOf(current), settings, rows)) return;
    const { kind } = taskOf(current);
    note("note", say("done", { task: current.querySelector("[data-asks]").textContent }));
    current = null;
    keep([...new Set([...done, kind])]);
  }

  for (const item of items) {
    const link = item.querySelector("a");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      begin(link.hash.slice(1), item);
      part("points").scrollIntoView({ block: "nearest" });
      root.querySelector('[data-do="step"]').focus();
    });
  }

  // The address

  let remembered = "";
  let remembering = null;

  function remember() {
    clearTimeout(remembering);
    remembering = null;
    remembered = situation.write(settings);
    const place = remembered ? `#${remembered}` : `${location.pathname}${location.search}`;
    if (location.hash.slice(1) !== remembered) history.replaceState(null, "", place);
  }

  // Browsers allow no more than a few changes a second.
  function rememberSoon() {
    if (hasAddress) remembering ??= setTimeout(remember, 400);
  }

  // What is left now can be come back to.
  function leave(address = situation.write(settings)) {
    if (!hasAddress) return;
    remember();
    history.pushState(null, "", `#${address}`);
  }

  // Begin a situation, with a task or without: going back leads to the one before.
  function begin(address, task) {
    leave(address);
    load(address);
    if (hasAddress) remember();
    current = task;
    drawTasks();
  }

  function load(address) {
    const { settings: wanted, refused } = situation.read(address);
    clearTimeout(timer);
    timer = null;
    selected = 0;
    current = null;
    clearNotes();
    show(wanted);
    drawTasks();
    if (refused.length) note("note", say("address", { refused: refused.join(", ") }));
  }

  function follow() {
    const address = location.hash.slice(1);
    // An anchor of the page is no situation.
    if (address !== remembered && (!address || address.includes("="))) load(address);
  }

  // Begin

  root.querySelector(".board").hidden = false;
  root.querySelector(".needs-script").hidden = true;
  const fit = () => {
    for (const one of pictures) one.measure();
    draw();
  };
  new ResizeObserver(fit).observe(part("points"));
  fit();
  drawTasks();
  // Another tab may have done a task, too.
  addEventListener("storage", () => {
    done = stored();
    drawTasks();
  });
  for (const fold of all("details")) fold.open = matchMedia("(min-width: 60em)").matches;
  if (hasAddress) {
    addEventListener("hashchange", follow);
    addEventListener("popstate", follow);
    addEventListener("pagehide", () => remembering && remember());
    // The address is up to date before a link of the page changes it.
    document.addEventListener("click", (event) => event.target.closest("a") && remember());
    follow();
  }
}

for (const root of document.querySelectorAll(".playground")) playground(root);
