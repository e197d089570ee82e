// The map of the error over (a, b): contours, the way so far, the slope under the feet.

// `told` is what a reader can do here: hold() and move(a, b).
function surfacePicture(svg, say, told) {
  // Of a longer way every so many steps are drawn.
  const WAY_ROWS = 500;
  const DOTTED_ROWS = 100;

  const { draw } = picture;
  const { layers, above, size, measure, lay } = picture.plane(
    svg,
    ["a", "b"],
    ["contours", "way", "begin", "downhill", "ahead"],
  );
  const walker = picture.knob(above.append("g"), "walker").attr("tabindex", 0);
  const best = above.append("g").attr("class", "best");
  const isGroundNew = picture.memory();
  let view = null;
  let isHeld = false;
  let place = null;
  let last = null;

  picture.grip(walker, {
    place: () => place,
    where: () => [last.row.a, last.row.b],
    to: (_, a, b) => told.move(a, b),
    held: (is) => {
      isHeld = is;
      if (is) told.hold();
      show(last);
    },
  });

  // A window with room for the whole way, the next step and the goal. One unit is as long in
  // both directions, so that downhill is at right angles to the contours.
  function windowOf({ rows, ahead, ground }) {
    const span = (name) => {
      let low = Math.min(ground.best[name], (ahead ?? rows[0])[name]);
      let high = Math.max(ground.best[name], (ahead ?? rows[0])[name]);
      for (const row of rows) {
        if (row[name] < low) low = row[name];
        if (row[name] > high) high = row[name];
      }
      return [low, high];
    };
    const [a, b] = [span("a"), span("b")];
    const half = Math.max(a[1] - a[0], b[1] - b[0], 1) * 0.75;
    const unit = Math.min(size.width, size.height) / (2 * half);
    const around = ([low, high], pixels) => {
      const [middle, reach] = [(low + high) / 2, pixels / (2 * unit)];
      return [middle - reach, middle + reach];
    };
    return { a: around(a, size.width), b: around(b, size.height) };
  }

  // Ellipses of equal error, each of twice the error of the one within it (counted from the
  // least error). They are exact: a circle of radius 1, stretched and turned.
  function contours({ eigenvalues: { across, along }, direction, best: goal }) {
    const [cos, sin] = [Math.cos(direction), Math.sin(direction)];
    const [x, y] = [place.x(goal.a), place.y(goal.b)];
    const [unit] = place.unit;
    const toCorners = [0, size.width].flatMap((px) =>
      [0, size.height].map((py) => Math.hypot(px - x, py - y)),
    );
    const reach = Math.max(...toCorners);
    // How far from the goal the error has grown by so much, in pixels.
    const radius = (error, bend) => Math.sqrt((2 * error) / bend) * unit;
    const list = [];
    let error = 2 ** Math.ceil(Math.log2(((4 / unit) ** 2 * across) / 2));
    for (; radius(error, across) < reach; error *= 2) {
      const wide = radius(error, across);
      const long = along ? Math.min(1e5, radius(error, along)) : 1e5;
      const turned = [wide * cos, -wide * sin, long * sin, long * cos, x, y];
      list.push(`matrix(${turned.join(", ")})`);
    }
    return list;
  }

  // An arrow's shaft and head; none where it would be too short to be seen.
  function arrow([x, y], [dx, dy]) {
    const length = Math.hypot(dx, dy);
    if (!(length > 3)) return [];
    const [ux, uy] = [dx / length, dy / length];
    const long = Math.min(length, 5000);
    const [tipX, tipY] = [x + ux * long, y + uy * long];
    const head = Math.min(11, long);
    const side = head / 2.6;
    const [baseX, baseY] = [tipX - ux * head, tipY - uy * head];
    const [sideX, sideY] = [uy * side, -ux * side];
    return [
      `M${x},${y}L${baseX},${baseY}`,
      `M${tipX},${tipY}L${baseX - sideX},${baseY - sideY}L${baseX + sideX},${baseY + sideY}Z`,
    ];
  }

  // The rows of a way that are drawn: the first, the last, and evenly between.
  function thinned(rows) {
    const every = Math.ceil(rows.length / WAY_ROWS);
    return rows.filter((_, i) => i % every === 0 || i === rows.length - 1);
  }

  function show(state) {
    last = state;
    const { rows, row, ahead, ground, lr } = state;
    // While the point is held, the axes stand still under the hand.
    if (!isHeld) view = windowOf(state);
    place = lay(view.a, view.b);
    const { x, y, unit } = place;
    const at = { cx: (d) => x(d.a), cy: (d) => y(d.b) };

    if (isGroundNew(view, size, ground)) {
      draw(layers.contours, "circle", contours(ground), { r: 1, transform: (d) => d });
      const cross = (d) => `M${x(d.a) - 5},${y(d.b) - 5}l10,10m0,-10l-10,10`;
      draw(best, "path", [ground.best], { d: cross });
    }
    const way = thinned(rows);
    draw(layers.way, "path", [way], {
      d: (all) => `M${all.map((r) => `${x(r.a)},${y(r.b)}`).join("L")}`,
    });
    draw(layers.way, "circle", way.slice(-DOTTED_ROWS), { r: 2.5, ...at });
    draw(layers.begin, "circle", [rows[0]], { r: 5, ...at });

    const here = [x(row.a), y(row.b)];
    const push = [-lr * row.da * unit[0], lr * row.db * unit[1]];
    draw(layers.downhill, "path", arrow(here, push), { d: (d) => d });
    draw(layers.ahead, "circle", ahead ? [ahead] : [], { r: 6, ...at });

    walker.attr("transform", `translate(${here})`);
    const now = `a = ${numbers.short(row.a)}, b = ${numbers.short(row.b)}`;
    picture.announce(walker, say("walker"), now, () => row.a);
  }

  return { show, measure };
}
