// The playground: settings, a walk, and a page that shows both. A walk follows from its
// settings alone, so whatever a reader changes, the whole walk is walked anew.

// Steps a second while it runs; it gets faster the longer it runs.
const PACE = 8;
const STORED = "playground-done";

function playground(root) {
  const all = (selector) => [...root.querySelectorAll(selector)];
  // What a small playground leaves out is missing, and not asked for.
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const words = Object.fromEntries(
    all("template").map((t) => [t.dataset.name, t.content.textContent.trim()]),
  );
  const say = (name, values) => charts.fill(words[name], values);
  const hasAddress = root.hasAttribute("data-address");

  let settings = { ...situation.START };
  let rows = descent.walk(settings);
  let selected = 0;
  let timer = null;

  // What a reader does

  function show(wanted) {
    settings = wanted;
    rows = descent.walk(settings);
    draw();
    rememberSoon();
  }

  function change(some) {
    show({ ...settings, ...some });
    judge();
  }

  function go(count) {
    const steps = Math.max(0, Math.min(situation.RANGES.steps[1], rows.length - 1 + count));
    settings = { ...settings, steps };
    rows = descent.walk(settings, rows);
    draw();
    rememberSoon();
    judge();
  }

  function isOver() {
    const row = rows.at(-1);
    const most = situation.RANGES.steps[1];
    return descent.isHeld(row) || row.step >= most || descent.hasArrived(settings, row);
  }

  function pause() {
    clearTimeout(timer);
    timer = null;
    draw();
  }

  function run() {
    let ran = 0;
    const on = () => {
      if (isOver()) return pause();
      timer = setTimeout(on, 1000 / PACE);
      ran += 1;
      go(1 + Math.floor(ran / 40));
    };
    on();
  }

  const points = (list) => ({ x: list.map((p) => p[0]), t: list.map((p) => p[1]) });
  const listed = () => settings.x.map((xi, i) => [xi, settings.t[i]]);
  const within = (name, value) => {
    const [least, most] = situation.RANGES[name];
    return Math.max(least, Math.min(most, value));
  };

  const told = {
    select(i) {
      selected = Math.max(0, Math.min(settings.x.length - 1, i));
      draw();
    },
    move(i, x, t) {
      change(points(listed().with(i, [within("x", x), within("t", t)])));
    },
    add(x, t) {
      if (settings.x.length >= situation.RANGES.points[1]) return;
      selected = settings.x.length;
      change(points([...listed(), [within("x", x), within("t", t)]]));
    },
    remove(i) {
      if (settings.x.length <= situation.RANGES.points[0]) return;
      const left = listed().toSpliced(i, 1);
      selected = Math.min(i, left.length - 1);
      change(points(left));
    },
  };

  // Beside the last point, so that it lies on no other.
  function addBeside() {
    const [x, t] = listed().at(-1);
    told.add(Math.round((x < 5.5 ? x + 0.5 : x - 4.7) * 10) / 10, t);
    pictures[0].focus();
  }

  const doing = {
    back: () => go(-1),
    step: () => go(1),
    ten: () => go(10),
    run: () => (timer === null ? run() : pause()),
    reset: () => change({ steps: 0 }),
    add: addBeside,
    remove: () => told.remove(selected),
    link: copyLink,
    forget: () => keep([]),
  };

  async function copyLink() {
    const address = `${location.href.split("#")[0]}#${situation.write(settings)}`;
    try {
      await navigator.clipboard.writeText(address);
      note(words.copied);
    } catch {
      note(say("not-copied", { address }));
    }
  }

  const pictures = [
    charts.points(part("points"), words, told),
    charts.surface(part("surface"), words, {
      move: (a, b) => change({ a: within("a", a), b: within("b", b), steps: 0 }),
    }),
  ];

  for (const button of all("[data-do]")) {
    button.addEventListener("click", () => {
      // Who takes a step by hand wants no others to follow.
      if (timer !== null && button.dataset.do !== "run") pause();
      doing[button.dataset.do]();
    });
  }

  // Numbers: a slider each, a field each. A rate goes by powers of ten.
  const fromSlider = (name, value) =>
    name === "lr" ? Number((10 ** value).toPrecision(2)) : value;
  const toSlider = (name, value) => (name === "lr" ? Math.log10(value) : value);
  const asStart = (name, value) => (name === "lr" ? { lr: value } : { [name]: value, steps: 0 });
  // Slope and intercept are where the walk stands. Who sets one of them starts there, with the other.
  const set = (name, value) => {
    const { a, b } = rows.at(-1);
    const here = name === "lr" ? {} : { a: within("a", a), b: within("b", b) };
    change({ ...here, ...asStart(name, value) });
  };

  for (const slider of all("[data-slider]")) {
    const name = slider.dataset.slider;
    slider.addEventListener("input", () => set(name, fromSlider(name, slider.valueAsNumber)));
  }
  for (const field of all("[data-field]")) {
    const name = field.dataset.field;
    field.addEventListener("change", () => {
      if (!situation.allows(name, field.value)) return refuse(field);
      note("");
      const value = Number(field.value);
      const [x, t] = listed()[selected];
      if (name === "x") told.move(selected, value, t);
      else if (name === "t") told.move(selected, x, value);
      else set(name, value);
    });
  }
  for (const choice of all("[data-choice]")) {
    const name = choice.dataset.choice;
    choice.addEventListener("change", () => {
      if (name === "reset") change({ reset: !choice.checked });
      else if (name === "squares") change({ squares: choice.checked });
      else if (name === "selected") told.select(Number(choice.value));
      else change({ [name]: choice.value });
    });
  }

  // A number that cannot be is put back, and the reader is told which could.
  function refuse(field) {
    const { field: key, name } = field.dataset;
    const kept = values()[key];
    const given = field.value || words.nothing;
    const [least, most, stays] = [...situation.RANGES[key], kept].map((v) =>
      `${v}`.replace("-", "−"),
    );
    field.value = kept;
    note(say("refused", { name, least, most, given, kept: stays }));
  }

  // What is seen

  function note(text) {
    part("note").textContent = text;
  }

  const put = (name, text) => {
    const element = part(name);
    if (element && element.textContent !== text) element.textContent = text;
  };

  function draw() {
    const row = rows.at(-1);
    const ground = descent.ground(settings);
    const held = descent.isHeld(row);
    const moved = held ? null : descent.update(settings, row);
    const found = descent.pointwise(settings, row.a, row.b);
    const ahead = moved && { a: moved.a.to, b: moved.b.to };
    const { lr, squares } = settings;
    const state = { found, rows, row, selected, squares, ground, ahead, lr };
    for (const picture of pictures) picture.draw(state);

    drawControls();
    drawState(row, held);
    drawLimit(ground);
    drawNumbers(found, row, moved);
    const code = part("program");
    if (code) put("program", program.of(settings, row));
    drawTasks();
    for (const link of all("a[data-open]")) link.hash = situation.write(settings);
  }

  // What the fields and sliders hold.
  function values() {
    const { a, b } = rows.at(-1);
    const digits = (value) =>
      Number(Math.abs(value) < 1e6 ? value.toFixed(4) : value.toPrecision(4));
    const [x, t] = [settings.x[selected], settings.t[selected]];
    return { a: digits(a), b: digits(b), lr: settings.lr, x, t };
  }

  function drawControls() {
    const shown = values();
    for (const field of all("[data-field]")) {
      // While it runs, nothing is written over what a reader is typing.
      const isTyped = field === document.activeElement && timer !== null;
      if (!isTyped) field.value = shown[field.dataset.field];
    }
    for (const slider of all("[data-slider]")) {
      const name = slider.dataset.slider;
      slider.value = toSlider(name, shown[name]);
      slider.setAttribute("aria-valuetext", shown[name]);
    }
    for (const choice of all("select[data-choice]")) {
      if (choice.dataset.choice === "selected") drawPointChoice(choice);
      else choice.value = settings[choice.dataset.choice];
    }
    for (const box of all("input[data-choice]")) {
      box.checked = box.dataset.choice === "reset" ? !settings.reset : settings.squares;
    }

    const [fewest, most] = situation.RANGES.points;
    const off = {
      back: rows.length === 1,
      reset: rows.length === 1,
      add: settings.x.length >= most,
      remove: settings.x.length <= fewest,
    };
    for (const button of all("[data-do]")) {
      // It stays where the keyboard is, and says that it can do nothing now.
      button.setAttribute("aria-disabled", off[button.dataset.do] ?? false);
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
  function drawState(row, held) {
    const { short } = numbers;
    const values = { step: row.step, a: short(row.a), b: short(row.b), e: short(row.e) };
    let ending = "";
    if (held) ending = words.held;
    else if (row.step >= situation.RANGES.steps[1]) ending = words.full;
    else if (row.step > 0 && descent.hasArrived(settings, row)) ending = words.arrived;
    part("state").setAttribute("aria-live", timer === null ? "polite" : "off");
    put("state", say("state", values));
    put("ending", ending);
  }

  function drawLimit(ground) {
    const limit = descent.limit(settings);
    const { across, along } = ground.eigenvalues;
    const { short } = numbers;
    let name = settings.lr < limit ? "below" : "above";
    if (limit === null) name = settings.reset ? "adam" : "never";
    root.toggleAttribute("data-above", name === "above" || name === "never");
    const factor = settings.optimizer === "momentum" ? `2 · (1 + ${descent.MOMENTUM})` : "2";
    put(
      "limit",
      say(name, { factor, across: short(across), limit: short(limit ?? 0), lr: settings.lr }),
    );
    const ratio = along ? short(Number((across / along).toPrecision(4))) : "∞";
    put("ground", say("ground", { across: short(across), along: short(along), ratio }));
  }

  function drawNumbers(found, row, moved) {
    const table = part("table");
    if (table) {
      const cells = found.map((p) => [
        ...[p.x, p.t].map(numbers.short),
        ...[p.y, p.error, p.da, p.db].map(numbers.written),
      ]);
      d3.select(table)
        .select("tbody")
        .selectAll("tr")
        .data(cells)
        .join("tr")
        .selectAll("td")
        .data((d, i) => [String(i + 1), ...d])
        .join("td")
        .each(charts.write((d) => d));
      put("loss", words[settings.loss]);
      for (const name of ["e", "da", "db"]) put(name, numbers.written(row[name]));
      for (const name of ["a", "b"]) put(`grad-${name}`, numbers.written(row.grad[name]));
    }
    put("next", arithmetic.of(settings, rows, moved).join("\n"));
  }

  // Tasks. What is done stays done, in this browser.

  function stored() {
    try {
      return JSON.parse(localStorage.getItem(STORED)) ?? [];
    } catch {
      return [];
    }
  }
  let done = stored();

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
    for (const item of all("[data-task]")) {
      item.toggleAttribute("data-done", done.includes(JSON.parse(item.dataset.task).kind));
    }
  }

  // Look what the reader has done. What a link brought along is nobody's doing.
  function judge() {
    for (const item of all("[data-task]")) {
      const task = JSON.parse(item.dataset.task);
      if (done.includes(task.kind) || !tasks.isDone(task, settings, rows)) continue;
      keep([...done, task.kind]);
      note(say("done", { task: item.querySelector("[data-asks]").textContent }));
    }
  }

  // The address

  let remembered = null;
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

  function load() {
    const address = location.hash.slice(1);
    // An anchor of the page is no situation.
    if (address === remembered || (address && !address.includes("="))) return;
    const { settings: wanted, refused } = situation.read(address);
    clearTimeout(timer);
    timer = null;
    selected = 0;
    note("");
    show(wanted);
    if (refused.length) note(say("address", { refused: refused.join(", ") }));
  }

  // Begin

  root.querySelector(".board").hidden = false;
  root.querySelector(".needs-script").hidden = true;
  new ResizeObserver(() => {
    for (const picture of pictures) picture.measure();
    draw();
  }).observe(part("points"));
  for (const picture of pictures) picture.measure();
  if (hasAddress) {
    addEventListener("hashchange", load);
    addEventListener("pagehide", () => remembering && remember());
    // The address is up to date before a link changes it, or a second click would change nothing.
    for (const link of all("a[href^='#']")) link.addEventListener("click", remember);
    load();
  }
  draw();
}

for (const root of document.querySelectorAll(".playground")) playground(root);
