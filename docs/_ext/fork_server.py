"""Python programs forked from one process that has imported what they all need.

A fork takes some ten milliseconds, a new process that imports torch some seconds.
Each program is a process of its own all the same: nothing that it does reaches
another one.

`Server` starts ``python fork_server.py MODULE ...``, which imports the modules and
waits at a socket. A request is what `subprocess.Popen` would get: a command
(``[python, "-m", MODULE, ...]`` or ``[python, FILE, ...]``), an environment, a
folder, three streams. A child is forked that becomes this program; its exit code
comes back on the connection.

Linux alone: elsewhere a process may not be forked after it has imported so much.
"""

import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

WORKS_HERE = sys.platform == "linux"

# Messages keep their ends, and come whole or not at all.
_KIND = socket.SOCK_SEQPACKET if WORKS_HERE else socket.SOCK_STREAM
_LARGEST = 2**20


class Program:
    """A forked program, with what Jupyter and the tests use of `subprocess.Popen`."""

    # It writes where it was told to; there are no pipes to close.
    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.returncode = None
        self.pid = self._told()
        if self.pid < 0:
            connection.close()
            raise RuntimeError("the process to fork from has ended; what it said stands above")

    def poll(self) -> int | None:
        """Return the exit code, or None while the program runs."""
        with suppress(TimeoutError):
            return self.wait(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when the program has ended.

        Raises
        ------
        TimeoutError
            If it still runs after ``timeout`` seconds.
        """
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise TimeoutError(f"process {self.pid} still runs after {timeout} seconds")
            self.returncode = self._told()
            self._connection.close()
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Send a signal to the program, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask the program to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the program."""
        self.send_signal(signal.SIGKILL)

    def _told(self) -> int:
        # Nothing comes when the server is gone, and all that it has started with it.
        message = self._connection.recv(_LARGEST)
        return int(message) if message else -signal.SIGKILL


class Server:
    """A process to fork programs from. It ends with the process that made it.

    Parameters
    ----------
    modules
        What it imports, when the first program is asked for.
    python
        The interpreter, of an environment that has these modules.
    env
        Its environment variables.
    """

    def __init__(
        self,
        modules: Iterable[str],
        python: str = sys.executable,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fork-", dir="/tmp")
        self._address = str(Path(self._folder.name, "socket"))
        with socket.socket(socket.AF_UNIX, _KIND) as listener:
            listener.bind(self._address)
            listener.listen()
            self._process = subprocess.Popen(
                [python, __file__, str(listener.fileno()), *modules],
                env=env,
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )
        self.pid = self._process.pid

    def start(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: str | Path,
        stdout: IO | None = None,
        stderr: IO | None = None,
    ) -> Program:
        """Fork a program that behaves as ``command`` would as a new process.

        Parameters
        ----------
        command
            A Python with ``-m MODULE`` or a file, and arguments. Which Python is
            named does not matter: it is the server's.
        env, cwd
            Its environment variables, all of them, and its folder. What Python reads
            at its start alone (PYTHONPATH, PYTHONWARNINGS) is the server's.
        stdout, stderr
            Files to write to. None: the caller's own. There is nothing to read.
        """
        connection = socket.socket(socket.AF_UNIX, _KIND)
        connection.connect(self._address)
        request = {"command": list(command), "env": dict(env), "cwd": str(cwd)}
        out = 1 if stdout is None else stdout.fileno()
        err = 2 if stderr is None else stderr.fileno()
        with open(os.devnull, "rb") as nothing:
            message = json.dumps(request).encode()
            socket.send_fds(connection, [message], [nothing.fileno(), out, err])
        return Program(connection)

    def stop(self) -> None:
        """End the server, and with it the programs that still run."""
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


def _serve(listener: socket.socket, modules: Sequence[str]) -> dict:
    """Fork for ever; return in each child, with what it has been asked for."""
    # What is written to a pipe interrupts the wait for a request when a child has ended.
    ended, tell = os.pipe()
    for end in (ended, tell):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Ctrl-C is meant for the process that asks; without it, the server ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    running: dict[int, socket.socket] = {}
    pid = None
    with selectors.DefaultSelector() as sources:
        for source in (listener, sys.stdin, ended):
            sources.register(source, selectors.EVENT_READ)
        while pid != 0:
            ready = {key.fileobj for key, _ in sources.select()}
            if ended in ready:
                os.read(ended, _LARGEST)
                _tell_exit_codes(running)
            if sys.stdin in ready:
                _end(running)
            if listener in ready:
                connection, _ = listener.accept()
                message, streams, *_ = socket.recv_fds(connection, _LARGEST, 3)
                _load(modules)
                if pid := os.fork():
                    running[pid] = connection
                    for stream in streams:
                        os.close(stream)

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A group of its own, so that it can be ended with all that it starts.
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    connection.send(str(os.getpid()).encode())
    for end in (ended, tell):
        os.close(end)
    for held in (listener, connection, *running.values()):
        held.close()
    return json.loads(message)


def _load(modules: Sequence[str]) -> None:
    if set(modules) <= set(sys.modules):
        return
    for module in modules:
        importlib.import_module(module)
    # What is there now stays: the children need not look through it for garbage.
    gc.collect()
    gc.freeze()


def _tell_exit_codes(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with running.pop(pid) as connection, suppress(OSError):
            connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _end(running: Iterable[int]) -> None:
    for pid in running:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    sys.exit()


def _become(command: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
    """Go on as a new Python would with this command."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    # As in a new process, what a program does not seed comes out otherwise every time.
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    _, *sys.argv = command
    if sys.argv[0] == "-m":
        del sys.argv[0]
        sys.path[0] = os.getcwd()
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    number, *names = sys.argv[1:]
    # Ends here in the server; each child leaves the function and goes on alone.
    asked_for = _serve(socket.socket(fileno=int(number)), names)
    _become(**asked_for)
