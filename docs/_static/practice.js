// Exercises: a number that is typed is judged by what stands in the page. What was typed and
// what is done stays in this browser. Every word is the page's.

"use strict";

const practice = (() => {
  const STORED = "linreg-tutorial practice";
  // By what share of itself a number may be off through rounding alone: PyTorch calculates
  // with about seven digits.
  const ROUNDING = 1e-6;

  // Numbers as people type them

  const DECIMAL = /^[-+]?(\d+[.,]?\d*|[.,]\d+)(e[-+]?\d+)?$/i;
  const THOUSANDS = /^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/;
  const MIXED = /^([-+]?)(\d+) +(\d+ *\/ *\d+)$/;

  const decimal = (text) => (DECIMAL.test(text) ? Number(text.replace(",", ".")) : NaN);

  function fraction(text) {
    const parts = text.split("/");
    return parts.length === 2 ? decimal(parts[0].trim()) / decimal(parts[1].trim()) : NaN;
  }

  function mixed(text) {
    const [, sign, whole, rest] = MIXED.exec(text) ?? [];
    return rest ? Number(`${sign}1`) * (Number(whole) + fraction(rest)) : NaN;
  }

  // The same text in the plainest signs: full width becomes half, every dash a minus.
  function plain(text) {
    return text
      .replace(/[¼-¾⅐-⅞]/g, " $&")
      .normalize("NFKC")
      .replace(/\p{Cf}/gu, "")
      .replace(/[\u2010-\u2015\u2212\u30fc]/g, "-")
      .replace(/[÷\u2044\u2215]/g, "/")
      .trim()
      .replace(/^([-+])\s+/, "$1");
  }

  // The values that a text may mean: none, one, or the two of 1,250.
  function read(typed) {
    // What is raised or lowered is no digit in a row with the others: 10² is not 102.
    if (/[²³¹\u2070-\u209c]/.test(typed)) return [];
    const text = plain(typed);
    const values = [decimal(text), fraction(text), mixed(text)];
    if (THOUSANDS.test(text)) values.push(Number(text.replaceAll(",", "")));
    return values.filter(Number.isFinite);
  }

  // Whether a value is the wanted one with fewer decimals than are asked for.
  function isRounded(value, wanted, tolerance) {
    const askedFor = Math.round(-Math.log10(2 * tolerance));
    for (let k = 1; k < askedFor; k += 1) {
      if (Math.abs(value - Number(wanted.toFixed(k))) < 1e-9) return true;
    }
    return false;
  }

  // The verdict on what was typed: an element of the form. The right number goes first.
  function judge(form, typed) {
    const values = read(typed);
    const verdict = (name) => form.querySelector(`[data-verdict="${name}"]`);
    if (!values.length) return verdict("unreadable");
    const isNear = (wanted) => {
      const far = Number(form.dataset.tolerance) + ROUNDING * Math.abs(wanted);
      return values.some((value) => Math.abs(value - wanted) <= far);
    };
    const answer = Number(form.dataset.answer);
    if (isNear(answer)) return verdict("right");
    const mistakes = [...form.querySelectorAll('[data-verdict="mistake"]')];
    const known = mistakes.find((m) => isNear(Number(m.dataset.value)));
    const tolerance = Number(form.dataset.tolerance);
    const isShort = values.some((value) => isRounded(value, answer, tolerance));
    return known ?? verdict(isShort ? "rounded" : "other");
  }

  // What is remembered: for each exercise what was typed, and whether it is done

  let known = {};
  // A browser may refuse to store, or be full. Then it is known as long as the page is open.
  let isStored = true;

  const isEntry = ([, entry]) =>
    typeof entry?.typed === "string" && typeof entry.done === "boolean";

  function parsed(text) {
    try {
      return Object.fromEntries(Object.entries(JSON.parse(text) ?? {}).filter(isEntry));
    } catch {
      return {};
    }
  }

  // Other tabs write, too: what is there now counts.
  function recall() {
    if (!isStored) return;
    try {
      known = parsed(localStorage.getItem(STORED));
    } catch {
      isStored = false;
    }
  }

  function remember(entries) {
    const worth = Object.entries(entries).filter(([, { typed, done }]) => typed || done);
    known = Object.fromEntries(worth);
    try {
      if (worth.length) localStorage.setItem(STORED, JSON.stringify(known));
      else localStorage.removeItem(STORED);
      isStored = true;
    } catch {
      isStored = false;
    }
    draw();
  }

  const entryOf = (id) => known[id] ?? { typed: "", done: false };

  function note(id, typed, isDone) {
    recall();
    remember({ ...known, [id]: { typed, done: isDone(entryOf(id)) } });
  }

  // The exercises of the page. Each shows what is remembered, and can be put back.

  function prediction(id, form) {
    const field = form.querySelector("input");
    // What the field held when it was judged last. Where it holds something else, somebody types.
    let judged = "";

    function tell(told) {
      for (const verdict of form.querySelectorAll("[data-verdict]")) verdict.hidden = true;
      field.removeAttribute("aria-invalid");
      if (!told) return;
      told.hidden = false;
      if (told.dataset.verdict !== "right") field.setAttribute("aria-invalid", "true");
    }

    function show({ typed }) {
      field.value = judged = typed;
      tell(typed && judge(form, typed));
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      judged = field.value;
      const told = judge(form, judged);
      // What is done stays done, whatever else is tried.
      const isDone = ({ done }) => done || told.dataset.verdict === "right";
      note(id, judged.trim() && judged, isDone);
      // To nothing at all, too, something is said, though it is not remembered.
      tell(told);
    });
    field.addEventListener("input", () => tell(null));
    form.hidden = false;
    return {
      draw: () => field.value === judged && show(entryOf(id)),
      putBack: () => show({ typed: "" }),
    };
  }

  function tick(id, label) {
    const box = label.querySelector("input");
    box.addEventListener("change", () => note(id, "", () => box.checked));
    label.hidden = false;
    const draw = () => (box.checked = entryOf(id).done);
    return { draw, putBack: draw };
  }

  const exercises = [...document.querySelectorAll("[data-exercise]")].map((root) => {
    const id = root.dataset.exercise;
    const form = root.querySelector("form.predict");
    const { draw, putBack } = form
      ? prediction(id, form)
      : tick(id, root.querySelector(".practice-done"));
    return {
      id,
      putBack,
      draw() {
        root.toggleAttribute("data-done", entryOf(id).done);
        draw();
      },
    };
  });

  // How many are done: of a page, or of all pages that the overview lists

  const rows = [...document.querySelectorAll("[data-progress-of]")];
  const bars = [...document.querySelectorAll(".practice-bar")];

  // An empty page stands for all.
  const isOf = (page) => (id) => !page || id.startsWith(`${page}#`);

  // Never more than there are: an exercise that is remembered may be gone from its page.
  const doneOf = (page, all) =>
    Math.min(Object.keys(known).filter((id) => isOf(page)(id) && known[id].done).length, all);

  function doneInAll() {
    const pages = new Map(rows.map(({ dataset }) => [dataset.progressOf, Number(dataset.all)]));
    return [...pages].reduce((sum, [page, all]) => sum + doneOf(page, all), 0);
  }

  function write(element, done, all) {
    const text = element.dataset.says.replaceAll("{done}", done).replaceAll("{all}", all);
    // Where nothing changes, nothing is announced once more.
    if (element.textContent !== text) element.textContent = text;
  }

  function draw() {
    for (const exercise of exercises) exercise.draw();
    for (const row of rows) {
      const all = Number(row.dataset.all);
      write(row, doneOf(row.dataset.progressOf, all), all);
    }
    for (const bar of bars) {
      const all = Number(bar.dataset.all);
      const { page } = bar.dataset;
      write(bar.querySelector(".practice-progress"), page ? doneOf(page, all) : doneInAll(), all);
    }
  }

  // Forgetting, and what undoes it until the page is left

  for (const bar of bars) {
    const forget = bar.querySelector(".practice-forget");
    const undo = bar.querySelector(".practice-undo");
    const isHere = isOf(bar.dataset.page);
    let forgotten = {};

    forget.addEventListener("click", () => {
      recall();
      const entries = Object.entries(known);
      const gone = entries.filter(([id]) => isHere(id));
      // Whoever presses twice does not lose what can be brought back.
      if (gone.length) forgotten = Object.fromEntries(gone);
      undo.hidden = !Object.keys(forgotten).length;
      for (const { id, putBack } of exercises) if (isHere(id)) putBack();
      remember(Object.fromEntries(entries.filter(([id]) => !isHere(id))));
    });
    undo.addEventListener("click", () => {
      recall();
      // What was answered since then is newer.
      remember({ ...forgotten, ...known });
      forgotten = {};
      forget.focus();
      undo.hidden = true;
    });
    bar.hidden = false;
  }

  function renew() {
    recall();
    draw();
  }
  addEventListener("storage", (event) => {
    if (event.key === STORED || event.key === null) renew();
  });
  // A page that one comes back to is shown as it was left.
  addEventListener("pageshow", renew);
  renew();

  return { read };
})();
