// The picture of the points: what the line misses, and where it was before.

// `told` is what a reader can do here: move(i, x, t), remove(i), add(x, t), select(i).
function pointsPicture(svg, say, told) {
  const PAST_LINES = 12;
  // The axes of the course's own figures; they grow where something lies outside.
  const RANGE = [0, 6];

  const { draw, round } = picture;
  const { root, layers, above, size, measure, lay } = picture.plane(
    svg,
    ["x", "t"],
    ["squares", "past", "residuals", "line"],
  );
  const arePointsNew = picture.memory();
  let view = null;
  let isHeld = false;
  let place = null;
  let last = null;

  root.on("dblclick", (event) => {
    if (event.target.closest(".point")) return;
    const [x, y] = d3.pointer(event, above.node());
    told.add(round(place.xOf(x)), round(place.yOf(y)));
  });

  const focus = () => above.select('[tabindex="0"]').node().focus({ preventScroll: true });

  function onKey(event, d) {
    // What the hand holds is not taken out of it.
    if (isHeld) return;
    if (event.key === "Delete" || event.key === "Backspace") told.remove(d.index);
    else if (event.key === "PageDown") told.select(d.index + 1);
    else if (event.key === "PageUp") told.select(d.index - 1);
    else return;
    event.preventDefault();
    focus();
  }

  // A range with room for all values, of round ends.
  function rangeOf(values) {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = (Math.max(high, RANGE[1]) - Math.min(low, RANGE[0])) / 20;
    return [
      low < RANGE[0] ? Math.floor(low - room) : RANGE[0],
      high > RANGE[1] ? Math.ceil(high + room) : RANGE[1],
    ];
  }

  function show(state) {
    last = state;
    const { found, rows, row, selected, squares } = state;
    // While a point is held, the axes stand still under the hand.
    if (!isHeld) {
      view = {
        x: rangeOf(found.map((point) => point.x)),
        y: rangeOf(found.flatMap((point) => [point.t, point.y])),
      };
    }
    place = lay(view.x, view.y);
    const { x, y } = place;

    // A line from edge to edge. Far off the picture there is nothing to draw, and no browser
    // draws it well.
    const [low, high] = view.y;
    const [lowest, highest] = [low - (high - low), high + (high - low)];
    const near = (value) => Math.min(highest, Math.max(lowest, value));
    const line = ({ a, b }) => {
      const [one, other] = [lowest, highest].map((value) => (value - b) / a);
      const from = a ? Math.max(view.x[0], Math.min(one, other)) : view.x[0];
      const to = a ? Math.min(view.x[1], Math.max(one, other)) : view.x[1];
      if (!(from < to) || b + a * from < lowest - 1 || b + a * from > highest + 1) return "";
      return `M${x(from)},${y(a * from + b)}L${x(to)},${y(a * to + b)}`;
    };

    // The line at the start and the last ones, paler the older they are.
    const past = [rows[0], ...rows.slice(1).slice(-PAST_LINES - 1, -1)];
    const shade = (_, i) => 0.25 + (0.35 * i) / past.length;
    draw(layers.past, "path", rows.length > 1 ? past : [], { d: line, "stroke-opacity": shade });
    draw(layers.line, "path", [row], { d: line });
    draw(layers.residuals, "line", found, {
      x1: (d) => x(d.x),
      x2: (d) => x(d.x),
      y1: (d) => y(d.t),
      y2: (d) => y(near(d.y)),
    });
    // As many units wide as high, so that the squares of the grid can be counted.
    const side = (d) => Math.abs(near(d.y) - d.t);
    draw(layers.squares, "rect", squares ? found : [], {
      x: (d) => x(d.x),
      y: (d) => Math.min(y(near(d.y)), y(d.t)),
      width: (d) => side(d) * place.unit[0],
      height: (d) => side(d) * place.unit[1],
    });

    const places = found.map((point) => [point.x, point.t]);
    if (arePointsNew(view, size, places, selected)) showKnobs(found, selected);
  }

  function showKnobs(found, selected) {
    const knobs = above
      .selectAll("g.point")
      .data(found.map((point, index) => ({ ...point, index })))
      .join((enter) => {
        const group = picture.knob(enter.append("g"), "point");
        picture.grip(group, {
          place: () => place,
          where: (d) => [d.x, d.t],
          to: (d, x, t) => told.move(d.index, x, t),
          held: (is, d) => {
            isHeld = is;
            if (is) told.select(d.index);
            else show(last);
          },
        });
        group.on("keydown.more", onKey);
        group.on("focus", (event, d) => d.index !== last.selected && told.select(d.index));
        return group;
      })
      .attr("transform", (d) => `translate(${place.x(d.x)}, ${place.y(d.t)})`)
      .attr("tabindex", (d) => (d.index === selected ? 0 : -1))
      .classed("selected", (d) => d.index === selected);
    picture.announce(
      knobs,
      (d) => say("point", { number: d.index + 1 }),
      (d) => `x = ${numbers.short(d.x)}, t = ${numbers.short(d.t)}`,
      (d) => d.t,
    );
  }

  return { show, focus, measure };
}
