"""A reader who has what a download names, and nothing else: environments and programs in them."""

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from fork_server import WORKS_HERE, Server
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "linreg-tutorial"


def closure(names: Iterable[str]) -> list[Distribution]:
    """Return the installed distributions that ``names`` stand for, and all that these need."""
    found, todo = {}, [Requirement(name) for name in names]
    while todo:
        wanted = todo.pop()
        key = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if key in found:
            continue
        found[key] = distribution(wanted.name)
        for need in map(Requirement, found[key].requires or []):
            extras = wanted.extras | {""}
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras):
                todo.append(need)
    return list(found.values())


def new_reader(folder: Path, names: Iterable[str]) -> Path:
    """Make an environment with pip and ``names``, linked from ours; return its Python."""
    venv.create(folder, symlinks=os.name != "nt")
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    for dist in closure(["pip", *names]):
        for top in {file.parts[0] for file in dist.files} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(dist.locate_file(top))
    return Path(sysconfig.get_path("scripts", "venv", vars=scheme), Path(sys.executable).name)


def reader_variables(home: Path) -> dict[str, str]:
    """Return the environment variables of a reader who has set none that matter here."""
    ours = ("PYTHON", "IPYTHON", "JUPYTER", "MPL", "MATPLOTLIB", "PIP_", "GITHUB_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "HOME": str(home),
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
        # What matplotlib says only where there is a screen that it was told not to use.
        "PYTHONWARNINGS": "ignore:FigureCanvasAgg is non-interactive",
    }


class Reader:
    """Runs Python programs as a reader does: in an environment of the reader's, one by one.

    Where that works they are forked from a process, of the same environment, that has
    imported what all of them begin with.
    """

    def __init__(self, python: Path, variables: Mapping[str, str], modules: Sequence[str]) -> None:
        self.python = str(python)
        self.variables = variables
        self.server = Server(modules, self.python, variables) if WORKS_HERE else None

    def run(
        self, words: Sequence[str], folder: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python WORDS`` in a folder; return its exit code and what it said."""
        command = [self.python, *words]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = self.server.start if self.server else subprocess.Popen
            program = start(command, env=self.variables, cwd=folder, stdout=out, stderr=err)
            try:
                code = program.wait(timeout)
            except (TimeoutError, subprocess.TimeoutExpired):
                program.kill()
                raise
            said = []
            for stream in (out, err):
                stream.seek(0)
                said.append(stream.read().decode("utf-8"))
        return subprocess.CompletedProcess(command, code, *said)

    def close(self) -> None:
        """End what was started."""
        if self.server:
            self.server.stop()


def needs_of_the_package(wheel: Path) -> list[str]:
    """Return what the wheel says it needs."""
    info = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/"
    requires = map(Requirement, PathDistribution(zipfile.Path(wheel, info)).requires)
    return [str(need) for need in requires if need.marker is None]


def wheel_of(site: Path) -> Path:
    (wheel,) = (site / "downloads").glob("*.whl")
    return wheel


def chosen(request: pytest.FixtureRequest, fixture: str, parameter: str) -> list:
    """Return the values of a parameter in the chosen tests that use a fixture, each once."""
    tests = [item for item in request.session.items if fixture in item.fixturenames]
    return list(dict.fromkeys(item.callspec.params[parameter] for item in tests))
