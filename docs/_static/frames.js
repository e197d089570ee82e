// Step through pictures that are already in the page: back, play, next, a slider.
// Arrow keys work on the slider as on any; without this script the last picture shows, with it
// the first, so that play has somewhere to go.
for (const frames of document.querySelectorAll(".frames")) {
  const pictures = [...frames.querySelectorAll(".frame")];
  const controls = frames.querySelector(".controls");
  const slider = controls.querySelector("input");
  const output = controls.querySelector("output");
  let timer = null;

  const show = (number) => {
    const shown = Math.max(0, Math.min(pictures.length - 1, number));
    pictures.forEach((picture, i) => picture.toggleAttribute("data-shown", i === shown));
    slider.value = shown;
    output.value = `${shown + 1} / ${pictures.length}`;
    return shown;
  };
  const pause = () => {
    clearInterval(timer);
    timer = null;
    frames.removeAttribute("data-playing");
  };
  const play = () => {
    if (Number(slider.value) === pictures.length - 1) show(0);
    frames.setAttribute("data-playing", "");
    timer = setInterval(() => {
      if (show(Number(slider.value) + 1) === pictures.length - 1) pause();
    }, Number(frames.dataset.interval));
  };
  const doing = {
    back: () => show(Number(slider.value) - 1),
    next: () => show(Number(slider.value) + 1),
  };

  for (const button of controls.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const wasPlaying = timer !== null;
      pause();
      if (button.dataset.do !== "play") doing[button.dataset.do]();
      else if (!wasPlaying) play();
    });
  }
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
  frames.setAttribute("data-ready", "");
  controls.hidden = false;
  show(0);
}
