"""The same fit over several processes: equal to one process, and never a hang.

Processes are started for real, by torchrun's own launcher or by torchrun.
"""

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch

import linreg_tutorial as lt

ROOT = Path(__file__).parent.parent
X, T = lt.two_points()


def left_behind() -> list:
    """Return the processes that this one has started, its open ports, and its temporary files."""
    me = psutil.Process()
    ports = [c.laddr for c in me.net_connections() if c.status == psutil.CONN_LISTEN]
    files = [
        f for name in ("tmp*", "torchelastic*") for f in Path(tempfile.gettempdir()).glob(name)
    ]
    return me.children(recursive=True) + ports + files


@pytest.fixture(autouse=True)
def _leaves_nothing(tmp_path, monkeypatch):
    """Look after each test for what runs on, stays in use or lies around."""
    temporary = tmp_path / "a temporary folder"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = left_behind()
    yield
    assert left_behind() == before


# The same numbers


def test_two_processes_with_a_point_each_take_the_steps_of_one_with_both():
    history = lt.fit_parallel(X, T, processes=2)
    # (-4 - 12) / 2 and (-4 - 6) / 2: small whole numbers, exact in binary.
    assert (history.grad_a[0], history.grad_b[0], history.error[0]) == (-8.0, -5.0, 6.5)
    assert history.steps == 100
    # Rounding only: some 2 · 1e-7 of numbers up to 8.
    assert history.max_difference(lt.fit_manual(X, T)) < 1e-5


@pytest.mark.parametrize(
    ("n", "processes"), [(7, 2), (7, 3), (2, 3)], ids=["4 + 3", "3 + 2 + 2", "1 + 1 + 0"]
)
def test_parts_of_different_sizes_have_the_mean_over_all_points(n, processes):
    x, t = (values.double() for values in lt.noisy_line(n))
    settings = {"a": 0.5, "b": -1.0, "lr": 0.05, "steps": 40}
    history = lt.fit_parallel(x, t, processes=processes, **settings)
    # In float64, 40 steps of numbers up to some 50, each rounded to 1e-16 of itself.
    assert history.max_difference(lt.fit_manual(x, t, **settings)) < 1e-12


def test_a_column_of_points_a_start_of_64_bits_and_no_step_at_all():
    x, t = X.double().reshape(2, 1), T.double().reshape(2, 1)
    history = lt.fit_parallel(x, t, a=0.1, b=1e100, processes=1, steps=0)
    assert len(history) == 1
    assert (history.a[0], history.b[0]) == (0.1, 1e100)


def test_a_machine_whose_own_name_leads_nowhere_will_do(monkeypatch):
    monkeypatch.setattr(socket, "getfqdn", lambda *_: "nowhere.invalid")
    assert lt.fit_parallel(X, T, steps=1).grad_a[0] == -8.0


def test_many_points_of_16_bits_do_not_overflow_where_one_process_does_not():
    x, t = (values.half() for values in lt.noisy_line(20_000))
    history = lt.fit_parallel(x, t, steps=3, lr=0.05)
    alone = lt.fit_manual(x, t, steps=3, lr=0.05)
    # 16 bits have three digits.
    assert history.max_difference(alone) < 0.02 * alone.error[0]


def test_a_rate_above_the_limit_ends_where_one_process_ends_and_warns_once():
    with pytest.warns(lt.DivergenceWarning, match=r"converges for lr < 0\.2918") as caught:
        history = lt.fit_parallel(X, T, lr=100.0)
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(lt.DivergenceWarning):
        assert history.steps == lt.fit_manual(X, T, lr=100.0).steps < 100


# Where it is called


def test_a_script_without_a_guard_runs_once_and_from_any_folder(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\n"
        "import linreg_tutorial as lt\n"
        "print('once')\n"
        "print(f'{lt.fit_parallel(*lt.two_points()).a[-1]:.4f}')\n",
        "utf-8",
    )
    run = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (run.stdout, run.stderr) == ("once\n2.0393\n", "")


def test_it_can_be_called_beside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(lt.fit_parallel(X, T, steps=1)))
    thread.start()
    thread.join(120)
    assert found[0].grad_a[0] == -8.0


# What ends a process


def soon(action) -> threading.Thread:
    """Do something as soon as both processes are in the middle of their steps."""

    def wait_and_act():
        me = psutil.Process()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            workers = sorted(me.children(), key=lambda child: child.pid)
            # Imports take a process some time; a connection to the other one comes after them.
            if len(workers) == 2 and all(len(w.net_connections()) >= 2 for w in workers):
                break
            time.sleep(0.05)
        time.sleep(0.5)
        action(workers)

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_is_named_within_seconds(rank):
    when = []

    def kill(workers):
        when.append(time.monotonic())
        workers[rank].kill()

    killer = soon(kill)
    with pytest.raises(RuntimeError, match=rf"^process {rank} of 2 was ended by SIGKILL\."):
        lt.fit_parallel(X, T, lr=0.01, steps=10**7)
    assert time.monotonic() - when[0] < 10
    killer.join()


def test_the_last_words_of_a_process_that_aborts_are_passed_on(monkeypatch):
    # With it Python prints where it was.
    monkeypatch.setenv("PYTHONFAULTHANDLER", "1")
    sender = soon(lambda workers: workers[1].send_signal(signal.SIGABRT))
    with pytest.raises(RuntimeError, match=r"^process 1 of 2 was ended by SIGABRT after it .*“.+”"):
        lt.fit_parallel(X, T, lr=0.01, steps=10**7)
    sender.join()


def test_processes_do_not_outlive_the_program_that_started_them():
    program = (
        "import linreg_tutorial as lt; lt.fit_parallel(*lt.two_points(), lr=0.01, steps=10**7)"
    )
    starter = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    workers, deadline = [], time.monotonic() + 60
    while len(workers) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
        workers = psutil.Process(starter.pid).children()
    time.sleep(2)
    starter.kill()
    starter.wait()
    gone, alive = psutil.wait_procs(workers, timeout=20)
    assert (len(gone), alive) == (2, [])
    # What was killed could not clear up.
    for folder in Path(tempfile.gettempdir()).glob("tmp*"):
        shutil.rmtree(folder)


@pytest.fixture
def on_ctrl_c() -> Iterator[Callable]:
    """Return how to say what Ctrl-C does: a program in the background may ignore it."""
    before = signal.getsignal(signal.SIGINT)
    yield lambda handler: signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("handler", "error", "said"),
    [
        (signal.default_int_handler, KeyboardInterrupt, None),
        (signal.SIG_IGN, RuntimeError, "^the processes were ended by SIGINT"),
        (lambda number, frame: None, RuntimeError, "^the processes were ended by SIGINT"),
    ],
)
def test_ctrl_c_ends_all_processes_and_the_program_has_its_handlers_back(
    handler, error, said, on_ctrl_c
):
    on_ctrl_c(handler)
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    sender = soon(lambda workers: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(error, match=said):
        lt.fit_parallel(X, T, lr=0.01, steps=10**7)
    sender.join()
    assert not logging.getLogger("torch.distributed.elastic.agent.server.api").disabled
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


# In a group that torchrun started

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
PROGRAM = """
import json, os, torch
import torch.distributed as dist
import linreg_tutorial as lt
from linreg_tutorial.parallel import LineNet

rank = int(os.environ["RANK"])
x, t = lt.two_points()
found = {}

first = lt.fit_parallel(x, t)
found["gradient"] = [first.grad_a[0].item(), first.grad_b[0].item()]
found["end"] = f"{first.a[-1]:.4f} {first.b[-1]:.4f}"
found["group is left"] = dist.is_initialized()
with torch.no_grad():
    found["again"] = lt.fit_parallel(x, t).max_difference(first)

seen, forward = [], LineNet.forward
LineNet.forward = lambda self, x: (seen.append(x.flatten().tolist()), forward(self, x))[1]
lt.fit_parallel(*lt.noisy_line(7), steps=0)
found["part"] = seen[0]

def said(*points, **settings):
    try:
        lt.fit_parallel(*points, **settings)
    except ValueError as error:
        return str(error)

other = torch.zeros(2, dtype=(torch.float16, torch.bfloat16)[rank])
found["steps"] = said(x, t, steps=10 + rank)
found["points"] = said(*lt.noisy_line(4, seed=rank))
found["dtype"] = said(other, other)
found["processes"] = said(x, t, processes=3)

dist.init_process_group("gloo")
found["in my group"] = lt.fit_parallel(x, t).max_difference(first)
found["my group is left"] = dist.is_initialized()
dist.destroy_process_group()
with open(f"{rank}.json", "w") as file:
    json.dump(found, file)
"""
# A group that goes together with the network that holds it may wait for its threads for ever.
GONE = """
import gc
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

def destroy(before=dist.destroy_process_group):
    assert not any(isinstance(thing, DistributedDataParallel) for thing in gc.get_objects())
    before()

dist.destroy_process_group = destroy
"""
# Each thread's name, as Linux has it: gloo's are called after it.
THREADS = """
import os
from pathlib import Path
names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
os.write(1, f"threads: {names}\\n".encode())
"""


@pytest.fixture(scope="module")
def in_group(tmp_path_factory) -> list[dict]:
    """Return what each of two processes found that torchrun started."""
    folder = tmp_path_factory.mktemp("group")
    (folder / "program.py").write_text(PROGRAM, "utf-8")
    run = subprocess.run(
        [*TORCHRUN, "--standalone", "--nproc-per-node=2", "program.py"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return [json.loads((folder / f"{rank}.json").read_text("utf-8")) for rank in (0, 1)]


def test_under_torchrun_each_process_gets_the_history_of_all_points(in_group):
    for found in in_group:
        assert found["gradient"] == [-8.0, -5.0]
        assert found["end"] == "2.0393 0.9364"


def test_under_torchrun_it_can_be_called_again_and_leaves_no_group(in_group):
    for found in in_group:
        assert found["again"] == 0.0
        assert found["group is left"] is False


def test_under_torchrun_a_group_that_is_there_is_used_and_kept(in_group):
    for found in in_group:
        assert found["in my group"] == 0.0
        assert found["my group is left"] is True


def program_of_the_page() -> str:
    page = (ROOT / "docs/beyond/18-two-processes.md").read_text("utf-8")
    return re.search(r"%%writefile with_ddp.py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1]


def program_of_the_lesson() -> str:
    lesson = (ROOT / "gallery/19_split_points.py").read_text("utf-8")
    return re.search(r"^def work.*?(?=^# %%)", lesson, re.DOTALL | re.MULTILINE)[0] + "work()\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the names of threads are read from /proc")
@pytest.mark.parametrize("program", [PROGRAM, program_of_the_page(), program_of_the_lesson()])
def test_network_goes_first_then_the_group_and_no_thread_is_left_to_abort_the_program(
    program, tmp_path
):
    (tmp_path / "program.py").write_text(GONE + program + THREADS, "utf-8")
    run = subprocess.run(
        [*TORCHRUN, "--standalone", "--nproc-per-node=2", "--log-dir=logs", "program.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("threads: ['python'") == 2
    assert "gloo" not in run.stdout


def test_each_process_takes_the_part_of_its_rank(in_group):
    parts = [part.tolist() for part in lt.noisy_line(7)[0].tensor_split(2)]
    assert [found["part"] for found in in_group] == parts


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("steps", "steps must be the same in all processes, got something else in process 1 "),
        ("points", "t must be the same in all processes"),
        ("dtype", "x and t must be the same in all processes"),
        ("processes", "processes must be what torchrun was told, got 3 among 2: leave it out"),
    ],
)
def test_under_torchrun_what_differs_is_named_in_all_processes(what, said, in_group):
    for found in in_group:
        assert found[what].startswith(said)


def test_a_group_that_the_program_made_is_used_instead_of_new_processes():
    program = (
        "import torch.distributed as dist, linreg_tutorial as lt\n"
        "from linreg_tutorial import parallel\n"
        "parallel._start = None\n"
        "dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)\n"
        "assert lt.fit_parallel(*lt.two_points(), steps=1).grad_a[0] == -8.0\n"
        "assert dist.is_initialized()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_a_process_that_nobody_joins_gives_up_after_its_timeout(monkeypatch):
    group = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    for name, value in group.items():
        monkeypatch.setenv(name, value)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"^process 0 lost another one.* did not answer in time"):
        lt.fit_parallel(X, T, timeout=2.0)
    assert time.monotonic() - start < 20


def on_two_machines(folder: Path, command: list[str]) -> list[str]:
    """Return what each of two torchruns, which play two machines, prints."""
    # torchrun itself leaves an empty folder behind.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    machines = [
        subprocess.Popen(
            [*TORCHRUN, f"--node-rank={rank}", *command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    ends = [machine.communicate(timeout=120) for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], ends
    return [printed for printed, _ in ends]


def test_two_machines_with_two_processes_each_fit_together(tmp_path):
    (tmp_path / "program.py").write_text(
        "import os, linreg_tutorial as lt\n"
        "x, t = lt.noisy_line(7)\n"
        "h = lt.fit_parallel(x.double(), t.double(), lr=0.05, steps=20)\n"
        "open(f'{__file__}.' + os.environ['RANK'], 'w').write(repr(h))\n",
        "utf-8",
    )
    where = ["--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    on_two_machines(tmp_path, ["--nnodes=2", "--nproc-per-node=2", *where, "program.py"])
    x, t = (values.double() for values in lt.noisy_line(7))
    expected = repr(lt.fit_manual(x, t, lr=0.05, steps=20))
    assert [(tmp_path / f"program.py.{rank}").read_text() for rank in range(4)] == [expected] * 4


def test_the_command_for_two_machines_of_page_18_fits_one_line(tmp_path):
    page = (ROOT / "docs" / "beyond" / "18-two-processes.md").read_text("utf-8")
    program = re.search(r"^%%writefile with_ddp\.py\n(.*?)^```$", page, re.M | re.S)[1]
    (tmp_path / "with_ddp.py").write_text(program, "utf-8")
    shown = re.search(r"^\$ torchrun (--nnodes=2 .*?with_ddp\.py)$", page, re.M | re.S)[1]
    words = shown.replace("10.0.0.1", "127.0.0.1").replace("29500", free_port()).split()
    # It is that of the first machine, in two lines.
    for word in ("--node-rank=0", "\\"):
        words.remove(word)
    end = "a = 2.0393, b = 0.9364\n"
    printed = on_two_machines(tmp_path, words)
    assert printed == [f"process 0: {end}", f"process 1: {end}"]


def test_a_process_that_loses_another_machine_says_so():
    """Each machine's torchrun sees its own processes only. Two programs play two machines."""
    program = (
        "import os, threading, linreg_tutorial as lt\n"
        "if os.environ['RANK'] == '1':\n"
        "    threading.Timer(2, lambda: os._exit(3)).start()\n"
        "lt.fit_parallel(*lt.two_points(), lr=0.01, steps=10**7)\n"
    )
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | group | {"RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    _, said = machines[0].communicate(timeout=60)
    assert machines[0].returncode == 1
    assert "RuntimeError: process 0 lost another one: it died, or did not answer" in said
    machines[1].communicate(timeout=60)
    assert machines[1].returncode == 3


# What is refused before a process is started


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"processes": 0}, ValueError, "processes must be 1 or more, got 0"),
        ({"processes": 2.0}, TypeError, "processes must be a whole number"),
        ({"processes": True}, TypeError, "processes must be a whole number"),
        (
            {"timeout": 0.0},
            ValueError,
            "timeout must be above 0 seconds and at most 1000000, got 0.0",
        ),
        ({"timeout": 1e15}, ValueError, "timeout must be above 0 seconds and at most 1000000, got"),
        ({"timeout": "1"}, TypeError, "timeout must be a number"),
        ({"lr": -0.1}, ValueError, "lr must be above 0"),
        ({"steps": -1}, ValueError, "steps must be 0 or more"),
        ({"a": float("nan")}, ValueError, "a must be finite"),
        ({"b": "0"}, TypeError, "b must be a number"),
        ({"t": T.reshape(2, 1)}, ValueError, "x and t must have the same shape"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused_before_anything_starts(wrong, error, said, monkeypatch):
    monkeypatch.setattr("linreg_tutorial.parallel._start", lambda *_: pytest.fail("started"))
    with pytest.raises(error, match=f"^{said}"):
        lt.fit_parallel(**{"x": X, "t": T} | wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"RANK": "x"}, "the variable RANK must be a whole number, got 'x'"),
        ({"MASTER_PORT": ""}, "the variable MASTER_PORT must be a whole number, got ''"),
        ({"RANK": "2"}, "the variable RANK must be below WORLD_SIZE, got 2 of 2"),
    ],
    ids=str,
)
def test_variables_that_cannot_be_are_named(wrong, said, monkeypatch):
    group = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in (group | wrong).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"^{said}"):
        lt.fit_parallel(X, T)


def test_half_of_torchruns_variables_are_not_enough(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"not MASTER_ADDR and MASTER_PORT: start the program"):
        lt.fit_parallel(X, T)


def test_on_a_build_without_gloo_it_says_so(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_gloo_available", lambda: False)
    with pytest.raises(RuntimeError, match=r"no torch\.distributed with gloo"):
        lt.fit_parallel(X, T)
