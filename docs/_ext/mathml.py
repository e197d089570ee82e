"""Formulas as MathML, made when the site is built: no script in the browser.

`math-core` turns LaTeX into MathML. The brackets and roots that stretch need a
font that knows how; STIX Two Math comes with the package `ziamath` and is cut
down to the signs that formulas of the course use.
"""

import hashlib
import re
import shutil
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from fontTools import subset
from freshness import kept
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

_LOGGER = logging.getLogger(__name__)
_CONVERTER = LatexToMathML(fancy_error=False)

# What the formulas may use: Latin and Greek, upright and mathematical italic,
# digits, operators, arrows, brackets.
_UNICODES = [
    *range(0x20, 0x7F),
    *(0xAC, 0xB1, 0xB7, 0xD7, 0x2016, 0x2026, 0x2032, 0x210E, 0x2113, 0x211D),
    *range(0x391, 0x3C9 + 1),
    *range(0x2190, 0x2194 + 1),
    *(0x21A6, 0x21D2, 0x2200, 0x2202, 0x2207, 0x2208, 0x220F, 0x2211, 0x2212, 0x2217, 0x221A),
    *(0x221E, 0x2223, 0x2225, 0x222B, 0x2248, 0x2260, 0x2264, 0x2265, 0x226A, 0x226B, 0x22A4),
    *(0x22C5, 0x22EE, 0x22EF, 0x22F1, 0x27E8, 0x27E9, 0x23B4, 0x23B5, 0x23DE, 0x23DF),
    *range(0x1D434, 0x1D467 + 1),
    *range(0x1D6FC, 0x1D71B + 1),
]


def to_mathml(latex: str, *, display: bool) -> str:
    r"""Return a LaTeX formula as MathML.

    Parameters
    ----------
    latex
        The formula, without dollars.
    display
        Whether it stands alone, in large.

    Raises
    ------
    math_core.LatexError
        If it cannot be converted.

    >>> to_mathml("x^2", display=False)
    '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    return _CONVERTER.convert_with_local_state(latex, displaystyle=display)


def _convert(self, node: nodes.Element, *, display: bool) -> str:
    latex = node.astext()
    try:
        mathml = to_mathml(latex, display=display)
    except LatexError as error:
        _LOGGER.warning("formula %r: %s", latex, error, location=node, type="mathml")
        return ""
    missing = {sign for sign in re.sub(r"<[^>]*>", "", mathml) if ord(sign) not in _UNICODES}
    if missing:
        _LOGGER.warning(
            "formula %r: the font is cut without %s: add it to _UNICODES in mathml.py",
            latex,
            ", ".join(sorted(missing)),
            location=node,
            type="mathml",
        )
    return mathml


def _inline(self, node: nodes.math) -> None:
    self.body.append(_convert(self, node, display=False))
    raise nodes.SkipNode


def _block(self, node: nodes.math_block) -> None:
    # tabindex: a formula wider than a phone scrolls, so the keyboard must reach it.
    self.body.append(self.starttag(node, "div", CLASS="formula", tabindex="0"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append(_convert(self, node, display=True) + "</div>\n")
    raise nodes.SkipNode


def _cut_font(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    wanted = f"{version('ziamath')} {version('fonttools')} {_UNICODES}".encode()
    cut = kept(app) / "fonts" / f"{hashlib.sha256(wanted).hexdigest()[:16]}.woff2"
    if not cut.exists():
        cut.parent.mkdir(parents=True, exist_ok=True)
        options = subset.Options(flavor="woff2", layout_features=["ssty", "dtls"])
        original = resources.files("ziamath.fonts") / "STIXTwoMath-Regular.ttf"
        with resources.as_file(original) as path:
            loaded = subset.load_font(path, options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=_UNICODES)
        subsetter.subset(loaded)
        subset.save_font(loaded, cut, options)
    font = Path(app.outdir, "_static", "fonts", "math.woff2")
    font.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(cut, font)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("builder-inited", _cut_font)
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
