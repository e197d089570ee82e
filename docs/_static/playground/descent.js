// Gradient descent on the line y = a·x + b, as PyTorch does it. No page and no picture in
// here: this is arithmetic, and runs wherever JavaScript runs.
//
// `settings` say everything about a walk:
//   x, t       the points, two lists of the same length
//   a, b       where the walk starts
//   lr         learning rate
//   steps      how many steps to take
//   optimizer  "sgd", "momentum" or "adam"
//   loss       "mean" or "sum" of the squared errors
//   reset      false: the gradient is never reset
//
// A walk is a list of rows, one before the first step and one after each:
//   step, a, b
//   e          the error there
//   da, db     its derivatives there
//   grad       {a, b}: what a.grad and b.grad hold after backward(). The derivatives, or
//              the sum of all up to here if the gradient is never reset
//   kept       {a, b}: what the optimizer remembers of the steps before

const descent = (() => {
  // The defaults of torch.optim, and the usual momentum.
  const MOMENTUM = 0.9;
  const BETAS = [0.9, 0.999];
  const EPSILON = 1e-8;

  // Above this error a walk is held: it would only run on to infinity.
  const MOST_ERROR = 1e12;

  // What each point contributes at (a, b): prediction, squared error and its derivatives.
  function pointwise({ x, t }, a, b) {
    return x.map((xi, i) => {
      const y = a * xi + b;
      const miss = y - t[i];
      return { x: xi, t: t[i], y, error: miss * miss, da: 2 * miss * xi, db: 2 * miss };
    });
  }

  // The error at (a, b) and its derivatives: the mean or the sum over the points.
  function total({ x, t, loss }, a, b) {
    let e = 0;
    let da = 0;
    let db = 0;
    for (let i = 0; i < x.length; i += 1) {
      const miss = a * x[i] + b - t[i];
      e += miss * miss;
      da += 2 * miss * x[i];
      db += 2 * miss;
    }
    const count = loss === "mean" ? x.length : 1;
    return { e: e / count, da: da / count, db: db / count };
  }

  // What a step does to one parameter, in the order of torch.optim's own arithmetic. Each
  // rule returns the new value `to`, and with it what it calculated on the way.
  const rules = {
    sgd: (value, grad, { lr }) => ({ to: value - lr * grad }),
    momentum: (value, grad, { lr }, kept) => {
      const velocity = kept ? MOMENTUM * kept.velocity + grad : grad;
      return { velocity, to: value - lr * velocity };
    },
    adam: (value, grad, { lr }, kept, count) => {
      const before = kept ?? { mean: 0, square: 0 };
      const mean = before.mean + (1 - BETAS[0]) * (grad - before.mean);
      const square = BETAS[1] * before.square + (1 - BETAS[1]) * grad * grad;
      // Both began at 0. These are the parts of the whole that they hold by now.
      const meanPart = 1 - BETAS[0] ** count;
      const squarePart = 1 - BETAS[1] ** count;
      const size = Math.sqrt(square) / Math.sqrt(squarePart) + EPSILON;
      const to = value - ((lr / meanPart) * mean) / size;
      return { mean, square, meanPart, squarePart, to };
    },
  };

  // What the next step does to both parameters.
  function update(settings, row) {
    const rule = rules[settings.optimizer];
    const apply = (name) =>
      rule(row[name], row.grad[name], settings, row.kept?.[name], row.step + 1);
    return { a: apply("a"), b: apply("b") };
  }

  function rowAt(settings, step, a, b, kept, old) {
    const found = total(settings, a, b);
    const before = settings.reset ? { a: 0, b: 0 } : old;
    const grad = { a: before.a + found.da, b: before.b + found.db };
    return { step, a, b, ...found, grad, kept };
  }

  function start(settings) {
    return rowAt(settings, 0, settings.a, settings.b, null, { a: 0, b: 0 });
  }

  function next(settings, row) {
    const moved = update(settings, row);
    return rowAt(settings, row.step + 1, moved.a.to, moved.b.to, moved, row.grad);
  }

  // Whether a walk has diverged so far that it is held.
  function isHeld(row) {
    return !(row.e <= MOST_ERROR);
  }

  // Whether a walk has arrived: the ground is level there and the next step changes nothing
  // that counts. It ends there. Going on, Adam would come to divide rounding by rounding.
  function hasArrived(settings, row) {
    const level = 1e-9 * largest(settings);
    if (Math.abs(row.da) > level || Math.abs(row.db) > level) return false;
    const { a, b } = update(settings, row);
    const still = (from, to) => Math.abs(to - from) <= 1e-10 * Math.max(1, Math.abs(from));
    return still(row.a, a.to) && still(row.b, b.to);
  }

  // How large the numbers are that a derivative adds up; at most 1 of small points.
  function largest({ x, t }) {
    const size = Math.max(...x.map(Math.abs));
    return Math.min(1, size || 1) * Math.max(1, size, ...t.map(Math.abs));
  }

  // Why a walk takes no further step: "held" or "arrived"; null where it goes on.
  function end(settings, row) {
    if (isHeld(row)) return "held";
    return hasArrived(settings, row) ? "arrived" : null;
  }

  // All rows up to settings.steps, or to where the walk ends. Rows that are there already, of
  // the same settings, are gone on from.
  function walk(settings, rows = [start(settings)]) {
    const all = rows.slice(0, settings.steps + 1);
    for (let row = all.at(-1); row.step < settings.steps && !end(settings, row); row = all.at(-1)) {
      all.push(next(settings, row));
    }
    return all;
  }

  // The ground that the walk goes over. The error is a quadratic in (a, b), so its second
  // derivatives, the Hessian, are the same everywhere: their eigenvalues say how strongly the
  // ground bends across the valley and along it, and `direction` which way is across.
  function ground({ x, t, a, b, loss }) {
    const n = x.length;
    const mean = (list) => list.reduce((sum, value) => sum + value, 0) / n;
    const middle = { x: mean(x), t: mean(t) };
    const spread = mean(x.map((xi) => (xi - middle.x) ** 2));
    const common = mean(x.map((xi, i) => (xi - middle.x) * (t[i] - middle.t)));
    const isFlat = !(spread > 1e-15 * (1 + middle.x ** 2));

    const scale = loss === "mean" ? 2 : 2 * n;
    // Eigenvalues of [[mean x², mean x], [mean x, 1]]: sum and product are known.
    const sum = spread + middle.x ** 2 + 1;
    const across = (sum + Math.sqrt(Math.max(0, sum * sum - 4 * spread))) / 2;
    const along = isFlat ? 0 : spread / across;
    const direction = Math.atan2(2 * middle.x, sum - 2) / 2;

    // Where all x are the same, a whole line of (a, b) is as good as any: take the place
    // on it that is nearest to the start.
    const missed = (middle.t - a * middle.x - b) / (middle.x ** 2 + 1);
    const slope = isFlat ? a + missed * middle.x : common / spread;
    const best = { a: slope, b: isFlat ? b + missed : middle.t - slope * middle.x };
    return {
      eigenvalues: { across: scale * across, along: scale * along },
      direction,
      best,
      least: total({ x, t, loss }, best.a, best.b).e,
    };
  }

  // The rate up to which the walk converges; null where there is none. With momentum μ it
  // is (1 + μ) times that of plain descent. A step of Adam's is about as long as the rate,
  // however steep the ground is, and without a reset no walk comes to rest.
  function limit(settings) {
    if (!settings.reset || settings.optimizer === "adam") return null;
    const factor = settings.optimizer === "momentum" ? 1 + MOMENTUM : 1;
    return (2 * factor) / ground(settings).eigenvalues.across;
  }

  // The rate up to which plain steps without a reset swing about the goal, neither nearer nor
  // farther: their distance z follows z'' = (2 - rate λ) z' - z, whose solutions stay bounded
  // for rate λ < 4. With momentum they grow at any rate.
  function swingLimit(settings) {
    if (settings.reset || settings.optimizer !== "sgd") return null;
    return 4 / ground(settings).eigenvalues.across;
  }

  return {
    MOMENTUM,
    BETAS,
    EPSILON,
    MOST_ERROR,
    pointwise,
    update,
    start,
    next,
    isHeld,
    end,
    walk,
    ground,
    limit,
    swingLimit,
  };
})();
