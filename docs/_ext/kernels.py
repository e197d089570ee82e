"""The kernels that run the pages: alike, quick to start and to end, out of each other's way.

Where a process can be forked, one imports torch, and the kernel of every page is a
fork of it (`fork_server`). Elsewhere each kernel is started anew, which takes longer
and comes to the same.
"""

import atexit
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import fork_server
from freshness import kept
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from nbclient import NotebookClient
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.parallel import make_chunks

# What a kernel itself imports. Not its way to show pictures: that belongs to a kernel that runs.
_OF_A_KERNEL = ("ipykernel.kernelapp", "ipykernel.ipkernel")


class ForkProvisioner(LocalProvisioner):
    """Starts kernels as forks, where there is a process of their Python to fork from."""

    servers: ClassVar[dict[str, fork_server.Server]] = {}

    async def launch_kernel(self, cmd, **kwargs):
        """Start a kernel; see the base class."""
        server = self.servers.get(cmd[0])
        if server is None:
            return await super().launch_kernel(cmd, **kwargs)
        # Without this, a kernel would not notice that the server is gone.
        command = [*cmd, f"--IPKernelApp.parent_handle={server.pid}"]
        self.cwd = kwargs.get("cwd", Path.cwd())
        self.process = server.start(command, kwargs["env"], self.cwd)
        # It leads a group of its own.
        self.pid = self.pgid = self.process.pid
        return self.connection_info


def fork_kernels(python: str, modules: Iterable[str], env: Mapping[str, str]) -> fork_server.Server:
    """Let Jupyter fork the kernels of a Python, in this process and its children.

    Parameters
    ----------
    python
        The Python that the kernel's description names.
    modules
        What most notebooks import.
    env
        The environment variables with which that Python starts.

    Returns
    -------
    fork_server.Server
        To be stopped when no kernel is needed any more.
    """
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    server = fork_server.Server((*_OF_A_KERNEL, *modules), python, {**env, **inline})
    ForkProvisioner.servers[python] = server
    factory = KernelProvisionerFactory.instance()
    factory.default_provisioner_name = "fork"
    factory.provisioners["fork"] = EntryPoint(
        "fork", f"{__name__}:{ForkProvisioner.__name__}", factory.GROUP_NAME
    )
    return server


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
    talk_through_files()


def talk_through_files() -> None:
    """Let kernels listen at files with names of their own, where sockets can be files.

    Kernels that start side by side may choose the same port: the second one ends
    then, and its page is not built. Files cannot clash.
    """
    if os.name != "posix":
        return
    # The path of a socket must be short.
    folder = tempfile.mkdtemp(prefix="kernels-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    AsyncKernelManager.transport.default_value = "ipc"
    # traitlets looks for the default of `ip` under this name.
    AsyncKernelManager._ip_default = lambda self: os.path.join(folder, uuid.uuid4().hex)


def _deal_out(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    # Neighbours take alike long, and Sphinx gives a run of neighbours to each process.
    shares = len(make_chunks(docnames, app.parallel))
    docnames[:] = [name for share in range(shares) for name in docnames[share::shares]]


def _start_server(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    # Here, before Sphinx divides the pages among processes. It costs nothing yet: torch is
    # imported when the first page asks for a kernel.
    if docnames and fork_server.WORKS_HERE:
        server = fork_kernels(sys.executable, app.config.preloaded_modules, os.environ)
        app.connect("env-updated", lambda *_: server.stop())


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_config_value("preloaded_modules", [], "")
    app.connect("config-inited", _prepare)
    app.connect("env-before-read-docs", _deal_out)
    app.connect("env-before-read-docs", _start_server)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
