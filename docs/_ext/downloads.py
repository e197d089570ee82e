"""What a reader takes along: the package's wheel, every page as a notebook, all lessons as a zip.

Below ``downloads/`` of the built site stand the wheel, a notebook such as
``course/NN-topic.ipynb`` for each page that is one, and
``linreg-tutorial-lessons.zip`` with every script, every notebook and the wheel.
`{site-file}` links to them from any page.

A notebook that needs the package begins with a cell that installs the wheel
beside it, or, on a published site, the one that the site carries. What else it
installs, a script names in its own first lines. A file of data that a page opens
comes along in a cell that writes it.
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
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
from docutils import nodes
from failures import label_of
from freshness import kept
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from source_links import colab_link, repository
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxRole

_ = get_translation("site")

_FOLDER = "downloads"
_ZIP = "linreg-tutorial-lessons.zip"
_PACKAGE = "linreg_tutorial"
_DISTRIBUTION = "linreg-tutorial"
# What every lesson needs, and what the package's wheel brings along by itself.
_ALWAYS = ("torch", "matplotlib")


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


# Notebooks


def setup_code(
    wheel: str, needs_package: bool, published: str | None, others: Iterable[str] = ()
) -> str:
    """Return the first cell of a notebook: it installs what the others need.

    Parameters
    ----------
    wheel
        The file name of the package's wheel.
    needs_package
        Whether the notebook imports the course's package.
    published
        The address of the wheel on the published site, where there is one.
    others
        What the notebook needs beside the package, torch and matplotlib.
    """
    if not needs_package:
        return (
            "# Run this cell first: it installs what the others need.\n"
            f"%pip install --quiet {' '.join([*_ALWAYS, *others])}"
        )
    if published:
        elsewhere = f'    wheel = "{published}"'
    else:
        elsewhere = (
            "    raise FileNotFoundError(\n"
            '        f"download {wheel} from the page of this notebook into {Path.cwd()}, "\n'
            '        "then run this cell again"\n'
            "    )"
        )
    return (
        "# Run this cell first: it installs what the others need, the course's package included.\n"
        "from pathlib import Path\n\n"
        f'wheel = "{wheel}"\n'
        "if not Path(wheel).exists():\n"
        f"{elsewhere}\n"
        f"%pip install --quiet {' '.join(['{wheel}', *others])}"
    )


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
    return [name for name in said.get("dependencies", []) if name not in _ALWAYS]


def notebook_of(
    text: str, wheel: str, published: str | None, folder: Path | None = None
) -> nbformat.NotebookNode:
    """Return a page as a notebook for Jupyter, without outputs.

    A cell that has to fail carries the tag with which Jupyter goes on after it.

    Parameters
    ----------
    text
        The page's MyST Markdown.
    wheel, published
        As for `setup_code`.
    folder
        Where the page stands, and the data that it opens.
    """
    source = read_myst_markdown_notebook(text)
    cells = []
    for number, cell in enumerate(source.cells):
        if _is_for_the_site(cell):
            continue
        name = f"cell-{number}"
        if cell.cell_type == "markdown":
            cells.append(nbformat.v4.new_markdown_cell(plain_markdown(cell.source), id=name))
        else:
            if label := label_of(cell.metadata):
                cells.append(nbformat.v4.new_markdown_cell(label, id=f"{name}-label"))
            cells.append(nbformat.v4.new_code_cell(cell.source, id=name))
            if "raises-exception" in cell.metadata.get("tags", []):
                cells[-1].metadata.tags = ["raises-exception"]
            caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption")
            if caption:
                below = nbformat.v4.new_markdown_cell(_emphasised(caption), id=f"{name}-caption")
                cells.append(below)
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    data = {name: (folder / name).read_text("utf-8") for name in _opened(code)}
    _insert_setup(cells, setup_code(wheel, _needs_package(code), published), data)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _is_for_the_site(cell: nbformat.NotebookNode) -> bool:
    return "site-only" in cell.metadata.get("tags", [])


def plain_markdown(text: str) -> str:
    r"""Return MyST Markdown, or what sphinx-gallery left of reST, as what Jupyter shows.

    >>> print(plain_markdown("The error is {run}`6.5 <e>`, see [before](03-predict.md)."))
    The error is 6.5, see [before](03-predict.ipynb).
    >>> print(plain_markdown("{py:class}`nn.Linear <torch.nn.Linear>` makes a layer."))
    `nn.Linear` makes a layer.
    >>> print(plain_markdown("A {term}`leaf`, two {term}`leaves <leaf>`."))
    A leaf, two leaves.
    >>> print(plain_markdown(":::{admonition} Before you read on\nWhat comes?\n:::"))
    > **Before you read on**
    >
    > What comes?
    >>> print(plain_markdown("One.\n\n{playground}`Try it <lr=0.1>`, and\nlook.\n\nTwo."))
    One.
    <BLANKLINE>
    Two.
    """
    text = re.sub(r"\{run\}`([^`]*?) <[^`]*>`", r"\1", text)
    text = re.sub(r"\{term\}`([^`]*?)(?: <[^`]*>)?`", r"\1", text)
    text = re.sub(r"^%.*\n?", "", text, flags=re.MULTILINE)
    # What leads into the playground, a paragraph of its own, stays on the site.
    text = re.sub(r"^\{playground\}`.*\n(?:.+\n)*\n?", "", text, flags=re.MULTILINE)
    text = re.sub(
        r"[{:](?:py:)?(?:func|class|meth|mod|attr|obj|data)[}:]`~?([^`<]*?)(?: <[^`]*>)?`",
        r"`\1`",
        text,
    )
    text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.MULTILINE)
    # Pages of one folder lie beside each other as notebooks; others stay on the site.
    text = re.sub(r"\]\((?!index)([\w-]+)\.md\)", r"](\1.ipynb)", text)
    text = re.sub(r"\[([^\]]+)\]\((?:\.\.?/|#|index)[^)]*\)", r"\1", text)
    text = re.sub(r"\{site-file\}`([^`<]*?) <[^`]*>`", r"\1", text)
    text = re.sub(r"^:::\{answer\}\n(.*?)^:::$", _fold, text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(
        r"^:::\{step-through\}\n(.*?)^:::$", _caption, text, flags=re.MULTILINE | re.DOTALL
    )
    return re.sub(r"^:::\{(\w+)\}(.*?)\n(.*?)^:::$", _quote, text, flags=re.MULTILINE | re.DOTALL)


def _fold(match: re.Match) -> str:
    # The empty lines make Jupyter read what stands between the tags as Markdown.
    title = _("Open the answer")
    return f"<details><summary>{title}</summary>\n\n{match[1].strip()}\n\n</details>"


def _caption(match: re.Match) -> str:
    return _emphasised(re.sub(r"^:.*", "", match[1], flags=re.MULTILINE))


def _emphasised(caption: str) -> str:
    return f"*{' '.join(caption.split())}*"


def _quote(match: re.Match) -> str:
    title = match[2].strip() or match[1].capitalize()
    body = re.sub(r"^:\w+:.*\n", "", match[3], flags=re.MULTILINE).strip()
    lines = [f"**{title}**", "", *body.splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _opened(code: Iterable[str]) -> list[str]:
    """Return the names of the files of data that a page's code opens."""
    return re.findall(r"\bopen\(\"([\w-]+\.json)\"", "\n".join(code))


def _insert_setup(cells: list, code: str, data: Mapping[str, str] | None = None) -> None:
    """Put the installing cell below the title, or first where there is no title, and the data."""
    at = 1 if cells and cells[0].cell_type == "markdown" else 0
    cells.insert(at, nbformat.v4.new_code_cell(code, id="setup"))
    for name, text in (data or {}).items():
        written = f"%%writefile {name}\n{text.rstrip()}"
        cells.insert(at + 1, nbformat.v4.new_code_cell(written, id=f"setup-{Path(name).stem}"))


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
        _insert_setup(notebook.cells, setup)
        files = {
            script.name: script.read_bytes(),
            path.name: (nbformat.writes(notebook) + "\n").encode(),
        }
        _write_if_new(path, files[path.name])
        if needs_package:
            files[wheel.name] = wheel.read_bytes()
        _write_if_new(path.with_suffix(".zip"), _zipped(files))


def _write_if_new(path: Path, content: bytes) -> None:
    """Write a file, but leave its date where it says the same: its page would be read again."""
    if path.read_bytes() != content:
        path.write_bytes(content)


def _needs_package(code: Iterable[str]) -> bool:
    return any(_PACKAGE in piece for piece in code)


def _needs(script: Path) -> tuple[bool, list[str]]:
    """Return whether a script needs the package, and what else it needs."""
    others = [name for name in needs_of(script.read_text("utf-8")) if name != _DISTRIBUTION]
    return _needs_package([_code(script)]), others


def _gallery(app: Sphinx) -> Path:
    return Path(app.srcdir, "gallery")


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
        mine = (c for c in cells if c.cell_type == "code" and not _is_for_the_site(c))
        needs_package, others = _needs_package(cell.source for cell in mine), []
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
        "packages": [*_ALWAYS, *others],
        "colab": colab_link(name, notebook) if name else None,
    }


# Files


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, _FOLDER)
    files = _files(app)
    # Nothing shall be left of a lesson that is gone.
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    lessons = {f"linreg-tutorial/{Path(name).name}": files[name] for name in files}
    (folder / _ZIP).write_bytes(_zipped(lessons))


def _files(app: Sphinx) -> dict[str, bytes]:
    """Return all that is offered, by its name below the folder of downloads."""
    wheel = app.wheel.name
    files = {wheel: app.wheel.read_bytes()}
    for docname in sorted(app.env.found_docs):
        if text := _notebook_text(app, docname):
            page = Path(app.env.doc2path(docname))
            notebook = notebook_of(text, wheel, _published_wheel(wheel), page.parent)
            files[f"{docname}.ipynb"] = (nbformat.writes(notebook) + "\n").encode()
    for path in sorted([*_gallery(app).glob("*.py"), *_gallery(app).glob("*.ipynb")]):
        files[f"gallery/{path.name}"] = path.read_bytes()
    return files


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
