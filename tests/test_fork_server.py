"""A forked program is what a new process would be: alone, complete, and gone in time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fork_server
import psutil
import pytest

pytestmark = pytest.mark.skipif(
    not fork_server.WORKS_HERE, reason="elsewhere nothing is forked: kernels are started anew"
)

ALIKE = """
import os, sys, threading
print(sys.argv, __name__, os.getcwd(), sorted(os.environ.items()), sys.path[0])
print(os.getpgid(0) == os.getpid(), threading.active_count(), len(sys.stdin.read()))
print("to the other stream", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[fork_server.Server]:
    server = fork_server.Server(["torch"])
    yield server
    server.stop()


def program(folder: Path, code: str) -> list[str]:
    """Write a program; return the command that runs it."""
    (folder / "program.py").write_text(code, "utf-8")
    return [sys.executable, str(folder / "program.py")]


def printed(server: fork_server.Server, folder: Path, code: str) -> str:
    with (folder / "out").open("w+") as out:
        forked = server.start(program(folder, code), os.environ, folder, stdout=out)
        assert forked.wait(60) == 0
        out.seek(0)
        return out.read()


@pytest.mark.parametrize("way", ["as a file", "as a module"])
def test_program_finds_all_as_in_a_new_process(way, server, tmp_path):
    command = program(tmp_path, ALIKE)
    if way == "as a module":
        command = [sys.executable, "-m", "program"]
    command += ["one", "-m"]
    env = {name: os.environ[name] for name in ("PATH", "HOME")} | {"COLOUR": "green"}
    found = []
    for start in (subprocess.Popen, server.start):
        with (tmp_path / "out").open("w+") as out, (tmp_path / "err").open("w+") as err:
            given = {"env": env, "cwd": tmp_path, "stdout": out, "stderr": err}
            if start is subprocess.Popen:
                given |= {"stdin": subprocess.DEVNULL, "start_new_session": True}
            code = start(command, **given).wait(60)
            for stream in (out, err):
                stream.seek(0)
            found.append((code, out.read(), err.read()))
    new, forked = found
    assert new[0] == 3
    assert "green" in new[1]
    # Python itself sets this one at its start.
    assert forked == (new[0], new[1].replace("('LC_CTYPE', 'C.UTF-8'), ", ""), new[2])


def test_what_one_program_does_does_not_reach_another(server, tmp_path):
    code = "import torch; print(hasattr(torch, 'mine')); torch.mine = 1"
    assert [printed(server, tmp_path, code) for _ in range(2)] == ["False\n"] * 2


def test_what_is_not_seeded_comes_out_otherwise_every_time(server, tmp_path):
    code = "import random, numpy, torch; print(random.random(), numpy.random.rand(), torch.rand(1))"
    first, second = (printed(server, tmp_path, code).split() for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_program_that_dies_gives_the_signal_as_its_exit_code(server, tmp_path):
    command = program(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert server.start(command, os.environ, tmp_path).wait(60) == -signal.SIGSEGV


def test_waiting_can_end_before_the_program_does(server, tmp_path):
    forked = server.start(program(tmp_path, "import time; time.sleep(60)"), os.environ, tmp_path)
    with pytest.raises(TimeoutError, match="still runs after"):
        forked.wait(0.1)
    assert forked.poll() is None
    forked.kill()
    assert forked.wait(60) == -signal.SIGKILL


def test_module_that_is_not_there_is_told_and_nothing_hangs(tmp_path, capfd):
    server = fork_server.Server(["no_such_module"])
    with pytest.raises(RuntimeError, match="what it said stands above"):
        server.start(program(tmp_path, ""), os.environ, tmp_path)
    server.stop()
    assert "No module named 'no_such_module'" in capfd.readouterr().err


MAKER = """
import os, sys
import fork_server
server = fork_server.Server([])
forked = server.start([sys.executable, "-m", "sleeper"], os.environ, ".")
print(server.pid, forked.pid, flush=True)
forked.wait()
"""
# It starts a process of its own, as a lesson does that runs on two.
SLEEPER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"])
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_the_build_that_started_it(signum, tmp_path):
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(fork_server.__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    started = [psutil.Process(int(pid)) for pid in maker.stdout.readline().split()]
    sleeper = started[1]
    deadline = time.monotonic() + 60
    while not (children := sleeper.children()) and time.monotonic() < deadline:
        time.sleep(0.05)
    maker.send_signal(signum)
    maker.wait(60)
    maker.stdout.close()
    assert children
    _, alive = psutil.wait_procs([*started, *children], timeout=30)
    assert not alive
