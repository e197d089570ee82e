"""Failures that are run: what a cell is said to raise or to warn of is what it did.

A cell that goes wrong says how, and a cell that does it right has the tag ``fix``::

    ```{code-cell}
    :tags: [wrong, raises-exception]
    :fails: "RuntimeError: Trying to backward through the graph a second time"

    e.backward()
    e.backward()
    ```

``:fails:`` holds the exception's type and the beginning of its message, ``:warns:``
the same of a warning. A list holds several warnings, or exceptions of which one is
raised, where machines differ. ``:also:`` lists messages of the same mistake that
cannot be had here. The build fails when a cell does something else, and when a cell
of any page fails or warns and does not say so.

What is shown of a traceback is the line of the cell and the message, of a warning the
message and the line. Folders of the machine that built torch or the site are cut.

The extension ``message_index`` lists what was said.
"""

import re
from typing import NamedTuple

from answers import is_cell
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.locale import get_translation
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import traverse_parent

_ = get_translation("site")

# Where it was in torch's sources, and where in the memory.
_MACHINE = re.compile(r" \(Triggered internally at .*?:\d+\.?\)| at 0x[0-9a-f]+")
# "/tmp/ipykernel_1/2.py:3: UserWarning: text", maybe more lines of text, "  the line of code".
_BEGINNING = re.compile(r"^(?=\S.*?:\d+: \w*Warning: )", re.MULTILINE)
_WARNING = re.compile(
    r"(?P<place>\S.*?):\d+: (?P<message>\w*Warning: (?:(?s:.*?)(?=\n  )|.*))(?:\n  (?P<line>.*))?"
)
# With these, nobody would see how a cell fails, and neither would the check.
_HIDING = {"remove-output", "remove_output", "remove-stderr"}


class Failure(NamedTuple):
    """A message, and the section of a page where it happened."""

    message: str
    anchor: str
    title: str
    was_run: bool


def told_by_traceback(text: str) -> tuple[str, str]:
    """Return the cell's line that did not work and the message, from IPython's traceback.

    The line is empty where there is none: Python could not read the cell.

    >>> told_by_traceback('''
    ... --------------------------------------------------
    ... KeyError         Traceback (most recent call last)
    ... Cell In[2], line 1
    ... ----> 1 {}["a"]
    ...
    ... KeyError: 'a'
    ... ''')
    ('----> 1 {}["a"]', "KeyError: 'a'")
    """
    # Where one exception led to another, the last one is what is told.
    heads = list(re.finditer(r"^(\w+) +Traceback \(most recent call last\)$", text, re.MULTILINE))
    if not heads:
        return "", text.strip().splitlines()[-1]
    kind = heads[-1][1]
    frames, colon, rest = text[heads[-1].end() :].partition(f"\n{kind}:")
    message = _MACHINE.sub("", f"{kind}:{rest.rstrip()}" if colon else kind)
    # The innermost frame that is a cell; deeper ones are torch's.
    cells = re.findall(r"^Cell In\[.*?^(-+> \d+) +([^\n]*)$", frames, re.MULTILINE | re.DOTALL)
    return (" ".join(cells[-1]).rstrip() if cells else ""), message


def told_by_warnings(text: str) -> list[tuple[str, str]]:
    r"""Return the message and the cell's line of each warning in what a cell wrote to stderr.

    The line is empty where it is one of torch's own, or unknown. What is no warning
    is returned like one.

    >>> told_by_warnings("/ipykernel_1/2.py:3: UserWarning: odd\n  f()\nloading\n")
    [('UserWarning: odd', 'f()'), ('loading', '')]
    """
    told = []
    for piece in filter(str.strip, _BEGINNING.split(text)):
        if found := _WARNING.match(piece):
            line = found["line"] if "ipykernel_" in found["place"] else None
            told.append((_MACHINE.sub("", found["message"]).strip(), line or ""))
            piece = piece[found.end() :]
        if piece.strip():
            told.append((piece.strip(), ""))
    return told


def problems_of(metadata: dict, raised: str | None, warned: list[str]) -> list[str]:
    """Return what a cell did that it does not say, and what it says and did not do.

    Parameters
    ----------
    metadata
        The cell's options.
    raised
        The message of its exception, where there is one.
    warned
        The messages of its warnings.
    """
    fails, warns = _listed(metadata.get("fails")), _listed(metadata.get("warns"))
    tags = set(metadata.get("tags", []))
    says_so = fails or warns or "raises-exception" in tags
    problems = [f"hides how it fails: {tag}" for tag in sorted(tags & _HIDING) if says_so]
    problems += [
        f"says “{said}”: write the type, a colon and the beginning of the message"
        for said in [*fails, *warns]
        if not re.match(r"\w+: \S", said)
    ]
    if fails and not any(str(raised).startswith(f) for f in fails):
        problems.append(f"must fail with “{fails[0]}”, but {_quoted(raised)} was raised")
    if raised and not fails:
        problems.append(f"fails with “{raised}”: say so with :fails:")
    for expected in warns:
        if not any(w.startswith(expected) for w in warned):
            problems.append(f"must warn of “{expected}”, but warned of {_quoted(*warned)}")
    for message in warned:
        if not any(message.startswith(expected) for expected in warns):
            problems.append(f"warns of “{message}”: say so with :warns:")
    return problems


def known_elsewhere(metadata: dict, raised: str | None) -> list[str]:
    """Return the messages of a cell that other machines or versions give, but not this run."""
    others = [f for f in _listed(metadata.get("fails")) if not str(raised).startswith(f)]
    return [*others, *_listed(metadata.get("also"))]


def _listed(value: str | list[str] | None) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)] if value else []


def _quoted(*messages: str | None) -> str:
    return ", ".join(f"“{m}”" for m in messages if m) or "nothing"


class ShowFailures(SphinxTransform):
    """Check what cells say of themselves, and shorten what they print."""

    # Before the outputs of some cells move into an answer.
    default_priority = 890

    def apply(self, **kwargs) -> None:
        """Look at each cell of the page."""
        failures, problems = [], []
        for cell in self.document.findall(is_cell):
            raised, warned = self._shorten(cell)
            # Above the first heading there is no section.
            section = next(traverse_parent(cell, nodes.section), None)
            anchor = section["ids"][0] if section else ""
            found = problems_of(cell["cell_metadata"], raised, warned)
            problems += [f"{self.env.docname}#{anchor}: the cell {problem}" for problem in found]
            title = section.next_node(nodes.title).astext() if section else ""
            said = [message for message in [*warned, raised] if message]
            failures += [Failure(message, anchor, title, True) for message in said]
            for message in known_elsewhere(cell["cell_metadata"], raised):
                failures.append(Failure(message, anchor, title, False))
            if label := label_of(cell["cell_metadata"]):
                above = nodes.paragraph("", label, classes=["cell-label"])
                if "wrong" in cell["cell_metadata"]["tags"]:
                    above += [nodes.Text(" "), self._link_to_the_start()]
                cell.insert(0, above)
        # Sphinx keeps a page's metadata from build to build, and forgets them with the page.
        self.env.metadata[self.env.docname] |= {"failures": failures, "problems": problems}

    def _link_to_the_start(self) -> nodes.reference:
        """Return a link for those who came to this cell from elsewhere."""
        start = self.document.next_node(nodes.section)["ids"][0]
        return nodes.reference("", _("after the first cell of this page"), refid=start)

    def _shorten(self, cell: nodes.container) -> tuple[str | None, list[str]]:
        raised, warned = None, []
        for block in list(cell.findall(nodes.literal_block)):
            if "traceback" in block["classes"]:
                line, raised = told_by_traceback(block.astext())
                _say(block, f"{line}\n{raised}".strip())
                _drop_pictures(cell)
            elif "stderr" in block["classes"]:
                found = told_by_warnings(block.astext())
                warned += [message for message, _line in found]
                _say(block, "\n".join(f"{message}\n  {line}".rstrip() for message, line in found))
        return raised, warned


def _say(block: nodes.literal_block, text: str) -> None:
    block.rawsource = text
    block.children = []
    block += nodes.Text(text)
    block["language"] = "none"


def _drop_pictures(cell: nodes.container) -> None:
    """Leave out what a cell that raised had begun to draw."""
    for output in list(cell.findall(nodes.container)):
        if output.get("nb_element") == "mime_bundle" and output.next_node(nodes.image):
            output.parent.remove(output)


def label_of(metadata: dict) -> str | None:
    """Return the word above a cell that is there to be compared with another."""
    words = {"wrong": f"✗ {_('Wrong')}", "fix": f"✓ {_('Right')}"}
    return next((words[tag] for tag in metadata.get("tags", []) if tag in words), None)


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    problems = [
        p for docname in sorted(env.metadata) for p in env.metadata[docname].get("problems", [])
    ]
    if problems:
        raise ExtensionError("failures that are not what the page says:\n" + "\n".join(problems))


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_transform(ShowFailures)
    app.connect("env-check-consistency", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 2}
