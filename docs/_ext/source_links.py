"""“Edit this page” and “Open in Colab”, where the public repository is known.

GitHub tells its name to its own builds in ``GITHUB_REPOSITORY``, Read the Docs
the address it cloned from in ``READTHEDOCS_GIT_CLONE_URL``. Elsewhere nobody
knows, and pages carry neither link.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx


def repository(environment: Mapping[str, str]) -> str | None:
    """Return ``owner/name`` of the public repository on GitHub, or None.

    >>> repository({"GITHUB_REPOSITORY": "someone/something"})
    'someone/something'
    >>> repository({"READTHEDOCS_GIT_CLONE_URL": "https://github.com/someone/something.git"})
    'someone/something'
    >>> repository({})
    """
    if name := environment.get("GITHUB_REPOSITORY"):
        return name
    clone = environment.get("READTHEDOCS_GIT_CLONE_URL", "")
    found = re.fullmatch(r"(?:https://|git@)github\.com[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?", clone)
    return found[1] if found else None


def branch_of(environment: Mapping[str, str]) -> str:
    """Return the branch that the site is built from.

    >>> branch_of({"READTHEDOCS_GIT_IDENTIFIER": "next"}), branch_of({})
    ('next', 'main')
    """
    known = (environment.get(n) for n in ("GITHUB_REF_NAME", "READTHEDOCS_GIT_IDENTIFIER"))
    return next(filter(None, known), "main")


def colab_link(repository: str, notebook: str) -> str:
    """Return where Colab opens a notebook of the published site.

    The workflow that publishes puts the built site on the branch ``gh-pages``.
    """
    return f"https://colab.research.google.com/github/{repository}/blob/gh-pages/{notebook}"


def _add_edit_link(app: Sphinx, pagename: str, templatename: str, context, doctree) -> None:
    name = repository(os.environ)
    source = _source_of(app, pagename)
    if name and source:
        branch = branch_of(os.environ)
        context["theme_source_edit_link"] = f"https://github.com/{name}/edit/{branch}/{source}"
    else:
        context["page_source_suffix"] = ""


def _source_of(app: Sphinx, pagename: str) -> str | None:
    """Return the file that a person would edit to change the page, if there is one."""
    root = Path(app.srcdir).parent
    candidates = [
        f"docs/{pagename}.md",
        f"{pagename}.py",
        "gallery/GALLERY_HEADER.rst" if pagename == "gallery/index" else "",
    ]
    return next((c for c in candidates if c and (root / c).is_file()), None)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("html-page-context", _add_edit_link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
