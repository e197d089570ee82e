// What both of the playground's pictures are made of: axes, things to take hold of, and
// selections that are drawn anew only where they changed.

const picture = (() => {
  const MARGIN = { left: 44, right: 10, top: 10, bottom: 26 };
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

  // Places that can be said: tenths.
  const round = (value) => Math.round(value * 10) / 10;

  // One element of a kind for each of a list, with its attributes.
  function draw(layer, kind, list, attributes) {
    const selection = layer.selectAll(kind).data(list).join(kind);
    for (const [name, value] of Object.entries(attributes)) selection.attr(name, value);
    return selection;
  }

  // Tells whether something is other than at the last time: what stayed as it was is not
  // drawn anew.
  function memory() {
    let last = null;
    return (...things) => {
      const now = JSON.stringify(things);
      const isNew = now !== last;
      last = now;
      return isNew;
    };
  }

  // A picture of `layers`, one upon the other, with axes of two `names`. `lay` gives the axes
  // their ranges and returns how data become pixels. What is put into a layer is cut off at the
  // edges, what is put into `above` is not.
  function plane(svg, names, layers) {
    const root = d3.select(svg);
    const axes = root.append("g").attr("class", "axes");
    const inside = root.append("svg").attr("x", MARGIN.left).attr("y", MARGIN.top);
    const labels = root.append("g").attr("class", "names");
    const above = root.append("g");
    for (const group of [axes, labels, above]) {
      group.attr("transform", `translate(${MARGIN.left}, ${MARGIN.top})`);
    }
    const named = layers.map((name) => [name, inside.append("g").attr("class", name)]);
    const size = { width: 0, height: 0 };
    const areAxesNew = memory();

    // Look how large the picture is on the screen.
    function measure() {
      const box = svg.getBoundingClientRect();
      size.width = Math.max(60, box.width - MARGIN.left - MARGIN.right);
      size.height = Math.max(60, box.height - MARGIN.top - MARGIN.bottom);
      inside.attr("width", size.width).attr("height", size.height);
    }

    function lay(horizontal, vertical) {
      const { width, height } = size;
      const [left, bottom] = [horizontal[0], vertical[0]];
      const unit = [width / (horizontal[1] - left), height / (vertical[1] - bottom)];
      const place = {
        unit,
        x: (value) => (value - left) * unit[0],
        y: (value) => height - (value - bottom) * unit[1],
        xOf: (pixels) => left + pixels / unit[0],
        yOf: (pixels) => bottom + (height - pixels) / unit[1],
      };
      if (areAxesNew(horizontal, vertical, size)) drawAxes(horizontal, vertical, place);
      return place;
    }

    function drawAxes(horizontal, vertical, { x, y }) {
      const { width, height } = size;
      // Large numbers are long ones.
      const room = Math.max(...horizontal.map(Math.abs)) < 1e4 ? 55 : 90;
      const across = d3.ticks(...horizontal, Math.max(2, width / room));
      const up = d3.ticks(...vertical, Math.max(2, height / 40));
      const lines = [
        ...across.map((value) => [x(value), 0, x(value), height]),
        ...up.map((value) => [0, y(value), width, y(value)]),
      ];
      const ends = { x1: (d) => d[0], y1: (d) => d[1], x2: (d) => d[2], y2: (d) => d[3] };
      draw(axes, "line", lines, ends);
      const anchored = { x: (d) => d.x, y: (d) => d.y, "text-anchor": (d) => d.anchor };
      const ticks = [
        ...across.map((value) => ({ value, x: x(value), y: height + 16, anchor: "middle" })),
        ...up.map((value) => ({ value, x: -6, y: y(value) + 4, anchor: "end" })),
      ];
      draw(axes, "text", ticks, anchored).text((d) => numbers.tick(d.value));
      const [right, top] = names;
      const ofAxes = [
        { text: right, x: width - 4, y: height - 6, anchor: "end" },
        { text: top, x: 6, y: 12, anchor: "start" },
      ];
      draw(labels, "text", ofAxes, anchored).text((d) => d.text);
    }

    return { root, layers: Object.fromEntries(named), above, size, measure, lay };
  }

  // What can be taken hold of, as it looks and as it is announced.
  function knob(group, name) {
    group.attr("class", name).attr("role", "slider");
    group.append("circle").attr("class", "reach").attr("r", 20);
    group.append("circle").attr("class", "ring").attr("r", 11);
    group.append("circle").attr("class", "dot").attr("r", 6);
    return group;
  }

  // A slider has one number; the text says both. Without a least and a most it would be read as
  // a part of a hundred.
  const announce = (group, label, text, now) =>
    group
      .attr("aria-label", label)
      .attr("aria-valuetext", text)
      .attr("aria-valuemin", (d) => Math.min(-100, now(d)))
      .attr("aria-valuemax", (d) => Math.max(100, now(d)))
      .attr("aria-valuenow", now);

  // Let a knob be moved by mouse, finger and arrow keys alike. `place()` is what `lay`
  // returned, `where(d)` the knob's place in data, `to(d, x, y)` moves it there, and
  // `held(is, d)` tells whether it is held.
  function grip(selection, { place, where, to, held }) {
    selection.call(
      d3
        .drag()
        .subject((event, d) => {
          const [x, y] = where(d);
          return { x: place().x(x), y: place().y(y) };
        })
        .on("start", (event, d) => held(true, d))
        .on("drag", (event, d) => to(d, round(place().xOf(event.x)), round(place().yOf(event.y))))
        .on("end", (event, d) => held(false, d)),
    );
    selection.on("keydown", (event, d) => {
      const direction = KEYS[event.key];
      if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const far = event.shiftKey ? 1 : 0.1;
      // Only what the key moves is moved to a tenth.
      const [x, y] = where(d).map((v, i) => (direction[i] ? round(v + far * direction[i]) : v));
      to(d, x, y);
    });
  }

  return { round, draw, memory, plane, knob, announce, grip };
})();
