"""Wide tables of a sheet can be read on a phone, where their cells stand one below the other.

Then the names of the columns have no place above them. So each cell, except those of the
first column, begins with the name of its column. The style of the sheet shows it on narrow
screens only. The names come from the table, translated where the site is translated.
"""

from docutils import nodes
from sphinx.application import Sphinx

# With fewer columns a table fits as it is.
_COLUMNS = 3


def _name_cells(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.format != "html":
        return
    for table in doctree.findall(nodes.table):
        head = next(table.findall(nodes.thead), None)
        if head is None or len(names := _cells(head[0])) < _COLUMNS or not _is_wide(table):
            continue
        table["classes"].append("stacked")
        for row in next(table.findall(nodes.tbody)).findall(nodes.row):
            for name, cell in list(zip(names, _cells(row), strict=True))[1:]:
                text = name.astext()
                if text and cell.children:
                    cell[0].insert(0, nodes.inline("", text, classes=["of-column"]))


def _cells(row: nodes.Element) -> list[nodes.entry]:
    return [cell for cell in row if isinstance(cell, nodes.entry)]


def _is_wide(table: nodes.table) -> bool:
    # The theme puts a box around each table.
    section = table.parent
    while not isinstance(section, nodes.section | nodes.document):
        section = section.parent
    return "wide" in section["classes"]


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("doctree-resolved", _name_cells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
