"""Pages load the styles and scripts that they use, and no others.

The two engines and the settings add theirs to every page of the site. What a page
needs can be seen from its body.
"""

from sphinx.application import Sphinx

# Part of a file's name, and what stands in the body of every page that needs the file.
_NEEDED_FOR = {
    "sg_gallery": "sphx-glr-",
    "sg-tags": "sphx-glr-",
    "mystnb.": "cell_input",
    "sheet.": ' one-sheet"',
}


def _leave_out(app: Sphinx, pagename: str, templatename: str, context, doctree) -> None:
    body = context.get("body", "")

    def is_used(asset) -> bool:
        name = str(asset.filename or "").rpartition("/")[2]
        return all(sign in body for part, sign in _NEEDED_FOR.items() if name.startswith(part))

    for kind in ("css_files", "script_files"):
        context[kind] = [asset for asset in context[kind] if is_used(asset)]


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    # After everybody else has added what is theirs.
    app.connect("html-page-context", _leave_out, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
