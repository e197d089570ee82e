"""The same fit over several processes: equal to one process, and never a hang.

Processes are started for real, by torchrun's own launcher or by torchrun.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch

import linreg_tutorial as lt

ROOT = Path(__file__).parent.parent
X, T = lt.two_points()


def left_behind() -> list:
    """Return the processes that this one has started, and the ports at which it listens."""
    me = psutil.Process()
    ports = [c.laddr for c in me.net_connections() if c.status == psutil.CONN_LISTEN]
    return me.children(recursive=True) + ports


@pytest.fixture(autouse=True)
def _leaves_nothing():
    """Look after each test for processes that run on, and for ports that stay in use."""
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


def test_a_column_of_points_and_no_step_at_all():
    history = lt.fit_parallel(X.reshape(2, 1), T.reshape(2, 1), processes=1, steps=0)
    assert [state[1:] for state in history] == [(1.0, 0.0, -8.0, -5.0, 6.5)]


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


def test_ctrl_c_ends_all_processes_and_the_program_has_its_handlers_back():
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    sender = soon(lambda workers: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        lt.fit_parallel(X, T, lr=0.01, steps=10**7)
    sender.join()
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


# In a group that torchrun started


def torchrun(tmp_path: Path, program: str) -> subprocess.CompletedProcess:
    """Run a program in two processes, as on a machine group."""
    path = tmp_path / "program.py"
    head = "import os\nimport linreg_tutorial as lt\nrank = int(os.environ['RANK'])\n"
    path.write_text(head + program, "utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, path], env=environment, capture_output=True, text=True, timeout=120
    )


def test_under_torchrun_each_process_gets_the_history_of_all_points(tmp_path):
    run = torchrun(
        tmp_path,
        "import torch.distributed as dist\n"
        "h = lt.fit_parallel(*lt.two_points())\n"
        "assert h.grad_a[0] == -8.0 and not dist.is_initialized()\n"
        "for _ in range(3):\n"
        "    assert lt.fit_parallel(*lt.two_points()).max_difference(h) == 0.0\n"
        "open(f'{__file__}.{rank}', 'w').write(f'{h.a[-1]:.4f} {h.b[-1]:.4f}')\n",
    )
    assert run.returncode == 0, run.stderr
    ends = [(tmp_path / f"program.py.{rank}").read_text() for rank in (0, 1)]
    assert ends == ["2.0393 0.9364"] * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "*lt.two_points(), steps=10 + rank",
            "ValueError: steps must be the same in all processes",
        ),
        ("lt.noisy_line(4, seed=rank)[0], lt.noisy_line(4, seed=rank)[1]", "ValueError: t must be"),
        ("*lt.two_points(), processes=3", "ValueError: processes must be what torchrun was told"),
    ],
    ids=["steps", "points", "processes"],
)
def test_under_torchrun_what_cannot_be_is_said_and_nothing_waits(tmp_path, arguments, said):
    run = torchrun(tmp_path, f"lt.fit_parallel({arguments})\n")
    assert run.returncode != 0
    assert said in run.stderr


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_two_machines_with_two_processes_each_fit_together(tmp_path):
    """Two torchruns play two machines."""
    path = tmp_path / "program.py"
    path.write_text(
        "import os, linreg_tutorial as lt\n"
        "x, t = lt.noisy_line(7)\n"
        "h = lt.fit_parallel(x.double(), t.double(), lr=0.05, steps=20)\n"
        "open(f'{__file__}.' + os.environ['RANK'], 'w').write(repr(h))\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=2"]
    command += ["--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    machines = [
        subprocess.Popen(
            [*command, f"--node-rank={rank}", path],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    for machine in machines:
        _, said = machine.communicate(timeout=120)
        assert machine.returncode == 0, said
    x, t = (values.double() for values in lt.noisy_line(7))
    expected = repr(lt.fit_manual(x, t, lr=0.05, steps=20))
    assert [(tmp_path / f"program.py.{rank}").read_text() for rank in range(4)] == [expected] * 4


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
    assert "RuntimeError: process 0 of 2 lost another one: it died, or did not answer" in said
    machines[1].communicate(timeout=60)
    assert machines[1].returncode == 3


# What is refused before a process is started


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"processes": 0}, ValueError, "processes must be 1 or more, got 0"),
        ({"processes": 2.0}, TypeError, "processes must be a whole number"),
        ({"processes": True}, TypeError, "processes must be a whole number"),
        ({"timeout": 0.0}, ValueError, "timeout must be above 0 seconds, got 0.0"),
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


def test_half_of_torchruns_variables_are_not_enough(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"not MASTER_ADDR and MASTER_PORT: start the program"):
        lt.fit_parallel(X, T)


def test_on_a_build_without_gloo_it_says_so(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_gloo_available", lambda: False)
    with pytest.raises(RuntimeError, match=r"no torch\.distributed with gloo"):
        lt.fit_parallel(X, T)
