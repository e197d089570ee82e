"""Stale results are impossible: a digest of all that outputs depend on steers both caches.

The engine of the course pages looks a notebook up by its cells, the gallery's a
script by its own text. Neither knows the package behind it, or the version of
torch. So a digest of the package's sources, this folder's extensions, the
figures' style, the records of measurements and the versions of what computes and
draws

* is part of the path of the notebooks' cache,
* is a setting of the environment, so that a change of it reads every page anew,
* makes the generated gallery be deleted when it differs from the last build's, or
  when a script is gone.

A page or script that holds code but was not executed ends the build, too.
"""

import functools
import hashlib
import os
import platform
import shutil
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.cache.main import JupyterCacheBase
from myst_nb.core.read import is_myst_markdown_notebook
from records import paths as records
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.parallel import parallel_available
from sphinx_gallery.utils import get_md5sum

if parallel_available:
    import fcntl

_VERSIONS_THAT_COUNT = ("torch", "numpy", "matplotlib", "ipykernel", "ipython", "sphinx-gallery")


def kept(app: Sphinx) -> Path:
    """Return the folder, beside Sphinx's own doctrees, of what is kept from build to build."""
    return Path(app.doctreedir) / "kept"


def digest(root: Path) -> str:
    """Return the digest of everything but the pages themselves.

    Parameters
    ----------
    root
        The folder of the repository.
    """
    files = [
        *sorted((root / "linreg_tutorial").glob("**/*.py")),
        root / "linreg_tutorial" / "palette.json",
        *sorted((root / "docs" / "_ext").glob("**/*.py")),
        root / "docs" / "matplotlibrc",
        *records(root / "docs"),
    ]
    versions = [f"{name} {version(name)}" for name in _VERSIONS_THAT_COUNT]
    return digest_of(" ".join([platform.python_version(), *versions]), files, root)


def digest_of(settings: str, files: Iterable[Path], root: Path) -> str:
    """Return the digest of settings and of files: their places below a folder, and contents."""
    found = hashlib.sha256(settings.encode())
    for path in files:
        found.update(Path(os.path.relpath(path, root)).as_posix().encode() + b"\0")
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _write_one_at_a_time(lock: Path) -> None:
    """Let the processes of a build write into the notebooks' cache one after the other.

    Two pages with the same code are one entry there, and may be done at the same time.
    """
    write = JupyterCacheBase.cache_notebook_bundle

    @functools.wraps(write)
    def locked(*args, **kwargs):
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            return write(*args, **kwargs)

    JupyterCacheBase.cache_notebook_bundle = locked


def _prepare(app: Sphinx, config) -> None:
    source = Path(app.srcdir)
    config.run_digest = digest(source.parent)

    notebooks = kept(app) / "notebooks"
    config.nb_execution_cache_path = str(notebooks / config.run_digest)
    for old in notebooks.glob("*"):
        if old.name != config.run_digest:
            shutil.rmtree(old)

    # Here, before pages are read side by side and each would make the same tables.
    _ = get_cache(config.nb_execution_cache_path).db
    if parallel_available:
        _write_one_at_a_time(notebooks / config.run_digest / "lock")

    gallery = source / config.sphinx_gallery_conf["gallery_dirs"]
    stamp = gallery / "digest.txt"
    # A script that is gone must not leave its page behind.
    scripts = {path.name for path in (source.parent / "gallery").glob("*.py")}
    is_gone = {path.name for path in gallery.glob("*.py")} - scripts
    if is_gone or not stamp.exists() or stamp.read_text() != config.run_digest:
        shutil.rmtree(gallery, ignore_errors=True)
        gallery.mkdir()
        stamp.write_text(config.run_digest)


def stale_scripts(app: Sphinx) -> list[Path]:
    """Return the gallery scripts that have not run to their end as they are now."""
    gallery = Path(app.srcdir) / app.config.sphinx_gallery_conf["gallery_dirs"]
    scripts = (Path(app.srcdir).parent / "gallery").glob("*.py")
    # sphinx-gallery writes a script's .md5 after it has run to its end, and only then.
    stamps = {script: gallery / f"{script.name}.md5" for script in sorted(scripts)}
    return [
        script
        for script, stamp in stamps.items()
        if not stamp.exists() or stamp.read_text() != get_md5sum(script, mode="t")
    ]


def _check_scripts(app: Sphinx) -> None:
    if missing := stale_scripts(app):
        names = ", ".join(script.name for script in missing)
        raise ExtensionError(f"gallery scripts that were not executed: {names}")


def _check_pages(app: Sphinx, env: BuildEnvironment) -> None:
    not_run = []
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        if path.suffix != ".md" or "```{code-cell}" not in (text := path.read_text("utf-8")):
            continue
        ran = env.nb_metadata.get(docname, {}).get("exec_data", {}).get("succeeded", False)
        if not (is_myst_markdown_notebook(text) and ran):
            not_run.append(docname)
    if not_run:
        raise ExtensionError(
            f"pages whose code was not executed to its end: {', '.join(not_run)}. The cell that "
            "raised stands above; if there is none, the page lacks the notebook header that "
            "CONTRIBUTING.md shows"
        )


def _remove_old_pages(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Delete the pages of sources that are gone: Sphinx leaves them in the site."""
    if app.builder.format == "html":
        for docname in removed:
            app.builder.get_output_path(docname).unlink(missing_ok=True)
    return []


def _drop_reports(app: Sphinx, exception: Exception | None) -> None:
    # Tracebacks of a build that failed; the one that has succeeded has none.
    if exception is None:
        shutil.rmtree(Path(app.outdir, "reports"), ignore_errors=True)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_config_value("run_digest", "", "env")
    app.connect("config-inited", _prepare)
    app.connect("builder-inited", _check_scripts, priority=900)
    app.connect("env-get-outdated", _remove_old_pages)
    app.connect("env-check-consistency", _check_pages)
    app.connect("build-finished", _drop_reports)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
