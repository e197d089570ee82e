"""The kernels that run the pages: alike, quick to end, out of each other's way."""

import atexit
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from freshness import kept
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from sphinx.application import Sphinx


def _prepare(app: Sphinx, config) -> None:
    extensions = Path(app.srcdir, "_ext")
    # One thread, the site's figure style, vector pictures.
    profile = kept(app) / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    shutil.copy(extensions / "kernel_config.py", profile / "ipython_kernel_config.py")
    python_path = [str(extensions), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ |= {
        "IPYTHONDIR": str(profile.parent),
        "MATPLOTLIBRC": str(Path(app.srcdir, "matplotlibrc")),
        "OMP_NUM_THREADS": "1",
        # Pages come out the same on every machine, with a graphics card or without.
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": os.pathsep.join(python_path),
    }

    # On this machine alone: no encryption to warn about, no wait at the end.
    if "transport_encryption" in AsyncKernelManager.class_trait_names():
        AsyncKernelManager.transport_encryption.default_value = "auto"
    NotebookClient.shutdown_kernel.default_value = "immediate"
    if os.name == "posix":
        _talk_through_files()


def _talk_through_files() -> None:
    """Let kernels listen at files with names of their own.

    Kernels that start side by side may choose the same port: the second one ends
    then, and its page is not built. Files cannot clash.
    """
    # The path of a socket must be short.
    folder = tempfile.mkdtemp(prefix="kernels-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    AsyncKernelManager.transport.default_value = "ipc"
    # traitlets looks for the default of `ip` under this name.
    AsyncKernelManager._ip_default = lambda self: os.path.join(folder, uuid.uuid4().hex)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("config-inited", _prepare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
