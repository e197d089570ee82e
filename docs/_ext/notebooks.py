"""Pages as notebooks for Jupyter, without outputs.

A notebook that needs the package begins with a cell that installs the wheel
beside it, or, on a published site, the one that the site carries. A file of data
that a page opens comes along in a cell that writes it.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
from exercise_source import without_exercises
from failures import label_of
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.locale import get_translation

_ = get_translation("site")

_PACKAGE = "linreg_tutorial"
# What every lesson needs, and what the package's wheel brings along by itself.
ALWAYS = ("torch", "matplotlib")


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
            f"%pip install --quiet {' '.join([*ALWAYS, *others])}"
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
    source = read_myst_markdown_notebook(without_exercises(text))
    cells = []
    for number, cell in enumerate(source.cells):
        if is_for_the_site(cell):
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
    insert_setup(cells, setup_code(wheel, needs_package_in(code), published), data)
    return notebook_with(cells)


def notebook_with(cells: list[nbformat.NotebookNode]) -> nbformat.NotebookNode:
    """Return a notebook for Python."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def is_for_the_site(cell: nbformat.NotebookNode) -> bool:
    """Tell whether a cell has a meaning on the site alone."""
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


def insert_setup(cells: list, code: str, data: Mapping[str, str] | None = None) -> None:
    """Put the installing cell below the title, or first where there is no title, and the data."""
    at = 1 if cells and cells[0].cell_type == "markdown" else 0
    cells.insert(at, nbformat.v4.new_code_cell(code, id="setup"))
    for name, text in (data or {}).items():
        written = f"%%writefile {name}\n{text.rstrip()}"
        cells.insert(at + 1, nbformat.v4.new_code_cell(written, id=f"setup-{Path(name).stem}"))


def needs_package_in(code: Iterable[str]) -> bool:
    """Tell whether pieces of code need the course's package."""
    return any(_PACKAGE in piece for piece in code)
