"""What README, CONTRIBUTING and the files beside them promise."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from linreg_tutorial import fit_manual, two_points

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

# Files that a reader is told to create, or that a command makes.
MADE_LATER = {
    "docs/_build/html",
    "docs/_build/doctrees",
    "docs/beyond/19-your-topic.md",
    "gallery/20_your_lesson.py",
}


def requirements() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and line[0] != "#")
    return {canonicalize_name(name): version for name, version in pairs}


def bundled() -> dict[str, str]:
    """Return what the playground's bundle is made of and made with, each with its version."""
    package = json.loads((ROOT / "docs" / "_vendor" / "package.json").read_text("utf-8"))
    return package["devDependencies"]


def paths_named_in(text: str) -> set[str]:
    in_code = re.findall(r"`((?:docs|gallery|linreg_tutorial|tests)/[\w./-]*)`", text)
    # What begins with ../ is the link of an example, from where the example will stand.
    linked = re.findall(r"\]\((?!https?:|\.\./)([^)#]+)\)", text)
    in_tree = re.findall(r"^([\w.]+/?) {2,}\S", text, flags=re.MULTILINE)
    return {*in_code, *linked, *in_tree}


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_is_there(document):
    named = paths_named_in((ROOT / document).read_text("utf-8"))
    assert len(named) >= 5
    missing = {path for path in named - MADE_LATER if not (ROOT / path).exists()}
    assert not missing


def test_readme_lists_every_make_target_and_no_other():
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE)) - {"help"}
    listed = set(re.findall(r"^\| `make (\w+)` \|", README, flags=re.MULTILINE))
    assert listed == targets
    assert (
        set(re.findall(r"make ([a-z]+) {3}", MAKEFILE)) | {"serve", "bench", "clean", "vendor"}
        == targets
    )


def test_documents_name_no_make_target_that_is_not_there():
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE))
    for text in (README, CONTRIBUTING):
        assert set(re.findall(r"(?:`|\$ )make ([a-z]+)", text)) <= targets


def test_the_commands_without_make_are_those_of_make():
    variables = {
        "$(BIN)": ".venv/bin",
        "$(BUILD)": "docs/_build",
        "$(PIP_ARGS) ": "",
        "--quiet --disable-pip-version-check ": "",
    }

    def expand(text: str) -> str:
        for name, value in variables.items():
            text = text.replace(name, value)
        return text

    sphinx = expand(re.search(r"^SPHINX := (.*)$", MAKEFILE, flags=re.MULTILINE)[1])
    pip = re.search(r"^\t(\$\(BIN\)/python -m pip install .*)$", MAKEFILE, flags=re.MULTILINE)[1]
    assert f"$ {sphinx} docs docs/_build/html" in README
    assert f"$ {expand(pip)}" in README


def test_ci_runs_the_readme_commands_and_nothing_else():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    commands = [line for line in script.splitlines() if line.startswith("make ")]
    assert {"make html", "make test"} <= set(commands)
    for command in commands:
        assert f"`{command}`" in README
    others = re.sub(
        r"^(#.*|set .*|cd .*|export CI=true|make \w+|)$", "", script, flags=re.MULTILINE
    )
    assert not others.strip()


def test_readme_gives_a_reason_for_every_dependency_and_for_no_other():
    rows = re.findall(r"^\| ([\w, -]+) \| .{10,} \|$", README.partition("and why")[2], re.MULTILINE)
    listed = {name.strip() for row in rows for name in row.split(",")} - {"package"}
    assert listed == {requirement.name for requirement in requirements()} | set(bundled())


def test_constraints_pin_every_dependency_within_its_range():
    pinned = pins()
    assert pinned["torch"] == "2.13.0"
    for requirement in requirements():
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_constraints_pin_everything_that_is_installed_here():
    from importlib.metadata import distributions

    ours = {"linreg-tutorial", "pip", "setuptools", "wheel"}
    installed = {canonicalize_name(d.metadata["Name"]): d.version for d in distributions()}
    pinned = pins()
    for name, version in installed.items():
        if name not in ours:
            assert pinned[name] == version.partition("+")[0], name


def test_the_readme_picture_shows_the_lines_of_a_real_run():
    history = fit_manual(*two_points(), a=1.0, b=0.0, lr=0.1, steps=100)
    picture = ET.parse(ROOT / "docs" / "_static" / "two-points.svg")
    space = "{http://www.w3.org/2000/svg}"
    lines = picture.findall(f".//{space}line")
    assert [int(line.get("data-step")) for line in lines] == [0, 1, 100]
    for line in lines:
        x1, y1, x2, y2 = (float(line.get(key)) for key in ("x1", "y1", "x2", "y2"))
        state = history[int(line.get("data-step"))]
        # The drawn ends have four digits.
        assert y1 == pytest.approx(state.b + state.a * x1, abs=5e-4)
        assert y2 == pytest.approx(state.b + state.a * x2, abs=5e-4)
    said = " ".join(text.text for text in picture.findall(f".//{space}text"))
    for value, digits in [(history[1].a, 1), (history[1].b, 1), (history[-1].a, 4)]:
        assert f"{value:.{digits}f}" in said
    assert f"b = {history[-1].b:.4f}" in said
    assert f"∂e/∂a = −{-history[0].grad_a:.0f}, ∂e/∂b = −{-history[0].grad_b:.0f}" in said


def example(name: str) -> str:
    """Return an example of CONTRIBUTING.md: the fenced block below its marker."""
    block = CONTRIBUTING.partition(f"<!-- example: {name} -->")[2]
    fence = re.search(r"^ *(`{3,})\w+\n(.*?)^ *\1$", block, flags=re.MULTILINE | re.DOTALL)
    return textwrap.dedent(fence[2])


def test_a_newcomer_who_follows_contributing_gets_page_and_script(tmp_path, built_site):
    copy = tmp_path / "a clone"
    leave_out = shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__", "generated")
    shutil.copytree(ROOT, copy, ignore=leave_out)
    # The newcomer has built the site before: what was executed need not be once more.
    kept = Path("docs", "_build", "doctrees", "kept")
    shutil.copytree(ROOT / kept, copy / kept)
    (copy / "docs" / "beyond" / "19-your-topic.md").write_text(example("page"), "utf-8")
    (copy / "gallery" / "20_your_lesson.py").write_text(example("script"), "utf-8")
    index = copy / "docs" / "beyond" / "index.md"
    listed = index.read_text("utf-8").replace(
        "18-two-processes\n", "18-two-processes\n19-your-topic\n"
    )
    index.write_text(listed, "utf-8")
    with open(copy / "docs" / "troubleshooting" / "types-and-shapes.md", "a") as page:
        page.write("\n" + example("failure"))
    exercised = copy / "docs" / "course" / "04-error.md"
    before, onward, after = exercised.read_text("utf-8").partition("**Next:**")
    exercised.write_text(f"{before}{example('exercise')}\n{onward}{after}", "utf-8")

    html = copy / "docs" / "_build" / "html"
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-j", "4", "-n", "-W", "--keep-going"]
    command += ["-d", str(html.parent / "doctrees"), str(copy / "docs"), str(html)]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    page = (html / "beyond" / "19-your-topic.html").read_text("utf-8")
    assert "tensor(13.)" in page
    assert 'aria-label="Two bars, the right one twice as high as the left one."' in page
    assert (html / "downloads" / "beyond" / "19-your-topic.ipynb").exists()
    exercises = (html / "course" / "04-error.html").read_text("utf-8")
    assert 'data-answer="17.0"' in exercises
    assert "largest_miss" in (html / "downloads/course/04-error-exercises.ipynb").read_text("utf-8")
    lesson = (html / "gallery" / "20_your_lesson.html").read_text("utf-8")
    assert 'aria-label="Two bars, the right one twice as high as the left one"' in lesson
    message = "RuntimeError: result type Float can't be cast to the desired output type Long"
    entry = (html / "troubleshooting" / "types-and-shapes.html").read_text("utf-8")
    assert '<section id="whole-number-half">' in entry
    assert message in unescape(entry)
    index = (html / "troubleshooting" / "index.html").read_text("utf-8")
    assert 'href="types-and-shapes.html#whole-number-half"' in index
