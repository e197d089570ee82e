// The PyTorch program that comes to the very numbers of a walk's last row, and prints them.

const program = (() => {
  const OPTIMIZERS = {
    momentum: (lr) => `torch.optim.SGD([a, b], lr=${lr}, momentum=${descent.MOMENTUM})`,
    adam: (lr) => `torch.optim.Adam([a, b], lr=${lr})`,
  };

  function of(settings, row) {
    const { literal, format } = numbers;
    const tensor = (list) => `torch.tensor([${list.map(literal).join(", ")}])`;
    const parameter = (value) => `torch.tensor(${literal(value)}, requires_grad=True)`;
    const optimizer = OPTIMIZERS[settings.optimizer];
    const shown = (name, value) => `${name} = {${name}.item():${format(value)}}`;
    const error = `e = torch.${settings.loss}((t - y) ** 2)`;

    const begin = optimizer
      ? [`optimizer = ${optimizer(literal(settings.lr))}`]
      : [`lr = ${literal(settings.lr)}`];
    const move = optimizer
      ? ["optimizer.step()", ...(settings.reset ? ["optimizer.zero_grad()"] : [])]
      : [
          "with torch.no_grad():",
          "    a -= lr * a.grad",
          "    b -= lr * b.grad",
          ...(settings.reset ? ["a.grad = None", "b.grad = None"] : []),
        ];
    const measure = ["y = a * x + b", error, "e.backward()"];
    const loop = [
      `for step in range(${row.step}):`,
      ...[...measure, ...move].map((line) => `    ${line}`),
    ];
    const results = [
      ...["a", "b", "e"].map((name) => [name, row[name]]),
      ...["a", "b"].map((name) => [`${name}.grad`, row.grad[name]]),
    ];
    return [
      "import torch",
      "",
      "torch.set_default_dtype(torch.float64)",
      "",
      `x = ${tensor(settings.x)}`,
      `t = ${tensor(settings.t)}`,
      `a = ${parameter(settings.a)}`,
      `b = ${parameter(settings.b)}`,
      ...begin,
      "",
      ...(row.step ? [...loop, ""] : []),
      ...measure,
      ...results.map(([name, value]) => `print(f"${shown(name, value)}")`),
      "",
    ].join("\n");
  }

  return { of };
})();
