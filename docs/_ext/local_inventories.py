"""Links into other projects' documentation that need no network to be built.

Sphinx's intersphinx wants each project's inventory of names. Here it is made
from a short list in ``docs/inventories``: the names that our pages use, a line
each, and where they stand, with the anchor where it is not the name itself::

    torch.nn.Linear py:class generated/torch.nn.Linear.html
    matplotlib.axes._axes.Axes py:class api/_as_gen/matplotlib.axes.Axes.html#matplotlib.axes.Axes
"""

import zlib
from pathlib import Path

from freshness import kept
from sphinx.application import Sphinx

_ROOTS = {
    "python": "https://docs.python.org/3/",
    "torch": "https://docs.pytorch.org/docs/stable/",
    "matplotlib": "https://matplotlib.org/stable/",
}


def inventory(project: str, listing: str) -> bytes:
    """Return a list of names as a Sphinx inventory, version 2.

    Parameters
    ----------
    project
        The project's name.
    listing
        A line a name: the name, its kind, the page below the project's root.
    """
    entries = [line.split() for line in listing.splitlines() if line and line[0] != "#"]
    # "$" stands for the name itself: the anchor, unless the line gives another.
    body = ""
    for name, kind, page in entries:
        anchor = "" if "#" in page else "#$"
        body += f"{name} {kind} 1 {page}{anchor} -\n"
    head = (
        "# Sphinx inventory version 2\n"
        f"# Project: {project}\n"
        "# Version: \n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    return head.encode() + zlib.compress(body.encode())


def _write(app: Sphinx, config) -> None:
    folder = kept(app) / "inventories"
    folder.mkdir(parents=True, exist_ok=True)
    for project, root in _ROOTS.items():
        listing = Path(app.srcdir, "inventories", f"{project}.txt").read_text("utf-8")
        path = folder / f"{project}.inv"
        path.write_bytes(inventory(project, listing))
        config.intersphinx_mapping[project] = (root, str(path))


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("config-inited", _write, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
