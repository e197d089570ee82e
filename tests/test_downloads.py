"""What a reader takes along: the wheel, each page as a notebook, all lessons as a zip."""

import doctest
import html
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from readers import (
    PACKAGE,
    chosen,
    needs_of_the_package,
    new_reader,
    reader_variables,
    wheel_of,
)
from test_gallery import MEASURING, SCRIPTS, dependencies_of, without_times

ROOT = Path(__file__).parent.parent
EXTENSIONS = ROOT / "docs" / "_ext"
DOCS = ROOT / "docs"
PAGES = [
    path.relative_to(DOCS).with_suffix("").as_posix()
    for folder in ("course", "beyond", "troubleshooting")
    for path in sorted((DOCS / folder).glob("*.md"))
    if path.stem != "index"
]
NOTEBOOKS = PAGES + [f"gallery/{s.stem}" for s in SCRIPTS]
# What these do, test_exercises tells.
EXERCISES = [
    f"{page}-{kind}"
    for page in PAGES
    if page.startswith("course/")
    for kind in ("exercises", "solutions")
]
ZIP = "linreg-tutorial-lessons.zip"
MODULE = PACKAGE.replace("-", "_")

every_page = pytest.mark.parametrize("page", PAGES)
every_script = pytest.mark.parametrize("script", [script.stem for script in SCRIPTS])
every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)
every_offered_notebook = pytest.mark.parametrize("name", NOTEBOOKS + EXERCISES)


def notebook_at(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def imports_package(notebook: nbformat.NotebookNode) -> bool:
    return any(f"import {MODULE}" in code or f"from {MODULE}" in code for code in code_of(notebook))


def code_of(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def offered_on(page: Path) -> dict[str, Path]:
    """Return the files that a built page offers, by name; each of them is there."""
    links = re.findall(r'<a\b[^>]*\bhref="([^"#]+)"[^>]*>', page.read_text("utf-8"))
    files = [page.parent / link for link in links if re.match(r"(\.\./)*_?downloads/", link)]
    assert all(file.is_file() for file in files)
    return {file.name: file for file in files}


# What the site offers


@every_page
def test_page_offers_its_notebook_and_what_that_needs(page, built_site):
    offered = offered_on(built_site / f"{page}.html")
    notebook = built_site / "downloads" / f"{page}.ipynb"
    assert offered[notebook.name].samefile(notebook)
    if imports_package(notebook_at(notebook)):
        assert offered[wheel_of(built_site).name].samefile(wheel_of(built_site))


@every_script
def test_gallery_page_offers_script_and_notebook_and_what_these_need(script, built_site):
    offered = offered_on(built_site / "gallery" / f"{script}.html")
    folder = built_site / "downloads" / "gallery"
    for name in (f"{script}.py", f"{script}.ipynb"):
        assert offered[name].read_bytes() == (folder / name).read_bytes()
    assert offered[f"{script}.py"].read_bytes() == (ROOT / "gallery" / f"{script}.py").read_bytes()
    if imports_package(notebook_at(folder / f"{script}.ipynb")):
        assert offered[wheel_of(built_site).name].samefile(wheel_of(built_site))


@every_script
def test_zip_of_one_lesson_holds_all_that_the_lesson_needs(script, built_site):
    folder = built_site / "downloads" / "gallery"
    needed = [folder / f"{script}.py", folder / f"{script}.ipynb"]
    if imports_package(notebook_at(needed[1])):
        needed.append(wheel_of(built_site))
    path = offered_on(built_site / "gallery" / f"{script}.html")[f"{script}.zip"]
    with zipfile.ZipFile(path) as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == {
            file.name: file.read_bytes() for file in needed
        }


def test_zip_of_all_lessons_holds_every_script_every_notebook_and_the_wheel(built_site):
    folder = built_site / "downloads"
    files = [wheel_of(built_site), *(folder / f"{name}.ipynb" for name in NOTEBOOKS + EXERCISES)]
    files += [folder / "gallery" / script.name for script in SCRIPTS]
    assert offered_on(built_site / "gallery" / "index.html")[ZIP].samefile(folder / ZIP)
    with zipfile.ZipFile(folder / ZIP) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert {Path(name).parent.as_posix() for name in held} == {MODULE.replace("_", "-")}
    assert {Path(name).name: content for name, content in held.items()} == {
        file.name: file.read_bytes() for file in files
    }


def test_downloads_hold_nothing_that_has_no_lesson_any_more(built_site):
    there = {path.relative_to(built_site / "downloads").with_suffix("").as_posix()
             for path in (built_site / "downloads").glob("*/*")}  # fmt: skip
    assert there == set(NOTEBOOKS + EXERCISES)


# What a notebook says


@every_offered_notebook
def test_notebook_is_valid_has_ids_and_no_outputs(name, built_site):
    path = built_site / "downloads" / f"{name}.ipynb"
    raw = json.loads(path.read_text("utf-8"))
    nbformat.validate(raw, relax_add_props=False)
    ids = [cell["id"] for cell in raw["cells"]]
    assert len(set(ids)) == len(ids) > 3
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in raw["cells"])
    assert raw["metadata"]["kernelspec"]["name"] == "python3"


LEFTOVERS = {
    "a role of the site": re.compile(r"\{[\w:-]+\}`"),
    "a role of reStructuredText": re.compile(r":[a-z]+(?::[a-z]+)?:`"),
    "a directive": re.compile(r"^\s*(?::::|`{3,}\{|\.\. [\w-]+::)", re.MULTILINE),
    "an option of a directive": re.compile(r"^:[\w-]+:", re.MULTILINE),
    "a comment or check": re.compile(r"^%", re.MULTILINE),
    "a label": re.compile(r"^\([\w-]+\)=", re.MULTILINE),
    "a page's header": re.compile(r"^(?:file_format|kernelspec):", re.MULTILINE),
    "a link to a source of the site": re.compile(r"\]\([^)]*\.(?:md|rst)\b[^)]*\)"),
    "a picture that stays on the site": re.compile(r"!\[[^\]]*\]\(|<img\b"),
}


@every_offered_notebook
def test_notebook_shows_no_markup_that_only_the_site_understands(name, built_site):
    notebook = notebook_at(built_site / "downloads" / f"{name}.ipynb")
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert {what: found for what, p in LEFTOVERS.items() if (found := p.findall(text))} == {}


@every_offered_notebook
def test_links_between_notebooks_lead_to_notebooks(name, built_site):
    path = built_site / "downloads" / f"{name}.ipynb"
    cells = [cell.source for cell in notebook_at(path).cells if cell.cell_type == "markdown"]
    links = re.findall(r"\]\((?!https://)([^)#]*)", "\n".join(cells))
    assert not [link for link in links if not (path.parent / link).is_file()]


# What a notebook does


def installed_by(notebook: Path, wheel: Path) -> list[str]:
    """Return what a notebook's first cell installs; of the wheel, what it needs."""
    last = code_of(notebook_at(notebook))[0].splitlines()[-1]
    names = last.removeprefix("%pip install --quiet ").split()
    if "{wheel}" in names:
        names.remove("{wheel}")
        names += needs_of_the_package(wheel)
    return names


class JupyterReader:
    """Runs notebooks in an environment that has what their first cell asks for, and Jupyter."""

    def __init__(self, folder: Path, names: list[str], home: Path) -> None:
        self._env = folder / "env"
        python = new_reader(self._env, ["ipykernel", *names])
        variables = reader_variables(home)
        del variables["MPLBACKEND"]
        program = Path(__file__).with_name("jupyter_reader.py")
        # Jupyter itself is ours, and looks for the site's extensions; the kernels are the reader's.
        self._jupyter = subprocess.Popen(
            [sys.executable, program, python, folder / "kernels"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables | {"PYTHONPATH": str(EXTENSIONS)},
            text=True,
        )

    def installed(self) -> list[Path]:
        """Return what is there of the package."""
        return list(self._env.glob(f"**/site-packages/{MODULE}*"))

    def run(self, notebook: Path) -> str | None:
        """Run a notebook as one who has not installed the package; return what ended it early."""
        for path in self.installed():
            shutil.rmtree(path)
        self._jupyter.stdin.write(f"{notebook}\n")
        self._jupyter.stdin.flush()
        return json.loads(self._jupyter.stdout.readline())

    def close(self) -> None:
        """End what was started."""
        self._jupyter.communicate(timeout=60)


class Ran(NamedTuple):
    """A notebook that was run, what ended it early, and whether it installed the package."""

    path: Path
    error: str | None
    has_package: bool


@pytest.fixture(scope="module")
def jupyter_readers(built_site, reader_home, tmp_path_factory) -> Iterator[Callable]:
    """Return how to get a reader: one for each set of names in each thread."""
    made = {}

    def reader_for(notebook: Path) -> JupyterReader:
        names = installed_by(notebook, wheel_of(built_site))
        key = threading.get_ident(), *sorted(names)
        if key not in made:
            made[key] = JupyterReader(tmp_path_factory.mktemp("reader"), names, reader_home)
        return made[key]

    yield reader_for
    for reader in made.values():
        reader.close()


@pytest.fixture(scope="module")
def executed(
    built_site, jupyter_readers, tmp_path_factory, request
) -> Iterator[dict[str, Future[Ran]]]:
    """Run each notebook that a test wants, the wheel beside it; two run side by side."""

    def run(name: str) -> Ran:
        folder = tmp_path_factory.mktemp("mine")
        for file in (built_site / "downloads" / f"{name}.ipynb", wheel_of(built_site)):
            shutil.copy(file, folder)
        notebook = folder / f"{Path(name).name}.ipynb"
        if Path(name).name in MEASURING:
            # Once will do to see that it runs.
            often = notebook.read_text("utf-8")
            assert often.count("default=3") == 1
            notebook.write_text(often.replace("default=3", "default=1"), "utf-8")
        reader = jupyter_readers(notebook)
        error = reader.run(notebook)
        return Ran(notebook, error, bool(reader.installed()))

    pool = ThreadPoolExecutor(2 if os.name == "posix" else 1)
    yield {name: pool.submit(run, name) for name in chosen(request, "executed", "name")}
    pool.shutdown(cancel_futures=True)


@every_notebook
def test_notebook_runs_to_its_end_and_shows_its_pictures(name, executed):
    path, error, has_package = executed[name].result()
    assert error is None
    notebook = notebook_at(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.execution_count
            shown = [kind for output in cell.outputs for kind in output.get("data", {})]
            assert "plt.show()" not in cell.source or "image/png" in shown, cell.source
    assert has_package == imports_package(notebook), "installed by the first cell alone"


@every_notebook
def test_notebook_prints_what_its_page_shows(name, executed, built_site):
    notebook = notebook_at(executed[name].result().path)
    page = (built_site / f"{name}.html").read_text("utf-8")
    shown = html.unescape(re.sub(r"<[^>]+>", "", page))
    cells = [cell for cell in notebook.cells if not cell.id.startswith("setup")]
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    printed = [out.text.strip() for out in outputs if out.get("name") == "stdout"]
    assert printed or not any("print(" in code for code in code_of(notebook))
    if (script := Path(name).name) in MEASURING:
        # The page shows a record of another machine, and not every machine has a C++ compiler.
        shown = without_times(shown, script)
        lines = without_times("\n".join(printed), script).splitlines()
        printed = [line for line in lines if not line.startswith("torch.compile is left out: ")]
    assert [text for text in printed if text not in shown] == []
    raised = [f"{out.ename}: {out.evalue}" for out in outputs if out.output_type == "error"]
    assert [text for text in raised if text not in shown] == []
    # A warning begins with a place in the notebook and ends with one in torch's sources.
    warned = "".join(out.text for out in outputs if out.get("name") == "stderr")
    messages = re.findall(r"\w+Warning: .*?(?= \(Triggered| *$)", warned, re.MULTILINE)
    assert bool(messages) == bool(warned)
    assert [text for text in messages if text not in shown] == []


@pytest.mark.parametrize("name", ["beyond/17-million-points"])
def test_notebook_brings_along_the_record_that_it_draws(name, executed):
    brought = executed[name].result().path.with_name("speed.json")
    assert json.loads(brought.read_text("utf-8")) == json.loads(
        (DOCS / "beyond" / "speed.json").read_text("utf-8")
    )


def test_notebook_without_the_wheel_says_what_to_download(
    built_site, jupyter_readers, tmp_path, extension
):
    """As built where no public address is known, whatever is known where this runs."""
    page = (ROOT / "docs" / "course" / "05-gradient.md").read_text("utf-8")
    notebook = extension("notebooks").notebook_of(page, wheel_of(built_site).name, None)
    path = tmp_path / "05-gradient.ipynb"
    path.write_text(nbformat.writes(notebook), "utf-8")
    last = jupyter_readers(path).run(path).strip().splitlines()[-1]
    said = re.search(r"FileNotFoundError\S*: download (\S+) from .* into (\S+),", last)
    assert said.groups() == (wheel_of(built_site).name, str(tmp_path))


# What the extension computes


def first_cell(code: str, monkeypatch, folder: Path) -> dict:
    """Run a notebook's first cell without its last line, which is Jupyter's, in a folder."""
    monkeypatch.chdir(folder)
    assert code.splitlines()[-1].startswith("%pip install --quiet ")
    names = {}
    exec("\n".join(code.splitlines()[:-1]), names)
    return names


def test_first_cell_takes_the_wheel_beside_it(extension, monkeypatch, tmp_path):
    (tmp_path / "lt.whl").touch()
    for published in (None, "https://example.org/lt.whl"):
        code = extension("notebooks").setup_code("lt.whl", True, published)
        assert first_cell(code, monkeypatch, tmp_path)["wheel"] == "lt.whl"


def test_first_cell_of_a_published_notebook_takes_the_wheel_of_the_site(
    extension, monkeypatch, tmp_path
):
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/something")
    monkeypatch.delenv("READTHEDOCS_CANONICAL_URL", raising=False)
    downloads = extension("downloads")
    published = downloads._published_wheel("lt.whl")
    assert published.startswith("https://github.com/someone/something/")
    assert published.endswith("/lt.whl")
    code = extension("notebooks").setup_code("lt.whl", True, published)
    assert first_cell(code, monkeypatch, tmp_path)["wheel"] == published
    assert code.splitlines()[-1] == "%pip install --quiet {wheel}"


def test_notebook_on_read_the_docs_takes_the_wheel_from_there(extension, monkeypatch):
    monkeypatch.setenv("READTHEDOCS_CANONICAL_URL", "https://lines.example.org/en/latest/")
    monkeypatch.setenv("READTHEDOCS_GIT_CLONE_URL", "https://github.com/someone/lines.git")
    published = extension("downloads")._published_wheel("lt.whl")
    assert published == "https://lines.example.org/en/latest/downloads/lt.whl"


def test_first_cell_of_an_unpublished_notebook_names_the_wheel_and_the_folder(
    extension, monkeypatch, tmp_path
):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.delenv("READTHEDOCS_GIT_CLONE_URL", raising=False)
    monkeypatch.delenv("READTHEDOCS_CANONICAL_URL", raising=False)
    published = extension("downloads")._published_wheel("lt.whl")
    code = extension("notebooks").setup_code("lt.whl", True, published)
    with pytest.raises(FileNotFoundError, match=r"lt\.whl") as caught:
        first_cell(code, monkeypatch, tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_first_cell_of_a_notebook_without_the_package_asks_for_no_wheel(extension):
    code = extension("notebooks").setup_code("lt.whl", False, "https://example.org/lt.whl")
    assert "lt.whl" not in code
    assert code.splitlines()[-1] == "%pip install --quiet torch matplotlib"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_first_cell_and_page_of_a_script_install_what_it_names_and_nothing_else(script, built_site):
    named = dependencies_of(script)
    notebook = built_site / "downloads" / "gallery" / f"{script.stem}.ipynb"
    wheel = wheel_of(built_site)
    brought = set(needs_of_the_package(wheel)) if PACKAGE in named else set()
    assert (
        set(installed_by(notebook, wheel))
        == named
        - {PACKAGE}
        - {name for name in named if any(need.startswith(name) for need in brought)}
        | brought
    )
    page = (built_site / "gallery" / f"{script.stem}.html").read_text("utf-8")
    command = re.search(r"^.*python -m pip install (.*)$", page, re.MULTILINE)[1].split()
    assert set(command) == named - {PACKAGE} | ({f"./{wheel.name}"} if brought else set())


@pytest.mark.parametrize(("package", "last"), [(False, "torch matplotlib"), (True, "{wheel}")])
def test_first_cell_installs_what_else_is_needed(package, last, extension):
    code = extension("notebooks").setup_code("lt.whl", package, None, ["tqdm"])
    assert code.splitlines()[-1] == f"%pip install --quiet {last} tqdm"


def test_page_that_opens_data_writes_them_first_in_its_notebook(extension, tmp_path):
    (tmp_path / "times.json").write_text("[1, 2]\n", "utf-8")
    page = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n# 1. Read\n\n"
    page += '```{code-cell}\nwith open("times.json") as file:\n    print(file.read())\n```\n'
    notebook = extension("notebooks").notebook_of(page, "lt.whl", None, tmp_path)
    assert code_of(notebook)[1] == "%%writefile times.json\n[1, 2]"
    assert code_of(notebook)[2].startswith("with open")


@pytest.mark.parametrize(
    ("site", "jupyter"),
    [
        ("falls to {run}`0.65 <e>`.", "falls to 0.65."),
        ("{run}`$-2 - 3 = -5$ <p, q, r>`", "$-2 - 3 = -5$"),
        ("$$\ne = 6.5\n$$\n% run: e\nNext", "$$\ne = 6.5\n$$\nNext"),
        ("{py:func}`~linreg_tutorial.fit_manual`", "`linreg_tutorial.fit_manual`"),
        (":class:`torch.nn.Linear` is", "`torch.nn.Linear` is"),
        (":py:meth:`~torch.Tensor.backward`", "`torch.Tensor.backward`"),
        ("[page 3](03-predict.md)", "[page 3](03-predict.ipynb)"),
        ("[of the index](index.md), [twice](#second-backward)", "of the index, twice"),
        ("[script](../gallery/01_fit_by_hand.rst)", "script"),
        ("(a-label)=\n# Title", "# Title"),
        (":::{note}\n:class: tip\nHere.\n:::", "> **Note**\n>\n> Here."),
        ("{site-file}`All <all.zip>`", "All"),
        ("50 % of (1, 3)", "50 % of (1, 3)"),
    ],
)
def test_text_of_the_site_becomes_text_for_jupyter(site, jupyter, extension):
    assert extension("notebooks").plain_markdown(site) == jupyter


@pytest.mark.parametrize(
    "module", [path.stem for path in sorted(EXTENSIONS.glob("*.py")) if ">>> " in path.read_text()]
)
def test_examples_in_the_extensions_say_what_they_do(module, extension):
    result = doctest.testmod(extension(module))
    assert result.attempted
    assert not result.failed
