"""Figures that follow the reader's theme: vector pictures inside the page.

A picture that matplotlib drew as SVG becomes part of the page's HTML. Its black
turns into the page's text colour, its white into the page's background, and each
of the course's colours (``linreg_tutorial/palette.json``) into a CSS variable
with a light and a dark shade. So one picture suits both themes, its text can be
selected, and it needs no request of its own.

The same for the gallery: `scrape` saves each figure of a script, with the name
of its window (``plt.subplots(num="...")``) as the text for those who cannot see
it, and an animation as frames to step through.
"""

import json
import re
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

_ = get_translation("site")

_IMAGE = re.compile(r'<img\b[^>]*?\bsrc="(?P<src>[^"]+\.svg)"[^>]*?>', re.DOTALL)
_DRAWN_BY_MATPLOTLIB = "<dc:title>Matplotlib v"
_ALT = re.compile(r'\balt="(?P<alt>[^"]*)"', re.DOTALL)


def palette(root: Path) -> dict[str, dict[str, str]]:
    """Return the course's colours.

    Parameters
    ----------
    root
        The folder of the repository.
    """
    return json.loads((root / "linreg_tutorial" / "palette.json").read_text("utf-8"))


def palette_css(colours: dict[str, dict[str, str]]) -> str:
    """Return the CSS variables ``--c-<name>`` for both themes; paper is always light."""
    light = " ".join(f"--c-{name}: {shades['light']};" for name, shades in colours.items())
    dark = " ".join(f"--c-{name}: {shades['dark']};" for name, shades in colours.items())
    return (
        f"body {{ {light} }}\n"
        "@media not print {\n"
        f'  body[data-theme="dark"] {{ {dark} }}\n'
        # Like Furo's own rule: it holds without scripts too, when no theme is set.
        "  @media (prefers-color-scheme: dark) {\n"
        f'    body:not([data-theme="light"]) {{ {dark} }}\n'
        "  }\n"
        "}\n"
    )


def themed_svg(svg: str, *, alt: str, prefix: str, colours: dict[str, dict[str, str]]) -> str:
    """Return an SVG file of matplotlib's as an element of a page.

    Parameters
    ----------
    svg
        The text of the file.
    alt
        What the picture shows; empty for a picture that repeats the text beside it.
    prefix
        Put before every id, so that two pictures of a page do not clash.
    colours
        The course's colours, as `palette` returns them.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{prefix}', body)
    body = re.sub(r'(url\(#|href="#)', rf"\1{prefix}", body)
    body = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--font-stack)", body)
    body = re.sub(r"#000000\b", "currentColor", body)
    body = re.sub(r"#ffffff\b", "var(--color-background-primary)", body, flags=re.IGNORECASE)
    for name, shades in colours.items():
        for shade in {shades["light"], shades.get("base", shades["light"])}:
            body = re.sub(re.escape(shade) + r"\b", f"var(--c-{name})", body, flags=re.IGNORECASE)
    body = re.sub(r">\s+<", "><", body)

    width, height = (float(n) for n in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', body).groups())
    said = f'role="img" aria-label="{escape(alt)}"' if alt else 'aria-hidden="true"'
    # matplotlib draws in points of 1/72 inch, a page in pixels of 1/96.
    size = f'width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}"'
    box = f'viewBox="0 0 {width:g} {height:g}"'
    head = f'<svg class="figure" {said} {size} {box} fill="currentColor">'
    return head + body[body.index(">") + 1 :].rstrip()


def _inline_pictures(app: Sphinx, pagename: str, templatename: str, context, doctree) -> None:
    if "body" not in context:
        return
    colours = palette(Path(app.srcdir).parent)
    sources = {name: Path(app.srcdir, uri) for uri, name in app.builder.images.items()}
    count = 0

    def inline(match: re.Match) -> str:
        nonlocal count
        name = unquote(match["src"].rpartition("/")[2])
        # sphinx-gallery copies its pictures by itself, early.
        path = sources.get(name, Path(app.outdir, "_images", name))
        svg = path.read_text("utf-8") if path.exists() else ""
        if _DRAWN_BY_MATPLOTLIB not in svg:
            return match[0]
        count += 1
        alt = _ALT.search(match[0])
        alt = unescape(alt["alt"]) if alt else ""
        return themed_svg(svg, alt=alt, prefix=f"fig{count}-", colours=colours)

    context["body"] = _IMAGE.sub(inline, context["body"])
    if 'class="controls"' in context["body"]:
        app.add_js_file("steps.js", loading_method="defer")


def _write_palette(app: Sphinx) -> None:
    if app.builder.format == "html":
        static = Path(app.outdir, "_static")
        static.mkdir(parents=True, exist_ok=True)
        css = palette_css(palette(Path(app.srcdir).parent))
        (static / "palette.css").write_text(css, encoding="utf-8")


def controls(last: int) -> str:
    """Return the buttons and the slider of what is stepped through, from 0 to ``last``.

    They are hidden until the script in ``_static/steps.js`` has taken them over.
    """
    play, pause = _("Play"), _("Pause")
    buttons = (
        f'<button type="button" data-do="back">{_("Back")}</button>'
        f'<button type="button" data-do="play" data-play="{play}" data-pause="{pause}">{play}'
        f'</button><button type="button" data-do="next">{_("Next")}</button>'
    )
    # What the slider says aloud is its own; the sentence of a step is announced where it stands.
    slider = (
        f'<input type="range" min="0" max="{last}" value="{last}" aria-label="{_("Step")}">'
        f'<output aria-live="off">{last + 1} / {last + 1}</output>'
    )
    return f'<div class="controls" hidden>{buttons}{slider}</div>'


class Frames(SphinxDirective):
    """``.. frames:: file.json``: pictures to step through; without scripts, the last one."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the pictures and the controls as one raw element."""
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        data = json.loads(Path(path).read_text("utf-8"))
        colours = palette(Path(self.env.srcdir).parent)
        pictures = [
            themed_svg(svg, alt=data["alt"], prefix=f"frame{i}-", colours=colours)
            for i, svg in enumerate(data["frames"])
        ]
        html = (
            f'<div class="frames" data-interval="{data["interval"]}">'
            + "".join(f'<div class="frame">{picture}</div>' for picture in pictures)
            + f"{controls(len(pictures) - 1)}</div>"
        )
        return [nodes.raw("", html, format="html")]


def scrape(block, block_vars, gallery_conf, **kwargs) -> str:
    """Save the figures of a gallery script's block; return the reST that shows them.

    Raises
    ------
    ExtensionError
        If a figure has no name: the pictures' alternative text.
    """
    import matplotlib.pyplot as plt
    from matplotlib.animation import Animation
    from sphinx_gallery.scrapers import figure_rst

    animations = {
        value._fig: value
        for value in block_vars["example_globals"].values()
        if isinstance(value, Animation)
    }
    rst = []
    for number, path in zip(plt.get_fignums(), block_vars["image_path_iterator"], strict=False):
        figure = plt.figure(number)
        alt = str(figure.get_label())
        if not alt:
            raise ExtensionError(
                f"{block_vars['src_file']}: name the figure, plt.subplots(num='what it shows'), "
                "for readers who cannot see it"
            )
        path = Path(path).with_suffix(".svg")
        figure.savefig(path, metadata={"Date": None})
        if figure in animations:
            frames = _frames(animations[figure], path)
            data = {"alt": alt, "interval": animations[figure]._interval, "frames": frames}
            path.with_suffix(".json").write_text(json.dumps(data), encoding="utf-8")
            relative = path.with_suffix(".json").relative_to(gallery_conf["src_dir"]).as_posix()
            rst.append(f"\n.. frames:: /{relative}\n\n")
        else:
            rst.append(figure_rst([path], gallery_conf["src_dir"], alt))
    plt.close("all")
    return "".join(rst)


def _frames(animation, last: Path) -> list[str]:
    """Draw each frame; the file ``last``, which is the thumbnail too, gets the last one."""
    pictures = []
    animation._init_draw()
    for data in animation.new_frame_seq():
        animation._draw_frame(data)
        animation._fig.savefig(last, metadata={"Date": None})
        pictures.append(last.read_text("utf-8"))
    # Drawn by us: matplotlib shall not warn that nobody ever saw it.
    animation._draw_was_started = True
    return pictures


def reset_matplotlib(gallery_conf, name) -> None:
    """Give each gallery script the site's figure style, and nothing of the one before."""
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcdefaults()
    mpl.rc_file(Path(gallery_conf["src_dir"]) / "matplotlibrc", use_default_template=False)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_directive("frames", Frames)
    app.connect("builder-inited", _write_palette)
    app.connect("html-page-context", _inline_pictures)
    app.add_css_file("palette.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
