"""The programs whose graphs the tests look at; each returns all it computed by name."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

import linreg_tutorial as lt

X, T = lt.two_points()


def parameter(*values, dtype=torch.float32) -> Tensor:
    numbers = values[0] if len(values) == 1 else list(values)
    return torch.tensor(numbers, dtype=dtype, requires_grad=True)


def seeded(*shape, seed=0, dtype=torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype).requires_grad_()


def line(dtype=torch.float32):
    a, b = parameter(1.0, dtype=dtype), parameter(0.0, dtype=dtype)
    x, t = X.to(dtype), T.to(dtype)
    y = a * x + b
    d = t - y
    s = d**2
    return {"a": a, "b": b, "y": y, "d": d, "s": s, "loss": torch.mean(s)}


def line_by_nn():
    net = lt.LineNet(a=1.0, b=0.0)
    y = net(X.reshape(-1, 1))
    named = dict(net.named_parameters())
    return {**named, "y": y, "loss": nn.MSELoss()(y, T.reshape(-1, 1))}


def network(activation, dtype=torch.float32):
    torch.manual_seed(0)
    first, second = nn.Linear(2, 4, dtype=dtype), nn.Linear(4, 1, dtype=dtype)
    z = first(seeded(3, 2, seed=1, dtype=dtype).detach())
    h = activation(z)
    y = second(h)
    named = {"w1": first.weight, "b1": first.bias, "w2": second.weight, "b2": second.bias}
    return {**named, "z": z, "h": h, "y": y, "loss": y.square().mean()}


def shared():
    a = parameter(2.0)
    p, q = a * X, a**3
    return {"a": a, "p": p, "q": q, "loss": p.sum() * q + a}


def same_twice():
    a = parameter(1.0, 2.0)
    s = a * a
    return {"a": a, "s": s, "loss": (s + s).sum()}


def broadcasting():
    rows, columns = seeded(3, 1, seed=1), seeded(4, seed=2)
    m = rows * columns - columns / 2
    return {"rows": rows, "columns": columns, "m": m, "loss": (m * m).mean(dim=0).sum()}


def matrices():
    p, q = seeded(3, 2, seed=1), seeded(2, 4, seed=2)
    m = p @ q
    v = m.T @ seeded(3, seed=3).detach()
    return {"p": p, "q": q, "m": m, "v": v, "loss": v.exp().sum().log()}


def classes():
    w = seeded(4, 3)
    scores = seeded(5, 4, seed=1).detach() @ w
    loss = nn.functional.cross_entropy(scores, torch.tensor([0, 2, 1, 1, 0]))
    return {"w": w, "scores": scores, "loss": loss}


def pieces():
    a = seeded(6)
    left, right = a.split([2, 4])
    joined = torch.cat([right, left * 2])
    shaped = joined.reshape(2, 3).permute(1, 0)
    return {"a": a, "left": left, "joined": joined, "shaped": shaped, "loss": shaped[1:].sum()}


def choices():
    a = seeded(5)
    kept = torch.where(a > 0, a, a.abs() * 3)
    top = kept.max()
    return {"a": a, "kept": kept, "loss": top + kept.sort().values[:2].prod()}


def normalised():
    a, w = seeded(3, 4), seeded(4, seed=1)
    n = nn.functional.layer_norm(a, (4,), weight=w)
    return {"a": a, "w": w, "n": n, "loss": n.sigmoid().std()}


def looked_up():
    table = seeded(4, 2)
    rows = nn.functional.embedding(torch.tensor([0, 3, 3]), table)
    return {"table": table, "rows": rows, "loss": rows.norm()}


def other_dtypes():
    a = parameter(1.0, 2.0)
    wide = a.double() * X.double()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        narrow = torch.outer(a, a) @ seeded(2, 2, seed=1).detach()
    return {"a": a, "wide": wide, "narrow": narrow, "loss": wide.sum() + narrow.float().mean()}


def brain_floats():
    w = seeded(3, 2, dtype=torch.bfloat16)
    y = w * seeded(2, seed=1, dtype=torch.bfloat16).detach()
    return {"w": w, "y": y, "loss": (y.tanh() ** 2).mean(dim=1).sum()}


def attention():
    q, k, v = (seeded(1, 1, 3, 2, seed=i) for i in range(3))
    mixed = nn.functional.scaled_dot_product_attention(q, k, v)
    return {"q": q, "k": k, "v": v, "mixed": mixed, "loss": mixed.square().sum()}


def frequencies():
    a = seeded(4)
    return {"a": a, "loss": torch.fft.fft(a).abs().sum()}


def rare_words():
    table = seeded(4, 2)
    rows = nn.functional.embedding(torch.tensor([0, 3, 3]), table, sparse=True)
    return {"table": table, "rows": rows, "loss": rows.square().sum()}


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x

    @staticmethod
    def backward(ctx, arrived):
        (x,) = ctx.saved_tensors
        return 2 * arrived * torch.ones_like(x)


def of_ones_own():
    a = parameter(1.0, 2.0)
    twice = Doubled.apply(a.square())
    return {"a": a, "twice": twice, "loss": twice.sum()}


def hundreds_of_nodes():
    a = parameter(0.5)
    y = a * X
    for _ in range(150):
        y = torch.tanh(y + a)
    return {"a": a, "y": y, "loss": y.sum()}


def one_element():
    a = parameter([[3.0]])
    return {"a": a, "loss": (a * 2 + 1).relu()}


PROGRAMS: dict[str, Callable[[], dict[str, Tensor]]] = {
    "the line": line,
    "the line in float64": lambda: line(torch.float64),
    "the line by nn": line_by_nn,
    "two layers with ReLU": lambda: network(nn.ReLU()),
    "two layers with tanh in float64": lambda: network(nn.Tanh(), torch.float64),
    "a shared parameter": shared,
    "the same value twice": same_twice,
    "broadcasting": broadcasting,
    "matrices": matrices,
    "classes": classes,
    "pieces": pieces,
    "choices": choices,
    "a normalised layer": normalised,
    "a table": looked_up,
    "a Function of one's own": of_ones_own,
    "hundreds of nodes": hundreds_of_nodes,
    "a loss of one element": one_element,
    "other dtypes": other_dtypes,
    "bfloat16": brain_floats,
    "attention": attention,
    "frequencies": frequencies,
    "a table with sparse gradients": rare_words,
}


def recorded(program) -> tuple[dict[str, Tensor], lt.Trace]:
    with lt.record_forward():
        named = program()
    return named, lt.trace_backward(named["loss"], **named)


def course_line() -> tuple[lt.Trace, dict[str, Tensor]]:
    a, b = parameter(1.0), parameter(0.0)
    with lt.record_forward():
        y = a * X + b
        d = y - T
        s = d**2
        e = torch.mean(s)
    named = {"a": a, "b": b, "x": X, "t": T, "y": y, "d": d, "s": s, "e": e}
    return lt.trace_backward(e, **named), named


def each_point() -> list[lt.Trace]:
    """Return the backward pass of each point's own error."""
    traces = []
    for x, t in zip(X, T, strict=True):
        a, b = parameter(1.0), parameter(0.0)
        with lt.record_forward():
            e = (a * x + b - t) ** 2
        traces.append(lt.trace_backward(e, a=a, b=b, x=x, t=t, e=e))
    return traces
