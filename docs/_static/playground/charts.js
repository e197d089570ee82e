// The playground's two pictures: points and line, and the error over (a, b). They draw what
// they are given, and tell when a reader moves something; nothing is calculated here but
// places on the screen.

const charts = (() => {
  const MARGIN = { left: 32, right: 8, top: 8, bottom: 26 };
  const PAST_LINES = 12;
  // A path longer than this is drawn by its last part.
  const PATH_ROWS = 500;
  const DOTTED_ROWS = 100;
  // Round places that can be said: a tenth, or one with Shift.
  const KEY_STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

  const round = (value) => Math.round(value * 10) / 10;

  // A picture's axes. `lay` gives them their ranges and returns how data become pixels; what
  // is put into `inside` is cut off at the edges, what is put into `above` is not.
  function plane(svg, names) {
    const root = d3.select(svg);
    const axes = root.append("g").attr("class", "axes");
    const inside = root.append("svg");
    const labels = root.append("g").attr("class", "names");
    const above = root.append("g");
    const size = { width: 0, height: 0 };

    function measure() {
      const box = svg.getBoundingClientRect();
      size.width = Math.max(60, box.width - MARGIN.left - MARGIN.right);
      size.height = Math.max(60, box.height - MARGIN.top - MARGIN.bottom);
      for (const [name, value] of Object.entries(size)) inside.attr(name, value);
      inside.attr("x", MARGIN.left).attr("y", MARGIN.top);
      for (const group of [axes, labels, above]) {
        group.attr("transform", `translate(${MARGIN.left}, ${MARGIN.top})`);
      }
    }

    const areAxesNew = memory();
    function lay(horizontal, vertical) {
      const scale =
        ([low, high], from, to) =>
        (value) =>
          from + ((value - low) / (high - low)) * (to - from);
      const inverse =
        ([low, high], from, to) =>
        (place) =>
          low + ((place - from) / (to - from)) * (high - low);
      const x = scale(horizontal, 0, size.width);
      const y = scale(vertical, size.height, 0);
      if (areAxesNew(horizontal, vertical, size)) drawAxes(horizontal, vertical, x, y);
      return {
        x,
        y,
        xOf: inverse(horizontal, 0, size.width),
        yOf: inverse(vertical, size.height, 0),
        unit: size.width / (horizontal[1] - horizontal[0]),
      };
    }

    function drawAxes(horizontal, vertical, x, y) {
      const across = d3.ticks(...horizontal, Math.max(2, size.width / 55));
      const up = d3.ticks(...vertical, Math.max(2, size.height / 40));
      const ticks = [
        ...across.map((value) => ({ value, x: x(value), y: size.height + 16, anchor: "middle" })),
        ...up.map((value) => ({ value, x: -6, y: y(value) + 4, anchor: "end" })),
      ];
      axes
        .selectAll("line")
        .data([
          ...across.map((value) => [x(value), 0, x(value), size.height]),
          ...up.map((value) => [0, y(value), size.width, y(value)]),
        ])
        .join("line")
        .attr("x1", (d) => d[0])
        .attr("y1", (d) => d[1])
        .attr("x2", (d) => d[2])
        .attr("y2", (d) => d[3]);
      axes
        .selectAll("text.tick")
        .data(ticks)
        .join("text")
        .attr("class", "tick")
        .attr("x", (d) => d.x)
        .attr("y", (d) => d.y)
        .attr("text-anchor", (d) => d.anchor)
        .text((d) => numbers.tick(d.value));
      labels
        .selectAll("text")
        .data([
          { text: names[0], x: size.width - 4, y: size.height - 6, anchor: "end" },
          { text: names[1], x: 6, y: 12, anchor: "start" },
        ])
        .join("text")
        .attr("x", (d) => d.x)
        .attr("y", (d) => d.y)
        .attr("text-anchor", (d) => d.anchor)
        .text((d) => d.text);
    }

    return { root, inside, above, size, measure, lay };
  }

  // Tells whether something is other than at the last time: what stays as it was is not drawn
  // anew.
  function memory() {
    let last = null;
    return (...things) => {
      const now = JSON.stringify(things);
      const isNew = now !== last;
      last = now;
      return isNew;
    };
  }

  // What can be taken hold of: by mouse, finger and arrow keys alike. `where()` is its place
  // in data, `to(x, y)` moves it there, `held(true or false)` tells when it is held.
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
      const direction = KEY_STEPS[event.key];
      if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const far = event.shiftKey ? 1 : 0.1;
      const [x, y] = where(d);
      to(d, round(x + far * direction[0]), round(y + far * direction[1]));
    });
  }

  // What is taken hold of, as it looks and as it is announced.
  function knob(group, name) {
    group.attr("class", name).attr("role", "slider");
    group.append("circle").attr("class", "reach").attr("r", 20);
    group.append("circle").attr("class", "ring").attr("r", 11);
    group.append("circle").attr("class", "dot").attr("r", 6);
    return group;
  }

  const tell = (group, label, value, now) =>
    group.attr("aria-label", label).attr("aria-valuetext", value).attr("aria-valuenow", now);

  // A range with room for all values, of round ends; never less than `least`.
  function rangeOf(values, least) {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = Math.max(high, least[1]) - Math.min(low, least[0]);
    return [
      low < least[0] ? Math.floor(low - room / 20) : least[0],
      high > least[1] ? Math.ceil(high + room / 20) : least[1],
    ];
  }

  // Points, line, residuals. `told`: move(i, x, t), remove(i), add(x, t), select(i).
  function points(svg, words, told) {
    const picture = plane(svg, ["x", "t"]);
    const { root, inside, above } = picture;
    const layers = Object.fromEntries(
      ["squares", "past", "residuals", "line"].map((name) => [
        name,
        inside.append("g").attr("class", name),
      ]),
    );
    const arePointsNew = memory();
    let view = null;
    let isHeld = false;
    let place = null;
    let last = null;

    root.on("dblclick", (event) => {
      const [x, y] = d3.pointer(event, above.node());
      if (event.target.closest(".point")) return;
      told.add(round(place.xOf(x)), round(place.yOf(y)));
    });

    const held = (now, d) => {
      isHeld = now;
      if (now) told.select(d.index);
      draw(last);
    };
    const onKey = (event, d) => {
      if (event.key === "Delete" || event.key === "Backspace") told.remove(d.index);
      else if (event.key === "PageDown") told.select(d.index + 1);
      else if (event.key === "PageUp") told.select(d.index - 1);
      else return;
      event.preventDefault();
      focus();
    };
    const focus = () => above.select('[tabindex="0"]').node().focus();

    function draw(state) {
      last = state;
      const { found, rows, row, selected, squares } = state;
      if (!isHeld || !view) {
        view = {
          x: rangeOf(
            found.map((point) => point.x),
            [0, 6],
          ),
          y: rangeOf(
            found.map((point) => point.t),
            [0, 6],
          ),
        };
      }
      place = picture.lay(view.x, view.y);
      const { x, y } = place;
      const [low, high] = view.y;
      // Far off the picture there is nothing to draw, and no browser draws it well.
      const near = (value) => Math.min(high + (high - low), Math.max(low - (high - low), value));
      const ends = ({ a, b }) => {
        const [left, right] = [low - (high - low), high + (high - low)].map((v) => (v - b) / a);
        const from = a ? Math.max(view.x[0], Math.min(left, right)) : view.x[0];
        const to = a ? Math.min(view.x[1], Math.max(left, right)) : view.x[1];
        if (!(from < to) || near(b + a * from) !== b + a * from) return "";
        return `M${x(from)},${y(a * from + b)}L${x(to)},${y(a * to + b)}`;
      };

      const past = rows.slice(-PAST_LINES - 1, -1);
      layers.past
        .selectAll("path")
        .data(past)
        .join("path")
        .attr("d", ends)
        .attr("stroke-opacity", (_, i) => (0.5 * (i + 1)) / past.length);
      layers.line.selectAll("path").data([row]).join("path").attr("d", ends);
      layers.residuals
        .selectAll("line")
        .data(found)
        .join("line")
        .attr("x1", (d) => x(d.x))
        .attr("x2", (d) => x(d.x))
        .attr("y1", (d) => y(d.t))
        .attr("y2", (d) => y(near(d.y)));
      layers.squares
        .selectAll("rect")
        .data(squares ? found : [])
        .join("rect")
        .attr("x", (d) => x(d.x))
        .attr("y", (d) => Math.min(y(near(d.y)), y(d.t)))
        .attr("width", (d) => Math.abs(y(near(d.y)) - y(d.t)))
        .attr("height", (d) => Math.abs(y(near(d.y)) - y(d.t)));

      if (
        !arePointsNew(
          view,
          picture.size,
          found.map((d) => [d.x, d.t]),
          selected,
        )
      )
        return;
      const knobs = above
        .selectAll("g.point")
        .data(found.map((point, index) => ({ ...point, index })))
        .join((enter) => {
          const group = knob(enter.append("g"), "point");
          grip(group, {
            place: () => place,
            where: (d) => [d.x, d.t],
            to: (d, newX, newT) => told.move(d.index, newX, newT),
            held,
          });
          group.on("keydown.more", onKey);
          group.on("focus", (event, d) => d.index !== last.selected && told.select(d.index));
          return group;
        })
        .attr("transform", (d) => `translate(${x(d.x)}, ${y(d.t)})`)
        .attr("tabindex", (d) => (d.index === selected ? 0 : -1))
        .classed("selected", (d) => d.index === selected);
      tell(
        knobs,
        (d) => fill(words.point, { number: d.index + 1 }),
        (d) => `x = ${numbers.short(d.x)}, t = ${numbers.short(d.t)}`,
        (d) => d.t,
      );
    }

    return { draw, focus, measure: picture.measure };
  }

  // The error over (a, b): contours, the way so far, the slope under the feet. `told`:
  // move(a, b).
  function surface(svg, words, told) {
    const picture = plane(svg, ["a", "b"]);
    const { inside, above, size } = picture;
    const layers = Object.fromEntries(
      ["contours", "best", "way", "begin", "ahead", "downhill"].map((name) => [
        name,
        inside.append("g").attr("class", name),
      ]),
    );
    const walker = knob(above.append("g"), "walker").attr("tabindex", 0);
    const isGroundNew = memory();
    let view = null;
    let isHeld = false;
    let place = null;
    let last = null;

    grip(walker, {
      place: () => place,
      where: () => [last.row.a, last.row.b],
      to: (_, a, b) => told.move(a, b),
      held: (now) => {
        isHeld = now;
        draw(last);
      },
    });

    // A window with room for the start, the goal and the whole way. One unit is as long in
    // both directions, so that downhill is at right angles to the contours.
    function windowOf({ rows, ground }) {
      const span = (name) => {
        let low = Math.min(rows[0][name], ground.best[name]);
        let high = Math.max(rows[0][name], ground.best[name]);
        for (const row of rows) {
          if (row[name] < low) low = row[name];
          if (row[name] > high) high = row[name];
        }
        return [low, high];
      };
      const a = span("a");
      const b = span("b");
      const half = Math.max(a[1] - a[0], b[1] - b[0], 1) * 0.85;
      const unit = Math.min(size.width, size.height) / (2 * half);
      const around = ([low, high], pixels) => [
        (low + high) / 2 - pixels / (2 * unit),
        (low + high) / 2 + pixels / (2 * unit),
      ];
      return { a: around(a, size.width), b: around(b, size.height), unit };
    }

    // Ellipses of equal error, each of twice the error of the one within it (counted from the
    // least error). They are exact: a circle of radius 1, stretched and turned.
    function contours(ground) {
      const { across, along } = ground.eigenvalues;
      const [cos, sin] = [Math.cos(ground.direction), Math.sin(ground.direction)];
      const [x, y] = [place.x(ground.best.a), place.y(ground.best.b)];
      const reach = Math.max(
        ...[0, size.width].flatMap((px) =>
          [0, size.height].map((py) => Math.hypot(px - x, py - y)),
        ),
      );
      const radius = (error, bend) => Math.sqrt((2 * error) / bend) * place.unit;
      const list = [];
      let error = 2 ** Math.ceil(Math.log2(((4 / place.unit) ** 2 * across) / 2));
      for (; radius(error, across) < reach; error *= 2) {
        const wide = radius(error, across);
        const long = along ? Math.min(1e5, radius(error, along)) : 1e5;
        list.push(
          `matrix(${wide * cos}, ${-wide * sin}, ${long * sin}, ${long * cos}, ${x}, ${y})`,
        );
      }
      return list;
    }

    function draw(state) {
      last = state;
      const { rows, row, ahead, ground, lr } = state;
      if (!isHeld || !view) view = windowOf(state);
      place = picture.lay(view.a, view.b);
      const { x, y } = place;

      if (isGroundNew(view, size, ground)) {
        layers.contours
          .selectAll("circle")
          .data(contours(ground))
          .join("circle")
          .attr("r", 1)
          .attr("transform", (d) => d);
        layers.best
          .selectAll("path")
          .data([ground.best])
          .join("path")
          .attr("d", (d) => `M${x(d.a) - 5},${y(d.b) - 5}l10,10m0,-10l-10,10`);
      }

      const drawn = rows.slice(-PATH_ROWS);
      layers.way
        .selectAll("path")
        .data([drawn])
        .join("path")
        .attr("d", (d) => `M${d.map((r) => `${x(r.a)},${y(r.b)}`).join("L")}`);
      layers.way
        .selectAll("circle")
        .data(drawn.slice(-DOTTED_ROWS))
        .join("circle")
        .attr("r", 2.5)
        .attr("cx", (d) => x(d.a))
        .attr("cy", (d) => y(d.b));
      layers.begin
        .selectAll("circle")
        .data([rows[0]])
        .join("circle")
        .attr("r", 5)
        .attr("cx", (d) => x(d.a))
        .attr("cy", (d) => y(d.b));

      const here = [x(row.a), y(row.b)];
      // Where the next step leads, a ring. What is far off the picture is not drawn there.
      const isNear = (px, py) => Math.abs(px) < 1e4 && Math.abs(py) < 1e4;
      layers.ahead
        .selectAll("circle")
        .data(ahead && isNear(x(ahead.a), y(ahead.b)) ? [ahead] : [])
        .join("circle")
        .attr("r", 6)
        .attr("cx", (d) => x(d.a))
        .attr("cy", (d) => y(d.b));
      const push = [-lr * row.da * place.unit, lr * row.db * place.unit];
      layers.downhill
        .selectAll("path")
        .data(arrow(here, push))
        .join("path")
        .attr("d", (d) => d);

      walker.attr("transform", `translate(${here})`);
      const now = `a = ${numbers.short(row.a)}, b = ${numbers.short(row.b)}`;
      tell(walker, words.walker, now, row.a);
    }

    return { draw, measure: picture.measure };
  }

  // An arrow's shaft and head; none where it would be too short to be seen.
  function arrow([x, y], [dx, dy]) {
    const length = Math.hypot(dx, dy);
    if (!(length > 3)) return [];
    const [ux, uy] = [dx / length, dy / length];
    const long = Math.min(length, 5000);
    const [tipX, tipY] = [x + ux * long, y + uy * long];
    const head = Math.min(11, long);
    const [baseX, baseY] = [tipX - ux * head, tipY - uy * head];
    const side = head / 2.6;
    return [
      `M${x},${y}L${baseX},${baseY}`,
      `M${tipX},${tipY}L${baseX - uy * side},${baseY + ux * side}L${baseX + uy * side},${baseY - ux * side}Z`,
    ];
  }

  // For `each` of a selection: a text that is there already is not laid out anew.
  function write(text) {
    return function (d) {
      const wanted = text(d);
      if (!this.firstChild) this.textContent = wanted;
      else if (this.firstChild.data !== wanted) this.firstChild.data = wanted;
    };
  }

  // A sentence with its blanks filled in.
  function fill(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  return { points, surface, write, fill };
})();
