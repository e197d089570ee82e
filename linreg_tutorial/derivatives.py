"""The local derivatives of a graph: each of PyTorch's operations is asked for its own.

The backward function of an operation is linear in the gradient that arrives. So it is called,
alone and before the pass, for a few gradients, and the rule that explains its answers is looked
for. Nothing here knows what an operation computes.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import Node as GradFn

# How many numbers the table of an operation that mixes all its inputs may have at most.
_LARGEST_TABLE = 64


class Rule(NamedTuple):
    """How the gradient that an operation sends to one input follows from what arrives.

    Attributes
    ----------
    name
        A key of `linreg_tutorial.trace.RULES`.
    local
        The local derivative, shaped as the name says, or None.
    arriving
        For "spread" the shape that makes what arrives fit the local derivative.
    """

    name: str
    local: Tensor | None = None
    arriving: tuple[int, ...] | None = None


def rules_of(
    node: GradFn, outputs: Sequence[Tensor | None], inputs: Sequence[Tensor | None]
) -> list[Rule | None]:
    """Return a rule for each input of an operation; no pass is run, nothing is sent on.

    Parameters
    ----------
    node
        The operation, as PyTorch's graph has it.
    outputs
        The value of each of its results; None for one that was not used.
    inputs
        The value of what stands behind each of its ``next_functions``; None for a
        constant.

    Raises
    ------
    RuntimeError
        PyTorch's own, if what the operation has saved was freed or changed since.
        Where it refuses to be asked for other reasons, the rule is "mixed".

    Examples
    --------
    >>> a = torch.tensor(3.0, requires_grad=True)
    >>> e = a * a
    >>> rules_of(e.grad_fn, [e], [a, a])[0]
    Rule(name='elementwise', local=tensor(3.), arriving=None)
    """
    if is_custom(node):
        # To ask it would run the caller's code once more; whether it can run may be asked.
        _ = node.saved_tensors  # type: ignore[attr-defined]
        return same_rule(Rule("custom"), inputs)
    try:
        return _rules(node, outputs, inputs)
    except RuntimeError as error:
        spent = ("second time", "already been freed", "modified by an inplace operation")
        if any(sign in str(error) for sign in spent):
            raise
        return same_rule(Rule("mixed"), inputs)


def same_rule(rule: Rule, inputs: Sequence[Tensor | None]) -> list[Rule | None]:
    """Return a rule for each input of an operation that is not asked; None for a constant.

    >>> same_rule(Rule("mixed"), [torch.ones(1), None])
    [Rule(name='mixed', local=None, arriving=None), None]
    """
    return [None if value is None else rule for value in inputs]


def _rules(
    node: GradFn, outputs: Sequence[Tensor | None], inputs: Sequence[Tensor | None]
) -> list[Rule | None]:
    with torch.no_grad():
        probes = [None if output is None else _distinct_numbers(output) for output in outputs]
        answers = _ask(node, probes)
        if len(outputs) > 1:
            probe = torch.cat([probe.reshape(-1) for probe in probes if probe is not None])
            return [
                None if value is None else _moved(probe, answer) or Rule("mixed")
                for value, answer in zip(inputs, answers, strict=True)
            ]
        (output,), (probe,) = outputs, probes
        plain = _ask(node, [torch.ones_like(output)])
        return [
            None if value is None else _rule(node, k, output, value, plain[k], probe, answers[k])
            for k, value in enumerate(inputs)
        ]


def is_custom(node: GradFn) -> bool:
    """Whether an operation is a ``torch.autograd.Function`` of somebody's own."""
    return not callable(node)


def _with_gaps(small: tuple[int, ...], large: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield each shape that is ``small`` with a 1 for every dimension of ``large`` it lacks.

    >>> list(_with_gaps((2,), (2, 3))), list(_with_gaps((), (2, 3))), list(_with_gaps((4,), (2, 3)))
    ([(2, 1)], [(1, 1)], [])
    """
    if math.prod(small) == 1:
        yield (1,) * len(large)
    elif len(small) == len(large):
        if _is_repeated(small, large):
            yield small
    else:
        for places in itertools.combinations(range(len(large)), len(small)):
            if tuple(large[place] for place in places) == small:
                yield tuple(large[i] if i in places else 1 for i in range(len(large)))


def _rule(
    node: GradFn,
    k: int,
    output: Tensor,
    value: Tensor,
    plain: Tensor | None,
    probe: Tensor,
    answer: Tensor | None,
) -> Rule:
    """Return the rule of input ``k``, whose value is given.

    ``plain`` is what the operation sends there if ones arrive, ``answer`` what it
    sends if ``probe`` arrives.
    """
    if plain is None or answer is None or plain.is_complex() or output.is_complex():
        return Rule("mixed")
    if plain.shape != value.shape and _close(probe * plain, answer):
        # PyTorch itself adds up what broadcasting has repeated, after the operation has answered.
        return Rule("summed", plain.expand_as(output))
    if plain.shape == output.shape and _close(probe * plain, answer):
        return Rule("elementwise", plain)
    if moved := _moved(probe, answer):
        return moved
    for shape in _with_gaps(tuple(output.shape), tuple(plain.shape)):
        if _close(probe.reshape(shape) * plain, answer):
            return Rule("spread", plain, shape)
    if _is_repeated(plain.shape, output.shape):
        local = _derivative_of_repeated(node, k, output)
        if local is not None and _close((probe * local).sum_to_size(plain.shape), answer):
            return Rule("summed", local)
    if output.numel() * plain.numel() <= _LARGEST_TABLE:
        units = torch.eye(output.numel(), dtype=output.dtype, device=output.device)
        rows = [_ask(node, [unit.reshape(output.shape)])[k] for unit in units]
        return Rule("mixed", torch.stack([row.reshape(-1) for row in rows]))
    return Rule("mixed")


def _ask(node: Any, arriving: Sequence[Tensor | None]) -> tuple[Any, ...]:
    """Return what an operation would send to each input."""
    answer = node(*arriving)
    answers = answer if isinstance(answer, tuple) else (answer,)
    return tuple(a.to_dense() if a is not None and a.is_sparse else a for a in answers)


def _derivative_of_repeated(node: GradFn, k: int, output: Tensor) -> Tensor | None:
    """Return ∂output/∂input for an input of which each output uses one number, in its shape.

    If g arrives, the sum of what is sent is Σ gᵢ · ∂outputᵢ/∂input. So its slope
    along gᵢ is the derivative looked for.
    """
    arriving = torch.ones_like(output, requires_grad=True)
    try:
        with torch.enable_grad():
            total = _ask(node, [arriving])[k].sum()
            return torch.autograd.grad(total, arriving)[0]
    except RuntimeError:
        # Not every backward function has a derivative of its own.
        return None


def _moved(probe: Tensor, answer: Tensor | None) -> Rule | None:
    """Return the rule "moved" if the answer holds the numbers of the probe, and else zeros."""
    if answer is None or answer.dtype != probe.dtype:
        return None
    known = torch.isin(answer, torch.cat([probe.reshape(-1), probe.new_zeros(1)]))
    complete = answer.count_nonzero() == min(probe.numel(), answer.numel())
    return Rule("moved") if known.all() and complete else None


def _is_repeated(small: Sequence[int], large: Sequence[int]) -> bool:
    """Whether broadcasting makes the large shape of the small one."""
    pairs = zip(reversed(small), reversed(large), strict=False)
    return len(small) <= len(large) and all(n in (1, m) for n, m in pairs)


def _distinct_numbers(like: Tensor) -> Tensor:
    """Return numbers between ½ and 1½ without a pattern, the same on every call."""
    steps = torch.arange(1, like.numel() + 1, dtype=torch.float64, device=like.device)
    # The golden section: its multiples never come close to each other.
    return (0.5 + (steps * 0.6180339887498949).frac()).to(like.dtype).reshape(like.shape)


def _close(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors agree but for rounding."""
    if one.shape != other.shape:
        return False
    tolerance = max(torch.finfo(one.dtype).eps, torch.finfo(other.dtype).eps) ** 0.5
    wide = torch.promote_types(one.dtype, other.dtype)
    one, other = one.to(wide), other.to(wide)
    finite = other[other.isfinite()].abs()
    scale = finite.max().item() if finite.numel() else 1.0
    return torch.allclose(one, other, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
