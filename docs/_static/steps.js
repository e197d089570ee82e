// Step through what is already in the page: back, play, next, a slider, arrow keys.
// Nothing is calculated here: every number and every word stands in the page.

// Give the controls of an element their work. `show(k)` shows step k of `count()`;
// `rest()` says for how many milliseconds it stands when all are played.
function stepThrough(element, count, show, rest) {
  const controls = element.querySelector(".controls");
  const slider = controls.querySelector("input");
  const output = controls.querySelector("output");
  const playButton = controls.querySelector("[data-do=play]");
  let current = null;
  let timer = null;

  const go = (step) => {
    const last = count() - 1;
    const wanted = Math.max(0, Math.min(last, step));
    slider.max = last;
    slider.value = wanted;
    // Where nothing changes, nothing is announced once more.
    if (wanted === current) return;
    current = wanted;
    output.value = `${current + 1} / ${last + 1}`;
    slider.setAttribute("aria-valuetext", output.value);
    show(current);
  };
  const pause = () => {
    clearTimeout(timer);
    timer = null;
    playButton.textContent = playButton.dataset.play;
  };
  const wait = () => {
    timer = setTimeout(() => {
      go(current + 1);
      if (current === count() - 1) pause();
      else wait();
    }, rest());
  };
  const play = () => {
    if (current === count() - 1) go(0);
    playButton.textContent = playButton.dataset.pause;
    wait();
  };
  const doing = { back: () => go(current - 1), next: () => go(current + 1) };
  const keys = { ArrowLeft: doing.back, ArrowRight: doing.next };

  for (const button of controls.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const wasPlaying = timer !== null;
      pause();
      if (button !== playButton) doing[button.dataset.do]();
      else if (!wasPlaying) play();
    });
  }
  slider.addEventListener("input", () => {
    pause();
    go(Number(slider.value));
  });
  // The slider has arrow keys of its own, and with Alt they are the browser's.
  element.addEventListener("keydown", (event) => {
    if (event.target === slider || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!(event.key in keys)) return;
    event.preventDefault();
    pause();
    keys[event.key]();
  });
  element.setAttribute("data-ready", "");
  controls.hidden = false;
  go(0);
  const restart = () => {
    pause();
    current = null;
    go(0);
  };
  return { restart };
}

// A film: one picture a step. Without this script its last picture shows.
for (const film of document.querySelectorAll(".frames")) {
  const pictures = [...film.querySelectorAll(".frame")];
  const show = (shown) =>
    pictures.forEach((picture, i) => picture.toggleAttribute("data-shown", i === shown));
  stepThrough(film, () => pictures.length, show, () => Number(film.dataset.interval));
}

// A graph: each step adds parts of a picture and points at some. Two pictures of one
// calculation take turns.
for (const figure of document.querySelectorAll("figure.step-through")) {
  const steps = JSON.parse(figure.querySelector("script").textContent);
  const told = figure.querySelector(".told");
  const ways = [...figure.querySelectorAll(".way")];
  const buttons = [...figure.querySelectorAll(".ways button")];
  // When each part comes: one that is named twice, as a value that is used twice, at the first.
  const comes = steps.map((all) => {
    const first = new Map();
    all.forEach((step, k) => {
      for (const name of step.appear) if (!first.has(name)) first.set(name, k);
    });
    return first;
  });
  let way = 0;
  let before = 0;

  // A dot runs along the edges of a step: forward, or back from right to left.
  const travel = (names, back) => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const name of names) {
      const line = parts(name)[0].querySelector("path");
      const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      dot.setAttribute("class", "traveller");
      dot.setAttribute("r", 4);
      dot.setAttribute("fill", `var(--c-${back ? "gradient" : "forward"})`);
      line.ownerSVGElement.append(dot);
      const start = performance.now();
      const move = (now) => {
        const share = Math.min(1, (now - start) / 700);
        const { x, y } = line.getPointAtLength(line.getTotalLength() * (back ? 1 - share : share));
        dot.setAttribute("cx", x);
        dot.setAttribute("cy", y);
        if (share < 1 && dot.isConnected) requestAnimationFrame(move);
        else dot.remove();
      };
      move(start);
    }
  };

  // A part of the picture: one element, or one a line.
  const parts = (name) => {
    const id = ways[way].dataset.prefix + name;
    return [...ways[way].querySelectorAll(`[id="${id}"], [id^="${id}."]`)];
  };
  const set = (name, attribute, on) => {
    for (const part of parts(name)) part.toggleAttribute(attribute, on);
  };
  const show = (shown) => {
    comes[way].forEach((k, name) => set(name, "data-waits", k > shown));
    const step = steps[way][shown];
    for (const old of figure.querySelectorAll("[data-now]")) old.removeAttribute("data-now");
    for (const name of [...step.now, ...step.appear]) set(name, "data-now", true);
    for (const dot of figure.querySelectorAll(".traveller")) dot.remove();
    const edges = step.now.filter((name) => name.startsWith("edge-"));
    if (shown === before + 1) travel(edges, step.back);
    before = shown;
    told.replaceChildren(
      ...[step.text, ...step.lines].map((text, i) => {
        const line = document.createElement(i ? "samp" : "p");
        line.textContent = text;
        return line;
      }),
    );
  };
  // Time to read what is told: about fifteen letters a second, and a moment to look.
  const rest = () => 2000 + 65 * told.textContent.length;
  const stepper = stepThrough(figure, () => steps[way].length, show, rest);

  const choose = (chosen) => {
    way = chosen;
    ways.forEach((picture, i) => picture.toggleAttribute("data-shown", i === way));
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === way));
    stepper.restart();
  };
  buttons.forEach((button, i) => button.addEventListener("click", () => choose(i)));
  figure.querySelector(".ways").hidden = false;
  told.hidden = false;
  ways[way].setAttribute("data-shown", "");
}
