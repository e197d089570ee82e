"""What a reader takes along: the package's wheel, every page as a notebook, all lessons as a zip.

Below ``downloads/`` of the built site stand the wheel, a notebook such as
``course/NN-topic.ipynb`` for each page that is one, and
``linreg-tutorial-lessons.zip`` with every script, every notebook and the wheel.
`{site-file}` links to them from any page.

How a page becomes a notebook, `notebooks` says, and how its exercises become two,
`exercise_notebooks`. What a script needs beside the package, it names in its own
first lines.
"""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
from docutils import nodes
from exercise_notebooks import KINDS, exercise_notebook
from exercise_source import read_section
from exercises import prediction
from freshness import digest_of, kept
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from notebooks import (
    ALWAYS,
    insert_setup,
    is_for_the_site,
    needs_package_in,
    notebook_of,
    plain_markdown,
    setup_code,
)
from source_links import colab_link, repository
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxRole

_ = get_translation("site")

_FOLDER = "downloads"
_ZIP = "linreg-tutorial-lessons.zip"
_DISTRIBUTION = "linreg-tutorial"


# The wheel


def _build_wheel(app: Sphinx) -> None:
    root = Path(app.srcdir).parent
    # What else goes into a wheel, beside the package that the digest knows.
    described = b"".join(
        (root / n).read_bytes() for n in ("pyproject.toml", "README.md", "LICENSE")
    )
    name = f"{app.config.run_digest}-{hashlib.sha256(described).hexdigest()[:8]}"
    folder = kept(app) / "wheel" / name
    if not list(folder.glob("*.whl")):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        run = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if run.returncode:
            raise ExtensionError(f"the package's wheel could not be built:\n{run.stderr}")
    (app.wheel,) = folder.glob("*.whl")


# What a script says of itself


def needs_of(script: str) -> list[str]:
    r"""Return what a script's first lines say it needs beside torch and matplotlib.

    Parameters
    ----------
    script
        The text of the script, which begins with its PEP 723 block.

    >>> needs_of('# /// script\n# dependencies = ["torch", "matplotlib", "tqdm"]\n# ///\n')
    ['tqdm']
    """
    block = re.search(r"^# /// script\n(.*?)^# ///$", script, flags=re.MULTILINE | re.DOTALL)
    said = tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE)) if block else {}
    return [name for name in said.get("dependencies", []) if name not in ALWAYS]


def _published_wheel(wheel: str) -> str | None:
    """Return where a notebook elsewhere finds the wheel: on Read the Docs, or on gh-pages."""
    if site := os.environ.get("READTHEDOCS_CANONICAL_URL"):
        return f"{site.rstrip('/')}/{_FOLDER}/{wheel}"
    name = repository(os.environ)
    return name and f"https://github.com/{name}/raw/gh-pages/{_FOLDER}/{wheel}"


def _notebook_text(app: Sphinx, docname: str) -> str | None:
    """Return the text of a page that is offered as a notebook; None for another page."""
    if not docname.startswith(("course/", "beyond/", "troubleshooting/")):
        return None
    text = Path(app.env.doc2path(docname)).read_text("utf-8")
    return text if is_myst_markdown_notebook(text) else None


def _complete_gallery(app: Sphinx) -> None:
    """Give what sphinx-gallery offers its installing cell, plain text, and the wheel in the zip."""
    wheel = app.wheel
    for path in sorted(_gallery(app).glob("*.ipynb")):
        script = path.with_suffix(".py")
        needs_package, others = _needs(script)
        notebook = nbformat.read(path, as_version=4)
        notebook.nbformat_minor = 5
        notebook.cells = [cell for cell in notebook.cells if cell.get("id") != "setup"]
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"
            if cell.cell_type == "markdown":
                cell.source = plain_markdown(cell.source)
        setup = setup_code(wheel.name, needs_package, _published_wheel(wheel.name), others)
        insert_setup(notebook.cells, setup)
        files = {
            script.name: script.read_bytes(),
            path.name: _bytes_of(notebook),
        }
        _write_if_new(path, files[path.name])
        if needs_package:
            files[wheel.name] = wheel.read_bytes()
        _write_if_new(path.with_suffix(".zip"), _zipped(files))


def _write_if_new(path: Path, content: bytes) -> None:
    """Write a file, but leave its date where it says the same: its page would be read again."""
    if path.read_bytes() != content:
        path.write_bytes(content)


def _needs(script: Path) -> tuple[bool, list[str]]:
    """Return whether a script needs the package, and what else it needs."""
    others = [name for name in needs_of(script.read_text("utf-8")) if name != _DISTRIBUTION]
    return needs_package_in([_code(script)]), others


def _gallery(app: Sphinx) -> Path:
    return Path(app.srcdir, "gallery")


def _lessons(app: Sphinx) -> list[Path]:
    """Return the gallery's scripts and notebooks."""
    return sorted([*_gallery(app).glob("*.py"), *_gallery(app).glob("*.ipynb")])


def _code(script: Path) -> str:
    """Return a script without its comments."""
    return re.sub(r"^#.*$", "", script.read_text("utf-8"), flags=re.MULTILINE)


# Links


class SiteFile(SphinxRole):
    """``{site-file}`title <name>` ``: a link to a file below ``downloads/``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link, relative to the page."""
        title, _, name = self.text.rpartition(" <")
        up = "../" * self.env.docname.count("/")
        address = f"{up}{_FOLDER}/{name.rstrip('>')}"
        return [nodes.reference("", title, refuri=address, classes=["download"])], []


def _offer(app: Sphinx, pagename: str, templatename: str, context, doctree) -> None:
    """Tell the page's template what there is to take along."""
    script = _gallery(app) / f"{Path(pagename).name}.py"
    if text := _notebook_text(app, pagename):
        cells = read_myst_markdown_notebook(text).cells
        mine = (c for c in cells if c.cell_type == "code" and not is_for_the_site(c))
        needs_package, others = needs_package_in(cell.source for cell in mine), []
    elif pagename.startswith("gallery/") and script.exists():
        text = None
        needs_package, others = _needs(script)
    else:
        return
    up = "../" * pagename.count("/")
    notebook = f"{_FOLDER}/{pagename}.ipynb"
    name = repository(os.environ)
    context["run_it"] = {
        # sphinx-gallery's own buttons offer a script and its notebook.
        "notebook": up + notebook if text else None,
        "notebook_name": f"{Path(pagename).name}.ipynb",
        "script": None if text else script.name,
        "wheel": f"{up}{_FOLDER}/{app.wheel.name}" if needs_package else None,
        "wheel_name": app.wheel.name,
        "packages": [*ALWAYS, *others],
        "colab": colab_link(name, notebook) if name else None,
    }


# Files


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, _FOLDER)
    # In the folder itself, and written last: it is gone with what it vouches for.
    made_of, stamp = _sources(app), folder / ".digest"
    if stamp.exists() and stamp.read_text() == made_of:
        return
    files = _files(app)
    # Nothing shall be left of a lesson that is gone.
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    lessons = {f"linreg-tutorial/{Path(name).name}": files[name] for name in files}
    (folder / _ZIP).write_bytes(_zipped(lessons))
    stamp.write_text(made_of)


def _sources(app: Sphinx) -> str:
    """Return a digest of all that the files are made of."""
    settings = f"{app.config.run_digest} {app.config.language} {_published_wheel('')}"
    pages = [Path(app.env.doc2path(name)) for name in sorted(app.env.found_docs)]
    return digest_of(settings, [app.wheel, *pages, *_lessons(app)], Path(app.srcdir))


def _files(app: Sphinx) -> dict[str, bytes]:
    """Return all that is offered, by its name below the folder of downloads."""
    wheel = app.wheel.name
    files = {wheel: app.wheel.read_bytes()}
    for docname in sorted(app.env.found_docs):
        if text := _notebook_text(app, docname):
            page = Path(app.env.doc2path(docname))
            notebook = notebook_of(text, wheel, _published_wheel(wheel), page.parent)
            files[f"{docname}.ipynb"] = _bytes_of(notebook)
            files |= _exercises_of(app, docname, text)
    for path in _lessons(app):
        files[f"gallery/{path.name}"] = path.read_bytes()
    return files


def _exercises_of(app: Sphinx, docname: str, text: str) -> dict[str, bytes]:
    """Return the notebooks of a page's exercises, with the numbers of the page's run."""
    section = read_section(text)
    if section is None:
        return {}
    wheel = app.wheel.name
    numbers = {
        field["name"]: (field["answer"], [m["value"] for m in field], field["tolerance"])
        for field in app.env.get_doctree(docname).findall(prediction)
    }
    title, published = app.env.titles[docname].astext(), _published_wheel(wheel)
    made = {
        kind: exercise_notebook(
            section, title, numbers, kind=kind, wheel=wheel, published=published
        )
        for kind in KINDS
    }
    return {f"{docname}-{kind}.ipynb": _bytes_of(made[kind]) for kind in KINDS}


def _bytes_of(notebook: nbformat.NotebookNode) -> bytes:
    return (nbformat.writes(notebook) + "\n").encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A date of its own would make every build's zip another one.
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_role("site-file", SiteFile())
    app.connect("builder-inited", _build_wheel, priority=100)
    app.connect("builder-inited", _complete_gallery, priority=800)
    app.connect("html-page-context", _offer)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
