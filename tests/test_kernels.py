"""The kernels of the course pages start side by side without meeting."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXTENSIONS = Path(__file__).parent.parent / "docs" / "_ext"

TWO_MANAGERS = """
import json
import kernels
from jupyter_client.manager import AsyncKernelManager
kernels._talk_through_files()
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
