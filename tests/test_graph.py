"""The trace of a backward pass: every number in it is one that PyTorch had."""

import gc
import json
import math
import weakref
from dataclasses import fields

import bench_trace
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import (
    PROGRAMS,
    Doubled,
    T,
    X,
    broadcasting,
    classes,
    course_line,
    line,
    line_by_nn,
    looked_up,
    network,
    of_ones_own,
    parameter,
    pieces,
    recorded,
    seeded,
)
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge
from torch.utils.checkpoint import checkpoint

import linreg_tutorial as lt
from linreg_tutorial.trace import RULES, flat, written

every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


def same(numbers, tensor: Tensor | None) -> bool:
    """Whether recorded numbers are those of a tensor, to the last bit."""
    return numbers == (None if tensor is None else tensor.to_dense().tolist())


def close(numbers, tensor: Tensor, dtype: torch.dtype = torch.float32) -> bool:
    """Whether numbers agree but for rounding in a dtype, as of sums in another order."""
    tolerance = {torch.bfloat16: 0.02, torch.float32: 1e-5, torch.float64: 1e-12}[dtype]
    return torch.allclose(torch.tensor(numbers), tensor, rtol=tolerance, atol=tolerance)


def output_of(trace: lt.Trace, name: str, tensor: Tensor) -> lt.Output:
    return next(o for o in trace[name].outputs if o.number == tensor.output_nr)


# Every value, every gradient


@every_program
def test_forward_values_are_those_that_the_program_computed(program):
    _, trace = recorded(program)
    for name, tensor in program().items():
        assert same(output_of(trace, name, tensor).value, tensor)


@every_program
def test_named_gradients_are_those_of_autograd_grad(program):
    named, trace = recorded(program)
    again = program()
    expected = torch.autograd.grad(again["loss"], list(again.values()))
    for (name, tensor), gradient in zip(named.items(), expected, strict=True):
        assert same(output_of(trace, name, tensor).gradient, gradient), name


def gradients_by_torch(loss: Tensor) -> list[tuple[str, list[float]]]:
    """Return for every node of a graph its name and what autograd.grad finds for its results."""
    found, todo, seen = [], [loss.grad_fn], set()
    used = {(loss.grad_fn, loss.output_nr)}
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        for before, number in node.next_functions:
            if before is not None:
                used.add((before, number))
                todo.append(before)
    for node, number in used:
        name = node.name().rpartition("::")[2]
        asked = node.variable if name == "AccumulateGrad" else GradientEdge(node, number)
        (gradient,) = torch.autograd.grad(loss, [asked], retain_graph=True)
        found.append((name, flat(gradient.to_dense().tolist())))
    return sorted(found)


@every_program
def test_every_gradient_of_the_graph_is_recorded(program):
    """Named or not: the gradients of all results of all nodes, by the nodes' names."""
    _, trace = recorded(program)
    recorded_ones = [
        (node.name, flat(output.gradient))
        for node in trace.nodes
        if node.kind != "constant"
        for output in node.outputs
    ]
    assert sorted(recorded_ones) == gradients_by_torch(program()["loss"])


@every_program
def test_caller_finds_what_an_ordinary_backward_leaves(program):
    named, _ = recorded(program)
    again = program()
    again["loss"].backward()
    for name, tensor in again.items():
        if tensor.is_leaf:
            assert torch.equal(named[name].grad.to_dense(), tensor.grad.to_dense()), name
    with pytest.raises(RuntimeError, match="second time"):
        nn.functional.mse_loss(named["loss"] ** 2, torch.zeros_like(named["loss"])).backward()


@every_program
def test_what_is_sent_to_a_node_adds_up_to_what_arrives_there(program):
    named, trace = recorded(program)
    dtype = named["loss"].dtype
    for node in trace.nodes[:-1]:
        for output in node.outputs if node.kind != "constant" else ():
            parts = [
                torch.tensor(edge.sent)
                for edge in trace.uses(node)
                if edge.output == output.number and edge.sent is not None
            ]
            assert close(output.gradient, torch.stack(parts).sum(dim=0), dtype)


def sent_by_rule(trace: lt.Trace, edge: lt.Edge) -> Tensor:
    """Return what the rule of an edge makes of what arrived: NumPy, no autograd."""
    arrived = np.array(trace.nodes[edge.target].gradient)
    value = np.array(trace.nodes[edge.source].outputs[0].value)
    local = np.array(edge.local)
    if edge.rule == "elementwise":
        assert local.shape == value.shape
        return arrived.reshape(local.shape) * local
    if edge.rule == "summed":
        assert local.shape == arrived.shape
        product = arrived * local
        missing = product.ndim - value.ndim
        product = product.sum(axis=tuple(range(missing)))
        ones = tuple(i for i, n in enumerate(value.shape) if n == 1)
        return product.sum(axis=ones, keepdims=True)
    if edge.rule == "spread":
        assert local.shape == value.shape
        if arrived.size == 1:
            return arrived.reshape(()) * local
        if arrived.ndim < value.ndim and arrived.shape != value.shape[1:]:
            arrived = arrived[:, None]
        return arrived * local
    assert edge.rule == "mixed"
    assert local.shape == (arrived.size, value.size)
    return (arrived.reshape(-1) @ local).reshape(value.shape)


@every_program
def test_arrived_times_local_is_sent(program):
    named, trace = recorded(program)
    told = 0
    for edge in trace.edges:
        if edge.local is not None:
            told += 1
            expected = torch.tensor(edge.sent)
            assert close(sent_by_rule(trace, edge).tolist(), expected, named["loss"].dtype), edge
    assert told


@every_program
def test_a_number_that_is_moved_arrives_unchanged(program):
    _, trace = recorded(program)
    for edge in trace.edges:
        if edge.rule == "moved":
            outputs = trace.nodes[edge.target].outputs
            known = {n for output in outputs for n in flat(output.gradient)} | {0.0}
            assert set(flat(edge.sent)) <= known


# The course's line, number by number


def test_line_shows_the_numbers_of_the_course():
    trace, _ = course_line()
    found = {name: (trace[name].value, trace[name].gradient) for name in "abydse"}
    assert found == {
        "a": (1.0, -8.0),
        "b": (0.0, -5.0),
        "y": ([1.0, 2.0], [-2.0, -3.0]),
        "d": ([-2.0, -3.0], [-2.0, -3.0]),
        "s": ([4.0, 9.0], [0.5, 0.5]),
        "e": (6.5, 1.0),
    }


def test_constants_are_inputs_that_get_no_gradient():
    trace, _ = course_line()
    constants = {node.label: node for node in trace.nodes if node.kind == "constant"}
    assert {label: node.value for label, node in constants.items()} == {
        "x": [1.0, 2.0], "t": [3.0, 5.0], None: 2,
    }  # fmt: skip
    for node in constants.values():
        assert node.gradient is None and node.name is None
        assert [(edge.sent, edge.rule, edge.local) for edge in trace.uses(node)] == [(None,) * 3]


def test_settings_of_an_operation_are_no_constants():
    a = parameter([[1.0, 2.0], [3.0, 4.0]])
    with lt.record_forward():
        e = (a.sum(dim=1, keepdim=True) ** 3).mean() - 7
    trace = lt.trace_backward(e, a=a)
    assert [node.value for node in trace.nodes if node.kind == "constant"] == [3, 7]


def test_inputs_stand_in_the_order_of_the_program():
    trace, _ = course_line()
    names = {
        node.symbol: [trace.nodes[edge.source] for edge in trace.inputs(node)]
        for node in trace.nodes
        if node.kind == "operation"
    }
    assert [node.label for node in names["×"]] == ["a", "x"]
    assert [node.label or node.symbol for node in names["+"]] == ["×", "b"]
    assert [node.label for node in names["−"]] == ["y", "t"]
    assert [node.label or node.value for node in names["^"]] == ["d", 2]
    assert [node.label for node in names["mean"]] == ["s"]


def test_edges_say_how_the_gradient_changes_on_its_way():
    trace, _ = course_line()
    told = {}
    for edge in trace.edges:
        if edge.rule:
            source = trace.nodes[edge.source]
            told[source.label or source.symbol] = edge.rule, edge.local, edge.sent
    assert told == {
        "s": ("spread", [0.5, 0.5], [0.5, 0.5]),
        "d": ("elementwise", [-4.0, -6.0], [-2.0, -3.0]),
        "y": ("elementwise", [1.0, 1.0], [-2.0, -3.0]),
        "×": ("elementwise", [1.0, 1.0], [-2.0, -3.0]),
        "b": ("summed", [1.0, 1.0], -5.0),
        "a": ("summed", [1.0, 2.0], -8.0),
    }


def test_gradients_reach_every_node_after_all_that_use_it():
    trace, _ = course_line()
    reached = [trace.nodes[i].label or trace.nodes[i].symbol for i in trace.order]
    assert reached[:4] == ["e", "s", "d", "y"]
    assert sorted(reached[4:]) == ["a", "b", "×"]
    place = {index: i for i, index in enumerate(trace.order)}
    for edge in trace.edges:
        if edge.rule:
            assert edge.source < edge.target and place[edge.target] < place[edge.source]


def test_arithmetic_is_spelled_out():
    trace, _ = course_line()
    lines = {
        trace.nodes[edge.source].label: trace.arithmetic(edge)
        for edge in trace.edges
        if trace.nodes[edge.source].label
    }
    assert lines == {
        "a": ["−2 × 1 + (−3) × 2 = −8"],
        "b": ["−2 × 1 + (−3) × 1 = −5"],
        "y": ["−2 × 1 = −2", "−3 × 1 = −3"],
        "d": ["0.5 × (−4) = −2", "0.5 × (−6) = −3"],
        "s": ["1 × 0.5 = 0.5", "1 × 0.5 = 0.5"],
        "x": [],
        "t": [],
    }


@every_program
def test_arithmetic_has_a_line_for_each_number_and_is_true(program):
    _, trace = recorded(program)
    for edge in trace.edges:
        lines = trace.arithmetic(edge)
        if edge.local is None and edge.rule != "moved":
            assert lines == []
            continue
        assert len(lines) == len(flat(edge.sent))
        for line_, number in zip(lines, flat(edge.sent), strict=True):
            left, _, right = line_.rpartition(" = ")
            assert right == written(number)
            if left and "…" not in left:
                ascii_ = left.replace("−", "-").replace("×", "*")
                assert eval(ascii_) == pytest.approx(number, rel=5e-3, abs=5e-3)


@every_program
def test_every_edge_is_explained_in_words(program):
    _, trace = recorded(program)
    for edge in trace.edges:
        words, *lines = trace.explain(edge).split("\n  ")
        assert words and "{" not in words
        assert lines == trace.arithmetic(edge)


def test_words_count_the_places():
    trace, _ = course_line()
    words = {
        trace.nodes[edge.source].label: trace.explain(edge).partition("\n")[0]
        for edge in trace.edges
        if trace.nodes[edge.source].label
    }
    assert "spread over 2 places" in words["s"]
    assert "served 2 places" in words["a"]
    assert "multiplied by the local derivative at its place" in words["d"]
    assert words["x"] == "a constant gets no gradient"


def test_arithmetic_is_silent_where_a_hook_has_changed_what_is_sent():
    a = parameter(1.0, 2.0)
    with lt.record_forward():
        y = a * 3
        e = y.sum()
    y.grad_fn.register_hook(lambda sent, arrived: (10 * sent[0], *sent[1:]))
    trace = lt.trace_backward(e, a=a)
    (edge,) = trace.uses(trace["a"])
    assert edge.sent == [30.0, 30.0]
    assert trace.arithmetic(edge) == []


def test_parameter_tells_what_was_added_to_its_gradient():
    a, b = parameter(1.0), parameter(0.0)
    traces = []
    for _ in range(2):
        with lt.record_forward():
            e = torch.mean((a * X + b - T) ** 2)
        traces.append(lt.trace_backward(e, a=a, b=b))
    seen = [(t["a"].grad_before, t["a"].gradient, t["a"].grad_after) for t in traces]
    assert seen == [(None, -8.0, -8.0), (-8.0, -8.0, -16.0)]
    assert (a.grad.item(), b.grad.item()) == (-16.0, -10.0)


def test_operations_have_words_a_sign_and_torchs_own_name():
    trace, _ = course_line()
    assert [(n.operation, n.symbol, n.name) for n in trace.nodes if n.kind == "operation"] == [
        ("multiply", "×", "MulBackward0"),
        ("add", "+", "AddBackward0"),
        ("subtract", "−", "SubBackward0"),
        ("power", "^", "PowBackward0"),
        ("mean", "mean", "MeanBackward0"),
    ]
    _, trace = recorded(classes)
    words = {node.name: node.operation for node in trace.nodes}
    assert words["LogSoftmaxBackward0"] == "log softmax"
    assert trace["w"].name == "AccumulateGrad"


# What is added up, spread, moved


@pytest.mark.parametrize(
    ("program", "name", "rule"),
    [
        (broadcasting, "rows", "summed"),
        (pieces, "left", "elementwise"),
        (pieces, "a", "moved"),
        (pieces, "joined", "moved"),
        (pieces, "shaped", "moved"),
        (line_by_nn, "linear.bias", "summed"),
        (line_by_nn, "y", "spread"),
        (looked_up, "rows", "spread"),
        (of_ones_own, "twice", "spread"),
    ],
)
def test_rule_fits_what_the_operation_does(program, name, rule):
    _, trace = recorded(program)
    assert [edge.rule for edge in trace.uses(trace[name])][:1] == [rule]


def test_matrix_product_gives_a_table_of_all_its_derivatives():
    p, q = parameter([[1.0, 2.0]]), parameter([[3.0], [4.0]])
    with lt.record_forward():
        e = (torch.cat([p, 2 * p]) @ q).sum()
    trace = lt.trace_backward(e, p=p, q=q)
    (edge,) = trace.uses(trace["q"])
    assert (edge.rule, edge.local) == ("mixed", [[1.0, 2.0], [2.0, 4.0]])
    assert trace.arithmetic(edge) == ["1 × 1 + 1 × 2 = 3", "1 × 2 + 1 × 4 = 6"]


def test_a_function_of_ones_own_is_not_called_to_find_out():
    calls = []

    class Counted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, arrived):
            calls.append(arrived)
            return arrived

    a = parameter(3.0)
    with lt.record_forward():
        e = Counted.apply(a) * 2
    trace = lt.trace_backward(e, a=a)
    assert len(calls) == 1
    assert [edge.rule for edge in trace.uses(trace["a"])] == ["custom"]


@every_program
def test_every_rule_is_explained(program):
    _, trace = recorded(program)
    assert {edge.rule for edge in trace.edges} - {None} <= set(RULES)


# What is left behind


def test_no_hook_is_left_behind(monkeypatch):
    heard = []
    hears = lt.graph._Tracing._hears

    def counted(notes, node):
        hear = hears(notes, node)
        return lambda *gradients: (heard.append(node), hear(*gradients))[1]

    monkeypatch.setattr(lt.graph._Tracing, "_hears", staticmethod(counted))
    a = parameter(2.0)
    with lt.record_forward():
        # Additions save nothing, so PyTorch can go back through this graph again.
        e = (a + 1) + (a + 2)
    lt.trace_backward(e, a=a)
    # Each of three operations hears what arrives and what it sends, the parameter the former.
    assert len(heard) == 7
    e.backward()
    assert len(heard) == 7
    assert a.grad.item() == 4.0


def test_hooks_are_removed_when_the_pass_fails():
    a = parameter(2.0)

    def refuse(gradient):
        raise RuntimeError("refused")

    with lt.record_forward():
        y = a + 1
        e = y + a
    handle = y.register_hook(refuse)
    with pytest.raises(RuntimeError, match="refused"):
        lt.trace_backward(e, a=a)
    handle.remove()
    assert lt.trace_backward(e, a=a)["a"].gradient == 2.0


def test_hooks_of_the_caller_are_obeyed():
    a = parameter(2.0)
    with lt.record_forward():
        y = a * 3
        e = y * 1
    y.register_hook(lambda gradient: gradient * 10)
    y.retain_grad()
    trace = lt.trace_backward(e, a=a, y=y)
    assert (trace["y"].gradient, trace["a"].gradient) == (10.0, 30.0)
    assert (y.grad.item(), a.grad.item()) == (10.0, 30.0)


def test_random_numbers_are_not_used_up():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    recorded(line)
    assert torch.equal(torch.rand(1), expected)


def test_recording_changes_nothing_of_the_calculation():
    with lt.record_forward():
        by_recording = network(nn.ReLU())
    for name, tensor in network(nn.ReLU()).items():
        assert torch.equal(by_recording[name], tensor)


def test_value_is_the_one_that_was_used_although_it_changed_later():
    a = parameter(2.0)
    x = torch.tensor([1.0, 2.0])
    with lt.record_forward():
        e = (a + x).sum()
    with torch.no_grad():
        a += 100
        x += 100
    trace = lt.trace_backward(e, a=a, x=x)
    assert (trace["a"].value, trace["x"].value) == (2.0, [1.0, 2.0])


def test_activation_in_place_shows_both_values():
    w = parameter(-1.0, 1.0)
    with lt.record_forward():
        y = w * 2
        nn.functional.relu(y, inplace=True)
        e = y.sum()
    trace = lt.trace_backward(e, w=w)
    values = {node.symbol: node.value for node in trace.nodes if node.kind == "operation"}
    assert values == {"×": [-2.0, 2.0], "relu": [0.0, 2.0], "Σ": 2.0}


def test_value_that_is_clamped_before_its_use_is_shown_as_it_was_used():
    a = parameter(3.0, 4.0)
    with lt.record_forward():
        y = a * 2
        with torch.no_grad():
            y.clamp_(max=7)
        e = (y * 3).sum()
    trace = lt.trace_backward(e, a=a, y=y)
    assert trace["y"].value == [6.0, 7.0]
    assert [node.value for node in trace.nodes if node.kind == "constant"] == [2, 3]


def test_constant_that_changes_between_two_uses_is_two_constants():
    a, n = parameter(1.0), torch.tensor(0.0)
    with lt.record_forward():
        e = a
        for _ in range(3):
            n += 1
            e = e + n
    trace = lt.trace_backward(e, a=a)
    assert [node.value for node in trace.nodes if node.kind == "constant"] == [1.0, 2.0, 3.0]


def test_parameter_that_changes_between_two_uses_is_refused():
    a = parameter(1.0)
    with lt.record_forward():
        y = a + 1
        with torch.no_grad():
            a += 10
        e = y + a
    with pytest.raises(ValueError, match=r"^loss .*changed in place between two uses"):
        lt.trace_backward(e, a=a)
    assert a.grad is None


def test_checkpoint_calculates_no_more_often_than_by_an_ordinary_backward():
    def calls(run) -> int:
        count = 0

        def block(v):
            nonlocal count
            count += 1
            return (v * v).tanh()

        run(lambda: checkpoint(block, parameter(1.0, 2.0), use_reentrant=False).sum())
        return count

    def traced(program):
        with lt.record_forward():
            loss = program()
        lt.trace_backward(loss)

    assert calls(traced) == calls(lambda program: program().backward()) == 2


def test_notes_go_with_the_graph():
    a = parameter(-1.0, 1.0)
    for in_place in (False, True):
        with lt.record_forward():
            e = nn.functional.relu(a * 2, inplace=in_place).sum()
        notes = weakref.ref(lt.graph.notes_of(e.grad_fn))
        assert notes() is not None
        e.backward()
        del e
        gc.collect()
        assert notes() is None


def test_what_no_gradient_goes_through_is_not_copied(monkeypatch):
    copied = []
    clone = torch.Tensor.clone
    monkeypatch.setattr(torch.Tensor, "clone", lambda s: (copied.append(s.shape), clone(s))[1])
    a, large = parameter(1.0), torch.ones(1000)
    with lt.record_forward():
        e = a * large.mean() + a
    e.backward()
    assert copied == [torch.Size([])] * 3  # a, the mean, their product


# Labels


def test_every_result_of_one_operation_can_be_named():
    v = parameter(1.0, 2.0, 3.0)
    with lt.record_forward():
        left, right = v.split([1, 2])
        e = left.sum() * right.sum()
    trace = lt.trace_backward(e, v=v, left=left, right=right)
    assert (trace["left"].value, trace["left"].gradient) == ([1.0], [5.0])
    assert (trace["right"].value, trace["right"].gradient) == ([2.0, 3.0], [1.0, 1.0])
    assert trace.nodes[trace["right"].index].label == "left, right"


def test_one_tensor_has_one_name():
    a = parameter(1.0)
    with lt.record_forward():
        e = a * 2
    with pytest.raises(ValueError, match=r"^weight and a are one and the same tensor"):
        lt.trace_backward(e, a=a, weight=a)


def test_sparse_and_empty_constants_can_be_named():
    a, s = parameter([[1.0], [2.0]]), torch.eye(2).to_sparse()
    b, nothing, other = parameter([]), torch.ones(0), torch.ones(0)
    with lt.record_forward():
        e = torch.sparse.mm(s, a).sum() + (b * nothing + other).sum()
    trace = lt.trace_backward(e, s=s, nothing=nothing)
    assert trace["s"].value == [[1.0, 0.0], [0.0, 1.0]]
    assert [node.label for node in trace.nodes if node.value == []].count("nothing") == 1


# Data without PyTorch


def plain(value) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return value is None or isinstance(value, (str, int, float, bool))


@every_program
def test_trace_is_ready_for_json_and_holds_nothing_of_torch(program):
    _, trace = recorded(program)
    data = trace.to_dict()
    assert plain(data)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert set(data) == {field.name for field in fields(trace)}


def test_infinity_and_nan_become_words_in_json():
    a = parameter(0.0)
    with lt.record_forward():
        e = a.sqrt() * a.sqrt()
    data = lt.trace_backward(e, a=a).to_dict()
    assert math.isnan(a.grad.item())
    assert data["nodes"][0]["outputs"][0]["gradient"] == "nan"
    assert "inf" in json.dumps(data, allow_nan=False)


def test_label_that_is_not_there_is_named_with_those_that_are():
    trace, _ = course_line()
    with pytest.raises(KeyError, match=r"'z'.*a, x, b, y, t"):
        trace["z"]


def test_view_of_a_constant_is_known_by_its_name():
    net = lt.LineNet(a=1.0, b=0.0)
    with lt.record_forward():
        e = nn.MSELoss()(net(X.reshape(2, 1)), T.reshape(2, 1))
    trace = lt.trace_backward(e, x=X, t=T)
    assert (trace["x"].value, trace["t"].value) == ([[1.0], [2.0]], [[3.0], [5.0]])


# Bad input


def unused():
    a = parameter(1.0)
    with lt.record_forward():
        return (a * X).sum(), a


BAD = {
    "no tensor": (lambda: lt.trace_backward(6.5), TypeError, r"^loss .*float.*item\(\)"),
    "a vector": (
        lambda: lt.trace_backward(parameter(1.0) * X),
        ValueError,
        r"^loss .*\(2,\).*mean\(\)",
    ),
    "whole numbers": (lambda: lt.trace_backward(torch.tensor(1)), TypeError, r"^loss .*int64"),
    "complex": (
        lambda: lt.trace_backward(torch.tensor(1j, requires_grad=True) * 2),
        TypeError,
        r"^loss .*complex64",
    ),
    "no graph": (lambda: lt.trace_backward(X.sum()), ValueError, r"^loss .*requires_grad=True"),
    "a parameter": (lambda: lt.trace_backward(parameter(1.0)), ValueError, r"^loss .*parameter"),
    "not recorded": (
        lambda: lt.trace_backward(line()["loss"]),
        ValueError,
        r"^loss .*with record_forward\(\):.*Backward0",
    ),
    "a name that is no tensor": (
        lambda: lt.trace_backward(unused()[0], lr=0.1),
        TypeError,
        r"^lr .*float",
    ),
    "a name that took no part": (
        lambda: lt.trace_backward(unused()[0], u=parameter(1.0)),
        ValueError,
        r"^u takes no part",
    ),
    "a constant that took no part": (
        lambda: lt.trace_backward(unused()[0], t=T),
        ValueError,
        r"^t takes no part",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_named_with_the_way_out(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_call_within_the_block_is_told_to_be_indented_less():
    a = parameter(1.0)
    with lt.record_forward():
        e = a * 2
        with pytest.raises(ValueError, match=r"after the block .*indent it less"):
            lt.trace_backward(e, a=a)
    assert lt.trace_backward(e, a=a)["a"].gradient == 2.0


def test_a_part_that_is_written_into_a_tensor_is_refused_with_the_way_out():
    a, b = parameter(1.0, 2.0), parameter(3.0)
    with lt.record_forward():
        y = a * 2
        y[0] = b
        e = y.sum()
    with pytest.raises(ValueError, match=r"^loss .*changed in part.*y\[0\] = .*torch.stack"):
        lt.trace_backward(e)
    assert a.grad is None


def test_half_a_recording_is_refused():
    a = parameter(1.0)
    y = a * X
    with lt.record_forward():
        e = (y + 1).sum()
    with pytest.raises(ValueError, match=r"^loss .*MulBackward0"):
        lt.trace_backward(e, a=a)
    assert a.grad is None


@pytest.mark.parametrize("again", ["trace", "backward"])
def test_graph_that_was_freed_is_refused_before_anything_is_changed(again):
    with lt.record_forward():
        named = line()
    if again == "trace":
        lt.trace_backward(named["loss"])
    else:
        named["loss"].backward()
    with pytest.raises(ValueError, match=r"^loss .*freed at \w+Backward0.*once more"):
        lt.trace_backward(named["loss"])
    assert (named["a"].grad.item(), named["b"].grad.item()) == (-8.0, -5.0)


def test_freed_function_of_ones_own_is_refused_too():
    with lt.record_forward():
        named = of_ones_own()
    named["loss"].backward()
    before = named["a"].grad.clone()
    with pytest.raises(ValueError, match=r"^loss .*freed"):
        lt.trace_backward(named["loss"])
    assert torch.equal(named["a"].grad, before)


def test_freed_function_alone_is_refused_before_anything_is_changed():
    a, b = parameter(1.0), parameter(2.0)
    with lt.record_forward():
        e = Doubled.apply(a) + b
    e.backward()
    with pytest.raises(ValueError, match=r"^loss .*freed at DoubledBackward"):
        lt.trace_backward(e)
    assert (a.grad.item(), b.grad.item()) == (2.0, 1.0)


def test_value_that_was_changed_in_place_is_refused_before_anything_is_changed():
    a = parameter(1.0, 2.0)
    with lt.record_forward():
        s = a * 1
        e = (s * s).sum()
    with torch.no_grad():
        s += 1
    with pytest.raises(ValueError, match=r"^loss .*MulBackward0 had saved.*changed in place"):
        lt.trace_backward(e, a=a)
    assert a.grad is None


# Time


@pytest.mark.alone
def test_the_two_points_are_traced_within_five_plain_passes_and_5_ms():
    plain, traced = bench_trace.medians(bench_trace.line, 30)
    assert traced <= 5 * plain + 5


def test_time_grows_with_the_nodes_and_no_faster():
    """Eight times as many nodes take about eight times as long; their square would be 64."""
    _, short = bench_trace.medians(lambda: bench_trace.chain(25), 5)
    _, long = bench_trace.medians(lambda: bench_trace.chain(200), 5)
    assert long <= 16 * short


# Random graphs

SHAPES = [(), (2,), (3, 2), (3, 1), (1, 2)]
ONE = [torch.tanh, torch.relu, torch.square, torch.neg, torch.sigmoid, torch.cos]
REDUCE = [torch.sum, torch.mean, lambda v: v.mean(dim=0) if v.dim() else v.exp()]
TWO = [torch.add, torch.sub, torch.mul, torch.maximum]


@st.composite
def plans(draw) -> tuple[list[tuple[int, ...]], list[tuple[int, int, int]], torch.dtype]:
    """Draw the shapes of some parameters and a list of operations on all that is there."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    small = st.integers(0, 30)
    steps = draw(st.lists(st.tuples(small, small, small), min_size=1, max_size=12))
    return shapes, steps, draw(st.sampled_from([torch.float32, torch.float64]))


def follow(plan) -> dict[str, Tensor]:
    """Compute what a plan says: the same every time."""
    shapes, steps, dtype = plan
    values = [seeded(*shape, seed=i, dtype=dtype) for i, shape in enumerate(shapes)]
    operations = [*ONE, *REDUCE, *TWO]
    for which, left, right in steps:
        operation = operations[which % len(operations)]
        one, other = values[left % len(values)], values[right % len(values)]
        values.append(operation(one, other) if operation in TWO else operation(one))
    loss = torch.stack([value.sum() for value in values]).sum()
    return {f"v{i}": value for i, value in enumerate(values)} | {"loss": loss}


@settings(deadline=None, max_examples=100, derandomize=True, database=None)
@given(plans())
def test_random_graphs_are_recorded_as_torch_computes_them(plan):
    named, trace = recorded(lambda: follow(plan))
    again = follow(plan)
    expected = torch.autograd.grad(again["loss"], list(again.values()))
    for (name, tensor), gradient in zip(again.items(), expected, strict=True):
        assert same(trace[name].value, tensor)
        assert same(trace[name].gradient, gradient)
    for edge in trace.edges:
        if edge.local is not None:
            sent = torch.tensor(edge.sent)
            assert close(sent_by_rule(trace, edge).tolist(), sent, named["loss"].dtype)
