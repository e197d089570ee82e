r"""The first use of each word of the glossary on a page leads to its entry.

The words are those of Sphinx's own ``{glossary}``, so they are the translated ones
where the site is translated. A word is linked once on a page, where it first stands
in a paragraph: also as an English plural, and with a capital where a sentence begins.
Of two words that begin at the same place the longer one counts. What is code, a
formula or a link is left alone, and so are headings, titles, captions, tables and
tips: a tip tells before a page which words the page is going to explain. The words
of one entry count as one.

A word may also have a meaning of every day. Its entry says in comments, in any
language, with which neighbours it is not meant, and in which other forms it comes::

    divergence
      What happens when the learning rate is too large ...

      % not: divergence of opinion; points of divergence
      % also: diverges; diverged

Where a page marks a word by hand, ``{term}`error` ``, that is its link on this page.

No library was found that does this: those that know a glossary show its entries at
words that were marked by hand.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

# Pages to look things up in: there is nothing to be read from the first word to the last.
_NOT_IN = ("reference/",)
# Where no reading goes from sentence to sentence: pictures, tables, answers that are compared.
_NO_PROSE = {"figure", "table", "step_through", "prediction", "tip"}
# What a word may stand in. All else in a line is code, a formula, a link.
_PLAIN = (nodes.paragraph, nodes.strong, nodes.emphasis, nodes.inline)
_LATIN = "[0-9A-Za-z_\u00c0-\u024f]"
# A sentence has ended, or none has begun; then quotes and brackets may open.
_BEGINNING = re.compile(r"(?:^|[.!?…][\"”’)\]]*\s)\s*[\"“‘(\[]*$")


class Entry(NamedTuple):
    """What an entry says of its words: its addresses, other forms, and where none is meant."""

    anchors: tuple[str, ...]
    also: tuple[str, ...]
    never: tuple[str, ...]


class Use(NamedTuple):
    """A word in a text, from one place to another, and the address of its entry."""

    start: int
    end: int
    target: tuple[str, str]


class Glossary:
    """The words of all glossaries, each with the address of its entry.

    Parameters
    ----------
    words
        Each word with the page and the anchor of its entry.
    entries
        What the entries say, by page.
    """

    def __init__(self, words: dict[str, tuple[str, str]], entries: dict[str, list[Entry]]):
        self.targets: dict[str, tuple[str, str]] = {}
        self._never: dict[tuple[str, str], re.Pattern] = {}
        # Two words of one entry are linked once.
        self._first: dict[tuple[str, str], tuple[str, str]] = {}
        for page, said in entries.items():
            for entry in said:
                first = (page, entry.anchors[0])
                self._first |= {(page, anchor): first for anchor in entry.anchors}
                self.targets |= {form: first for form in entry.also}
                if entry.never:
                    self._never[first] = _pattern(entry.never, re.IGNORECASE)
        for word, target in words.items():
            self.targets |= {form: target for form in forms_of(word)}
        self._pattern = _pattern([*self.targets, *map(_capitalised, self.targets)])

    def entry_of(self, target: tuple[str, str]) -> tuple[str, str]:
        """Return what stands for an entry, whichever of its words led there."""
        return self._first.get(target, target)

    def uses_in(self, text: str) -> Iterator[Use]:
        """Yield the words that are used in a text, in their order."""
        for found in self._pattern.finditer(text):
            word = " ".join(found[0].split())
            target = self.targets.get(word)
            if target is None and _BEGINNING.search(text[: found.start()]):
                target = self.targets.get(word[0].lower() + word[1:])
            if target and not self._is_meant_otherwise(target, found, text):
                yield Use(found.start(), found.end(), target)

    def _is_meant_otherwise(self, target: tuple[str, str], found: re.Match, text: str) -> bool:
        phrases = self._never.get(self.entry_of(target))
        return phrases is not None and any(
            phrase.start() <= found.start() and found.end() <= phrase.end()
            for phrase in phrases.finditer(text)
        )


def forms_of(word: str) -> list[str]:
    """Return a word and, where it is written in Latin letters, its plurals in English.

    >>> forms_of("gradient"), forms_of("mean squared error")
    (['gradient', 'gradients'], ['mean squared error', 'mean squared errors'])
    >>> forms_of("loss"), forms_of("batch"), forms_of("epoch")[1], forms_of("勾配")
    (['loss', 'losses'], ['batch', 'batchs', 'batches'], 'epochs', ['勾配'])
    """
    if not re.search(r"[A-Za-z]$", word):
        return [word]
    forms = [word]
    if not word.endswith("s"):
        forms.append(f"{word}s")
    if re.search(r"(?:s|x|z|ch|sh)$", word):
        forms.append(f"{word}es")
    if re.search(r"[^aeiou]y$", word):
        forms.append(f"{word[:-1]}ies")
    return forms


def _capitalised(word: str) -> str:
    return word[0].upper() + word[1:]


def _pattern(words, flags: int = 0) -> re.Pattern:
    """Return what finds whole words, the longest first, over the ends of lines."""
    found = []
    for word in sorted(set(words), key=lambda w: (-len(w), w)):
        # In a language without blanks any place may be the end of a word.
        before = rf"(?<!{_LATIN})(?<!{_LATIN}-)" if re.match(_LATIN, word) else ""
        # What parentheses follow at once is code that was not marked as such.
        after = rf"(?!-?{_LATIN}|\()" if re.match(_LATIN, word[-1]) else ""
        found.append(before + r"\s+".join(map(re.escape, word.split())) + after)
    # Without any word it finds nothing.
    return re.compile("|".join(found) or r"(?!)", flags)


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    """Keep what the entries of a page's glossaries say."""
    entries = []
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            anchors = [i for term in item.findall(nodes.term) for i in term["ids"]]
            comments = "\n".join(node.astext() for node in item.findall(nodes.comment))
            if anchors:
                entry = Entry(tuple(anchors), _said("also", comments), _said("not", comments))
                entries.append(entry)
    if entries:
        app.env.metadata[app.env.docname]["glossary"] = entries


def _said(what: str, comments: str) -> tuple[str, ...]:
    lines = re.findall(rf"^\s*{what}:(.*)$", comments, re.MULTILINE)
    return tuple(phrase for line in lines for part in line.split(";") if (phrase := part.strip()))


def _known(env: BuildEnvironment) -> tuple[dict[str, tuple[str, str]], dict[str, list[Entry]]]:
    """Return the words of the standard domain, and what the entries say."""
    words = {
        name: (page, anchor)
        for (kind, name), (page, anchor) in env.domains.standard_domain.objects.items()
        if kind == "term"
    }
    pages = sorted({page for page, _anchor in words.values()})
    return words, {page: env.metadata[page].get("glossary", []) for page in pages}


def _link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if app.builder.format != "html" or docname.startswith(_NOT_IN):
        return
    words, entries = _known(app.env)
    if not words or docname in entries:
        return
    glossary = Glossary(words, entries)
    addresses = {
        target: f"{app.builder.get_relative_uri(docname, target[0])}#{target[1]}"
        for target in {*words.values(), *glossary.targets.values()}
    }
    linked = _linked_by_hand(doctree, glossary, addresses)
    for paragraph in doctree.findall(nodes.paragraph):
        if not _is_prose(paragraph):
            continue
        _join_texts(paragraph)
        for text, uses in _chosen(paragraph, glossary, linked):
            _replace(text, uses, addresses)


def _linked_by_hand(doctree: nodes.document, glossary: Glossary, addresses: dict) -> set:
    """Return the entries that the page links to by itself; those links look like the others."""
    by_address = {address: target for target, address in addresses.items()}
    found = set()
    for link in doctree.findall(nodes.reference):
        if target := by_address.get(link.get("refuri")):
            link["classes"].append("term")
            found.add(glossary.entry_of(target))
    return found


def _is_prose(paragraph: nodes.paragraph) -> bool:
    node = paragraph.parent
    while node is not None:
        # A tip may also be an admonition with a title of its own.
        if node.tagname in _NO_PROSE or "tip" in node.get("classes", ()):
            return False
        node = node.parent
    return True


def _join_texts(element: nodes.Element) -> None:
    """Make one text of those that stand side by side: each end of a line begins a new one."""
    children: list[nodes.Node] = []
    for child in element.children:
        if isinstance(child, nodes.Text) and children and isinstance(children[-1], nodes.Text):
            children[-1] = nodes.Text(children[-1] + child)
        else:
            children.append(child)
    element.children = []
    element.extend(children)
    for child in children:
        if isinstance(child, nodes.Element):
            _join_texts(child)


def _chosen(
    paragraph: nodes.paragraph, glossary: Glossary, linked: set
) -> list[tuple[nodes.Text, list[Use]]]:
    """Return the texts of a paragraph with the words in each that become links."""
    texts = list(paragraph.findall(nodes.Text))
    uses = list(glossary.uses_in("".join(texts)))
    chosen, start = [], 0
    for text in texts:
        end = start + len(text)
        mine = []
        for use in uses:
            entry = glossary.entry_of(use.target)
            if start <= use.start and use.end <= end and entry not in linked and _is_plain(text):
                linked.add(entry)
                mine.append(Use(use.start - start, use.end - start, use.target))
        chosen.append((text, mine))
        start = end
    return [(text, mine) for text, mine in chosen if mine]


def _is_plain(text: nodes.Text) -> bool:
    """Tell whether a text stands in a paragraph, or in bold or slanted letters in one."""
    node = text.parent
    while type(node) in _PLAIN and not isinstance(node, nodes.paragraph):
        node = node.parent
    return isinstance(node, nodes.paragraph)


def _replace(text: nodes.Text, uses: list[Use], addresses: dict) -> None:
    pieces: list[nodes.Node] = []
    at = 0
    for start, end, target in uses:
        if start > at:
            pieces.append(nodes.Text(text[at:start]))
        word = text[start:end]
        link = nodes.reference("", word, refuri=addresses[target], internal=True, classes=["term"])
        pieces.append(link)
        at = end
    if at < len(text):
        pieces.append(nodes.Text(text[at:]))
    text.parent.replace(text, pieces)


def _link_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write every page anew when words, or what their entries say of them, have changed."""
    known = _known(env)
    if known == getattr(env, "glossary_links", ({}, {})):
        return []
    env.glossary_links = known
    return sorted(page for page in env.found_docs if not page.startswith(_NOT_IN))


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("doctree-read", _collect)
    app.connect("env-updated", _link_again)
    # After everybody else has made what is theirs, and the links in it.
    app.connect("doctree-resolved", _link, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
