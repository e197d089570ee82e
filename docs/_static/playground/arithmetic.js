// The next step, written out with its numbers put in, as one would do it on paper.

const arithmetic = (() => {
  const { exact, inner } = numbers;
  const { MOMENTUM, BETAS } = descent;

  // What is multiplied by the rate in each rule, and the lines that lead to it.
  const rules = {
    sgd: ({ grad }) => ({ lines: [], move: inner(grad) }),

    momentum({ name, grad, kept, now }) {
      const velocity = exact(now.velocity);
      const sum = kept && `${MOMENTUM} × ${inner(kept.velocity)} + ${inner(grad)}`;
      return {
        lines: [sum ? `v(${name}) ← ${sum} = ${velocity}` : `v(${name}) ← ${velocity}`],
        move: inner(now.velocity),
      };
    },

    adam({ name, grad, kept, now, count }) {
      const { mean, square } = kept ?? { mean: 0, square: 0 };
      // What is left of 1, without the rounding of binary numbers.
      const [rest, restOfSquare] = BETAS.map((beta) => Number((1 - beta).toPrecision(3)));
      const [wholeMean, wholeSquare] = [now.mean / now.meanPart, now.square / now.squarePart];
      const lines = [
        `m(${name}) ← ${BETAS[0]} × ${inner(mean)} + ${rest} × ${inner(grad)} = ${exact(now.mean)}`,
        `s(${name}) ← ${BETAS[1]} × ${inner(square)} + ${restOfSquare} × ${inner(grad)}² = ${exact(now.square)}`,
        `M(${name}) = ${exact(now.mean)} / (1 − ${BETAS[0]}^${count}) = ${exact(wholeMean)}`,
        `S(${name}) = ${exact(now.square)} / (1 − ${BETAS[1]}^${count}) = ${exact(wholeSquare)}`,
      ];
      return { lines, move: `${inner(wholeMean)} / (√${inner(wholeSquare)} + 10⁻⁸)` };
    },
  };

  // The lines for both parameters; `moved` is what descent.update returns for the last row.
  function of(settings, rows, moved) {
    const row = rows.at(-1);
    const before = rows.at(-2);
    const blocks = ["a", "b"].map((name) => {
      const grad = row.grad[name];
      const given = { name, grad, kept: row.kept?.[name], now: moved[name], count: row.step + 1 };
      const { lines, move } = rules[settings.optimizer](given);
      const added =
        settings.reset || !before
          ? []
          : [
              `${name}.grad = ${exact(before.grad[name])} + ${inner(row[`d${name}`])} = ${exact(grad)}`,
            ];
      const step = `${name} ← ${exact(row[name])} − ${settings.lr} × ${move} = ${exact(moved[name].to)}`;
      return [...added, ...lines, step];
    });
    // Where each parameter takes several lines, they stand apart.
    return blocks.map((lines) => lines.join("\n")).join(blocks[0].length > 1 ? "\n\n" : "\n");
  }

  return { of };
})();
