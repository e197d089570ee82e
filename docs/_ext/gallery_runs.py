"""Gallery scripts run side by side, each in a process of its own.

sphinx-gallery runs one after the other in the process of the build, and each finds
what the ones before have left there. So what has changed is run before sphinx-gallery
looks: in forks of one process that has imported torch. It finds all up to date then, as
in a second build.
"""

import importlib
import os
from pathlib import Path

from fork_server import WORKS_HERE
from freshness import stale_scripts
from sphinx.application import Sphinx
from sphinx.util.parallel import ParallelTasks
from sphinx_gallery.gen_rst import generate_file_rst


def _run_scripts(app: Sphinx) -> None:
    scripts = stale_scripts(app)
    if not scripts or not WORKS_HERE:
        return
    conf = app.config.sphinx_gallery_conf
    target = Path(app.srcdir, conf["gallery_dirs"])
    (target / "images" / "thumb").mkdir(parents=True, exist_ok=True)
    Path(app.srcdir, conf["backreferences_dir"]).mkdir(parents=True, exist_ok=True)
    for module in app.config.preloaded_modules:
        importlib.import_module(module)
    tasks = ParallelTasks(min(app.parallel, os.cpu_count()))

    def run(script: Path) -> None:
        # What it returns cannot be sent, and is read from its files later.
        generate_file_rst(script.name, target, script.parent, conf)

    for script in scripts:
        tasks.add_task(run, script)
    tasks.join()


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    # sphinx-gallery completes its settings at 10 and runs scripts at 500.
    app.connect("builder-inited", _run_scripts, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
