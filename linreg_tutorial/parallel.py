"""The same fit over several processes: each holds a part of the points, all share one line.

Each process finds the gradient of its own points. Before a step the processes
exchange these gradients and take their mean, so that all of them step alike:
the mean over the points, computed in several places.

What starts the processes, watches over them and ends them is torchrun, here by
its interface for Python; what exchanges is gloo, which needs no accelerator.
"""

import hashlib
import itertools
import logging
import os
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist

# DDP loads it. Loaded after a group is made, it would keep hold of the group, and gloo's threads
# would outlive it: at Python's shutdown they can abort the process.
import torch.distributed.nn
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from linreg_tutorial.history import History, Recorder, warn_divergence
from linreg_tutorial.module import LineNet
from linreg_tutorial.surface import rate_limit
from linreg_tutorial.validation import (
    check_autograd,
    check_count,
    check_data,
    check_descent,
    check_number,
)

# What torchrun tells each process that it starts.
_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_groups = itertools.count()
# gloo counts milliseconds in 32 bits.
_LONGEST = 10**6


class _Job(NamedTuple):
    """What all processes are given alike."""

    x: Tensor
    t: Tensor
    a: float
    b: float
    lr: float
    steps: int


@torch.enable_grad()
def fit_parallel(
    x: Tensor,
    t: Tensor,
    *,
    a: float = 1.0,
    b: float = 0.0,
    lr: float = 0.1,
    steps: int = 100,
    processes: int | None = None,
    timeout: float = 30.0,
) -> History:
    """Fit the line y = a·x + b to points that several processes share.

    It is `fit_manual`, computed by ``DistributedDataParallel``. Called in an
    ordinary program it starts the processes itself, as ``torchrun`` does, waits
    for them, and returns what they found. Called in a program that ``torchrun``
    started, on one machine or on many, it joins the other processes: all of them
    call it with the same arguments, and each gets the same history. A group that
    the program made before by ``init_process_group("gloo")`` is used and kept.

    To start processes itself it needs torchrun's store, which PyTorch's builds
    for Windows may lack; Linux and macOS have it.

    Parameters
    ----------
    x, t
        All inputs and targets, real, on the CPU, of the same shape (n,). The
        process of rank k of N takes the k-th of N parts, ``x.tensor_split(N)[k]``.
        Parts may be of different sizes, or empty.
    a, b
        Slope and intercept to start from.
    lr
        Learning rate, above 0.
    steps
        How many steps to take: 0 or more.
    processes
        How many processes to start: 1 or more, by default 2. Under ``torchrun``
        their number is known, and it can be left out.
    timeout
        How many seconds a process waits for the others before it gives up, at
        most a million. A group that was there before keeps its own limit. (A
        process that is frozen and not dead is ended half a minute later.)

    Returns
    -------
    History
        As of `fit_manual`: the gradients and the error are those over all points.

    Raises
    ------
    TypeError, ValueError
        If an argument is unusable, differs from what another process was given,
        or a variable of ``torchrun`` is missing; no step was taken then.
    RuntimeError
        If a process dies or no longer answers; processes that were started here
        have been ended then. Also after a signal that ends the processes but not the
        program, and if this build of PyTorch has no gloo.

    Warns
    -----
    DivergenceWarning
        Once, in each process that calls it, if the error is no longer finite; the
        history ends with that state.

    Examples
    --------
    >>> from linreg_tutorial import fit_manual, two_points
    >>> x, t = two_points()
    >>> history = fit_parallel(x, t, processes=2, steps=100)
    >>> f"a = {history.a[-1]:.4f}, b = {history.b[-1]:.4f}"
    'a = 2.0393, b = 0.9364'
    >>> history.max_difference(fit_manual(x, t, steps=100)) < 1e-5
    True
    """
    check_data(x, t)
    check_autograd(x, t)
    if x.device.type != "cpu":
        raise ValueError(f"x and t must be on the CPU, got {x.device}: pass x.cpu() and t.cpu()")
    check_descent(a, b, lr, steps, x.dtype)
    check_number("timeout", timeout)
    if not 0 < timeout <= _LONGEST:
        raise ValueError(f"timeout must be above 0 seconds and at most {_LONGEST}, got {timeout}")
    if processes is not None:
        check_count("processes", processes, at_least=1)
    if not (dist.is_available() and dist.is_gloo_available()):
        raise RuntimeError("this build of PyTorch has no torch.distributed with gloo: install one")

    job = _Job(x.flatten(), t.flatten(), float(a), float(b), float(lr), int(steps))
    if dist.is_initialized() or "RANK" in os.environ:
        history = _join(job, processes, timeout)
    else:
        history = _start(job, 2 if processes is None else int(processes), timeout)
    if not history.error[-1].isfinite():
        warn_divergence(history.steps, lr, rate_limit(x))
    return history


# In each process


@contextmanager
def _group(timeout: float) -> Iterator[None]:
    """Be in the group of processes that this one was started for; the caller's own is kept."""
    if dist.is_initialized():
        if dist.get_backend() == "nccl":
            raise ValueError(
                "the group of processes must exchange by gloo, as the points are on the CPU, got "
                'nccl: pass "gloo" to init_process_group'
            )
        yield
        return
    missing = [name for name in _VARIABLES if name not in os.environ]
    if missing:
        raise ValueError(
            f"the variable RANK is set, but not {' and '.join(missing)}: start the program "
            "with torchrun, which sets all of them, or unset RANK"
        )
    for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"):
        if not os.environ[name].isdecimal():
            raise ValueError(
                f"the variable {name} must be a whole number, got {os.environ[name]!r}: start the "
                "program with torchrun, which sets it"
            )
    if int(os.environ["RANK"]) >= int(os.environ["WORLD_SIZE"]):
        raise ValueError(
            f"the variable RANK must be below WORLD_SIZE, got {os.environ['RANK']} of "
            f"{os.environ['WORLD_SIZE']}: ranks are counted from 0"
        )
    waiting = timedelta(seconds=timeout)
    store, rank, world = next(rendezvous("env://", timeout=waiting))
    # A group finds its members by what they leave in the store. A second group must not find
    # what the first one left.
    store = dist.PrefixStore(f"fit_parallel {next(_groups)}", store)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world, timeout=waiting)
    try:
        yield
    finally:
        dist.destroy_process_group()


def _join(job: _Job, processes: int | None, timeout: float) -> History:
    """Take part in a fit of several processes."""
    try:
        with _group(timeout):
            world = dist.get_world_size()
            if processes not in (None, world):
                raise ValueError(
                    f"processes must be what torchrun was told, got {processes} among {world}: "
                    "leave it out"
                )
            _check_given_alike(job)
            return _fit_part(job)
    except RuntimeError as error:
        # gloo has no exception of its own, but names its sources.
        if not (isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise
        raise RuntimeError(
            f"process {os.environ.get('RANK', 'of this group')} lost another one: it died, or did "
            "not answer in time. Look at what that one said last"
        ) from error


def _check_given_alike(job: _Job) -> None:
    """Check that all processes were given the same: else they would wait for each other."""
    mine = job._replace(x=_digest(job.x), t=_digest(job.t))._asdict()
    given: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(given, mine)
    for rank, theirs in enumerate(given):
        differing = [name for name in mine if theirs[name] != given[0][name]]
        if differing:
            raise ValueError(
                f"{' and '.join(differing)} must be the same in all processes, got something else "
                f"in process {rank} than in process 0: pass all points to each, it takes its part"
            )


def _digest(data: Tensor) -> str:
    """Return a short text that differs when any number, their order or their dtype does."""
    content = data.contiguous().view(torch.uint8).numpy()
    return f"{data.dtype} {hashlib.sha256(content).hexdigest()}"


def _fit_part(job: _Job) -> History:
    """Fit to this process's part of the points, in step with the others."""
    rank, world = dist.get_rank(), dist.get_world_size()
    x, t = (data.tensor_split(world)[rank].reshape(-1, 1) for data in (job.x, job.t))
    line = LineNet().to(x)
    for parameter, start in zip(line.parameters(), (job.a, job.b), strict=True):
        nn.init.constant_(parameter, start)
    net = DistributedDataParallel(line)
    optimizer = torch.optim.SGD(net.parameters(), lr=job.lr)
    # The mean of no point would be nan; its sum is 0.
    loss = nn.MSELoss(reduction="mean" if len(x) else "sum")
    # backward() leaves the mean of the processes' gradients. For it to be the mean over all
    # points, a part with more points must weigh more.
    weight = world * len(x) / len(job.x)

    recorder = Recorder({"a": line.linear.weight, "b": line.linear.bias})
    try:
        for step in range(job.steps + 1):
            error = weight * loss(net(x), t)
            optimizer.zero_grad()
            error.backward()
            whole = error.detach() / world
            dist.all_reduce(whole)
            finite = recorder.record(whole)
            if step == job.steps or not finite:
                break
            optimizer.step()
    finally:
        # Before the group goes. Whoever lets go of it last waits for gloo's threads, and DDP would
        # not let them have Python's lock meanwhile: each would wait for the other.
        del net
    return recorder.history()


# In the program that starts them


def _start(job: _Job, processes: int, timeout: float) -> History:
    """Start processes on this machine, and return what the first of them found."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    with _watching(), tempfile.TemporaryDirectory() as folder:
        torch.save(job._asdict(), Path(folder, "job.pt"))
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            # Port 0: a free one, which the system chooses. And not this machine's own name,
            # which need not lead anywhere.
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            monitor_interval=0.1,
            logs_specs=DefaultLogsSpecs(log_dir=folder),
        )
        # The processes look for modules where this one does, and never at its main program.
        code = (
            f"import sys; sys.path[:] = {[str(path) for path in sys.path]!r}; "
            "from linreg_tutorial.parallel import _work; "
            f"_work({folder!r}, {float(timeout)!r}, {os.getpid()})"
        )
        try:
            elastic_launch(config, sys.executable)("-c", code)
        except ChildFailedError as error:
            raise RuntimeError(_what_failed(error, processes, folder)) from None
        return History(**torch.load(Path(folder, "history.pt")))


def _work(folder: str, timeout: float, parent: int) -> None:
    """Do one process's part of a fit, as a program of its own that ``parent`` has started."""
    from torch.distributed.elastic.multiprocessing.errors import record

    # What goes wrong is told once, by the program that started this one.
    with open(_words_of(os.environ["RANK"], folder), "w") as words:
        for stream in (1, 2):
            os.dup2(words.fileno(), stream)
    done = threading.Event()
    watch = threading.Thread(target=_end_with, args=(parent, done))
    watch.start()
    # All processes share the processor: one thread each, as torchrun has it.
    torch.set_num_threads(1)
    job = _Job(**torch.load(Path(folder, "job.pt")))
    try:
        history = record(_join)(job, None, timeout)
    finally:
        done.set()
        watch.join()
    if os.environ["RANK"] == "0":
        found = {name: getattr(history, name) for name in ("values", "gradients", "error")}
        torch.save(found, Path(folder, "history.pt"))
    # All is written. What threads of torch do while Python shuts down is of no interest any more.
    os._exit(0)


def _end_with(parent: int, done: threading.Event) -> None:
    """End this process when the one that started it is gone and cannot end it any more."""
    while not done.wait(0.5):
        if os.getppid() != parent:
            os._exit(1)


@contextmanager
def _watching() -> Iterator[None]:
    """Let torchrun watch in silence, and give the program its signal handlers back."""
    from torch.distributed.elastic.multiprocessing import SignalException

    loggers = [
        logger
        for name, logger in logging.root.manager.loggerDict.items()
        if name.startswith("torch.distributed")
        and isinstance(logger, logging.Logger)
        and not logger.disabled
    ]
    for logger in loggers:
        logger.disabled = True
    # torchrun takes the signals that end a program, to end the processes first.
    in_main = threading.current_thread() is threading.main_thread()
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if in_main else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in signals}
    caught = None
    try:
        yield
    except SignalException as error:
        caught = error.sigval
    finally:
        for logger in loggers:
            logger.disabled = False
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if caught is not None:
        # The program's own handler: Ctrl-C is a KeyboardInterrupt again.
        signal.raise_signal(caught)
        # It may go on instead, but the processes are gone.
        raise RuntimeError(f"the processes were ended by {caught.name}, and nothing was returned")


def _words_of(rank: int | str, folder: str) -> Path:
    """Return the file into which a process prints."""
    return Path(folder, f"{rank}.txt")


def _what_failed(error: Any, processes: int, folder: str) -> str:
    """Say which process failed first, and how."""
    first = min(failure.timestamp for failure in error.failures.values())

    def order(item: tuple[int, Any]) -> tuple[bool, bool, bool]:
        # Times are whole seconds. Of those that failed at once, SIGTERM is what torchrun sends to
        # the others, and an exception is how one notices that another was killed.
        _, failure = item
        late = failure.timestamp > first + 1
        return late, failure.exitcode == -signal.SIGTERM, failure.exitcode >= 0

    rank, failure = min(error.failures.items(), key=order)
    if failure.exitcode < 0:
        how = f"was ended by {signal.Signals(-failure.exitcode).name}"
        words = _words_of(rank, folder)
        lines = words.read_text("utf-8", "replace").split("\n") if words.exists() else []
        if last := next(filter(str.strip, reversed(lines)), ""):
            how += f" after it had printed “{last.strip()}”"
    else:
        said = failure.message
        how = f"ended with: {said['message'] if isinstance(said, dict) else said}"
    return f"process {rank} of {processes} {how}. The others were stopped, and nothing was returned"
