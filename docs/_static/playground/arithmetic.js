// The next step, written out with its numbers put in, as one would do it on paper.

const arithmetic = (() => {
  const { short, inner } = numbers;
  const { MOMENTUM, BETAS } = descent;

  // What is multiplied by the rate in each rule, and the lines that lead to it.
  const rules = {
    sgd: ({ grad }) => ({ lines: [], move: inner(grad) }),

    momentum({ grad, kept, now }) {
      const velocity = short(now.velocity);
      const sum = kept && `${MOMENTUM} × ${inner(kept.velocity)} + ${inner(grad)}`;
      return {
        lines: [sum ? `v ← ${sum} = ${velocity}` : `v ← ${velocity}`],
        move: inner(now.velocity),
      };
    },

    adam({ grad, kept, now, count }) {
      const { mean, square } = kept ?? { mean: 0, square: 0 };
      // What is left of 1, without the rounding of binary numbers.
      const [rest, restOfSquare] = BETAS.map((beta) => Number((1 - beta).toPrecision(3)));
      const [wholeMean, wholeSquare] = [now.mean / now.meanPart, now.square / now.squarePart];
      const lines = [
        `m ← ${BETAS[0]} × ${inner(mean)} + ${rest} × ${inner(grad)} = ${short(now.mean)}`,
        `s ← ${BETAS[1]} × ${inner(square)} + ${restOfSquare} × ${inner(grad)}² = ${short(now.square)}`,
        `M = ${short(now.mean)} / (1 − ${BETAS[0]}^${count}) = ${short(wholeMean)}`,
        `S = ${short(now.square)} / (1 − ${BETAS[1]}^${count}) = ${short(wholeSquare)}`,
      ];
      return { lines, move: `${inner(wholeMean)} / (√${inner(wholeSquare)} + 10⁻⁸)` };
    },
  };

  // The lines for both parameters. `moved` is what descent.update returns for the last row;
  // where the walk is held, it is null and there is no next step.
  function of(settings, rows, moved) {
    if (!moved) return [];
    const row = rows.at(-1);
    const before = rows.at(-2);
    return ["a", "b"].flatMap((name) => {
      const grad = row.grad[name];
      const given = { grad, kept: row.kept?.[name], now: moved[name], count: row.step + 1 };
      const { lines, move } = rules[settings.optimizer](given);
      const added =
        settings.reset || !before
          ? []
          : [
              `${name}.grad = ${short(before.grad[name])} + ${inner(row[`d${name}`])} = ${short(grad)}`,
            ];
      const step = `${name} ← ${short(row[name])} − ${settings.lr} × ${move} = ${short(moved[name].to)}`;
      return [...added, ...lines, step];
    });
  }

  return { of };
})();
