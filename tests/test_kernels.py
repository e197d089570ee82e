"""The kernels of the course pages: forked or not, they show the same, and never meet."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import fork_server
import pytest

EXTENSIONS = Path(__file__).parent.parent / "docs" / "_ext"

TWO_MANAGERS = """
import json
import kernels
from jupyter_client.manager import AsyncKernelManager
kernels.talk_through_files()
managers = AsyncKernelManager(), AsyncKernelManager()
print(json.dumps([[manager.transport, manager.ip] for manager in managers]))
"""


@pytest.mark.skipif(os.name != "posix", reason="sockets that are files are POSIX's")
def test_no_two_pages_can_want_the_same_port():
    run = subprocess.run(
        [sys.executable, "-c", TWO_MANAGERS],
        env=os.environ | {"PYTHONPATH": str(EXTENSIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    (one, path), (other, other_path) = json.loads(run.stdout)
    assert one == other == "ipc"
    assert path != other_path
    # The longest name that is made of it must fit into a socket's address: 104 bytes on macOS.
    assert len(f"{path}-5") < 104
    # The folder is gone when the build has ended.
    assert not Path(path).parent.exists()


# Two notebooks, one after the other; each kernel says which process has made it.
RUN_TWO = """
import json, os, sys
import fork_server, kernels, nbformat
from nbclient import NotebookClient

if sys.argv[1] == "forked":
    server = kernels.fork_kernels(sys.executable, ["torch", "matplotlib.pyplot"], os.environ)
cells = json.load(sys.stdin)
for _ in range(2):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, kernel_name="python3", shutdown_kernel="immediate").execute()
    print(json.dumps([cell.outputs for cell in notebook.cells]))
if sys.argv[1] == "forked":
    server.stop()
"""
CELLS = [
    "import os, sys\nfrom pathlib import Path\n"
    "print(b'fork_server.py' in Path(f'/proc/{os.getppid()}/cmdline').read_bytes())",
    "print('seen before:', hasattr(sys, 'seen'))\nsys.seen = True",
    "import torch\ntorch.manual_seed(0)\ntorch.rand(2)",
    "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.plot([1, 2])\nplt.show()",
    "import warnings\nwarnings.warn('look')",
]


def outputs(way: str, folder: Path) -> list[list]:
    """Return the outputs of each cell in two notebooks."""
    run = subprocess.run(
        [sys.executable, "-c", RUN_TWO, way],
        input=json.dumps(CELLS),
        env=os.environ | {"PYTHONPATH": str(EXTENSIONS), "IPYTHONDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.skipif(not fork_server.WORKS_HERE, reason="where nothing is forked, all are alike")
def test_forked_kernel_shows_what_a_new_one_shows_pictures_and_warnings_too(tmp_path):
    forked, new = (outputs(way, tmp_path / way) for way in ("forked", "new"))
    for way, told in ((forked, "True\n"), (new, "False\n")):
        for notebook in way:
            assert notebook[0][0]["text"] == told, "it was forked, or it was not"
            assert notebook[1][0]["text"] == "seen before: False\n"
            assert "image/png" in notebook[3][0]["data"]
    # The warning names the process in the path of its cell.
    for notebook in (*forked, *new):
        (warning,) = notebook[4]
        warning["text"] = re.sub(r"ipykernel_\d+/\d+", "cell", warning["text"])
        assert "look" in warning["text"]
    assert [notebook[1:] for notebook in forked] == [notebook[1:] for notebook in new]
