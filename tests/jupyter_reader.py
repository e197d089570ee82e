"""Runs notebooks as a reader's Jupyter does; a program that test_downloads talks to.

``python jupyter_reader.py PYTHON FOLDER`` makes a kernel's description in FOLDER for
the reader's PYTHON and then reads the path of a notebook from each line that it is
sent. It runs the notebook in its own folder, writes the outputs into it, and answers
with a line: what ended it, as JSON, or null.

Where that works, the kernels are forked from one process of the reader's Python.
"""

import json
import os
import sys
from pathlib import Path

import nbformat
from fork_server import WORKS_HERE
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from kernels import fork_kernels, talk_through_files
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError


def run(notebook: Path, specs: KernelSpecManager) -> str | None:
    """Run a notebook; return what ended it before its end."""
    content = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        content,
        km=AsyncKernelManager(kernel_name="reader", kernel_spec_manager=specs),
        timeout=120,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return str(error)
    finally:
        nbformat.write(content, notebook)
    return None


def main(python: str, folder: str) -> None:
    """Run what standard input names until it ends."""
    # It was meant for this program alone.
    del os.environ["PYTHONPATH"]
    spec = Path(folder, "reader", "kernel.json")
    spec.parent.mkdir(parents=True)
    command = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "", "language": "python"}))
    specs = KernelSpecManager(kernel_dirs=[folder])
    talk_through_files()
    server = None
    if WORKS_HERE:
        # Not the package: installing it is for the notebooks to do.
        server = fork_kernels(python, ("torch", "matplotlib.pyplot", "torch._dynamo"), os.environ)
    for line in sys.stdin:
        print(json.dumps(run(Path(line.rstrip("\n")), specs)), flush=True)
    if server:
        server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
