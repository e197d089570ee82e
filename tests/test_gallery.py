"""Each gallery script as a reader runs it: alone, in an empty folder, with only what it names."""

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from readers import (
    PACKAGE,
    Reader,
    chosen,
    needs_of_the_package,
    new_reader,
    reader_variables,
    wheel_of,
)
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "gallery").glob("*.py"))
# These look at the clock, and no two runs take the same time.
MEASURING = {"18_measure_step"}
# Once will do to see that they run.
QUICKLY = {script: ["--rounds", "1"] for script in MEASURING}

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


# What a script says about itself


def block_of(script: Path) -> dict:
    """Return the PEP 723 block of a script."""
    text = script.read_text("utf-8")
    assert text.startswith("# /// script\n"), "the first line opens the block"
    block = text.partition("# /// script\n")[2].partition("# ///\n")[0]
    return tomllib.loads(re.sub(r"^# ?", "", block, flags=re.MULTILINE))


def dependencies_of(script: Path) -> set[str]:
    return set(block_of(script)["dependencies"])


def header_of(script: Path) -> str:
    return script.read_text("utf-8").partition('r"""')[0]


def install_command_of(script: Path) -> list[str]:
    return re.search(r"^# {5}python (-m pip install .*)$", header_of(script), re.MULTILINE)[
        1
    ].split()


# Running


def without_times(printed: str, script: str) -> str:
    """Return what a script printed; of one that looks at the clock all but the numbers."""
    return re.sub(r" *\d[\d.]*", " #", printed) if script in MEASURING else printed


@pytest.fixture(scope="session")
def readers(built_site, reader_home, tmp_path_factory) -> dict[frozenset, Path]:
    """Return an environment for each set of dependencies that a script declares."""
    made = {}
    wheel = wheel_of(built_site)
    for script in SCRIPTS:
        needs = frozenset(dependencies_of(script))
        if needs in made:
            continue
        folder = tmp_path_factory.mktemp("reader")
        others = needs - {PACKAGE}
        if PACKAGE not in needs:
            made[needs] = new_reader(folder / "env", others)
            continue
        made[needs] = new_reader(folder / "env", [*others, *needs_of_the_package(wheel)])
        (folder / wheel.name).write_bytes(wheel.read_bytes())
        subprocess.run(
            [made[needs], *install_command_of(script)],
            cwd=folder,
            env=reader_variables(reader_home),
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return made


@pytest.fixture(scope="session")
def runs(
    built_site, readers, reader_home, tmp_path_factory, request
) -> Iterator[dict[str, list[Future]]]:
    """Run each script that a test wants twice; two run side by side.

    The second time from another process: what one process chooses at its start, such as
    the order of sets, is the same in all that are forked from it.
    """
    started = [
        {
            needs: Reader(python, reader_variables(reader_home), ("torch", "matplotlib.pyplot"))
            for needs, python in readers.items()
        }
        for _ in range(2)
    ]

    def run(script: Path, turn: int) -> subprocess.CompletedProcess:
        folder = tmp_path_factory.mktemp("empty")
        taken = folder / script.name
        taken.write_bytes((built_site / "downloads" / "gallery" / script.name).read_bytes())
        reader = started[turn][frozenset(dependencies_of(script))]
        return reader.run([taken.name, *QUICKLY.get(script.stem, [])], folder, timeout=120)

    pool = ThreadPoolExecutor(2)
    wanted = chosen(request, "runs", "script")
    yield {script.stem: [pool.submit(run, script, turn) for turn in range(2)] for script in wanted}
    pool.shutdown(cancel_futures=True)
    for readers_of_one_turn in started:
        for reader in readers_of_one_turn.values():
            reader.close()


@every_script
def test_script_runs_alone_and_says_nothing_of_errors(script, runs):
    run = runs[script.stem][0].result()
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.strip()


@every_script
def test_script_prints_the_same_every_time(script, runs):
    first, second = (without_times(run.result().stdout, script.stem) for run in runs[script.stem])
    assert first == second


def test_only_the_times_of_what_is_measured_may_differ():
    assert without_times("backward()   93.6  5252.8", "18_measure_step") == "backward() # #"
    assert without_times("a = 2.0393", "01_fit_by_hand") == "a = 2.0393"


def test_readers_have_nothing_that_the_scripts_do_not_name(readers, reader_home, tmp_path):
    assert len(readers) == 3
    for needs, python in readers.items():
        names = {"torch", "matplotlib", "linreg_tutorial", "tqdm", "sphinx", "IPython", "pytest"}
        code = f"import importlib.util as u; print(*[n for n in {names} if u.find_spec(n)])"
        run = subprocess.run(
            [python, "-c", code],
            cwd=tmp_path,
            env=reader_variables(reader_home),
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(run.stdout.split()) == {name.replace("-", "_") for name in needs}


# What is written


def test_scripts_need_the_package_but_for_the_first_three_and_the_one_that_measures():
    others = {"01": set(), "02": set(), "03": set(), "18": {"tqdm"}}
    for script in SCRIPTS:
        other = others.get(script.stem[:2], {PACKAGE})
        assert dependencies_of(script) == {"torch", "matplotlib"} | other, script.name


@every_script
def test_script_names_everything_that_it_imports(script):
    tree = ast.parse(script.read_text("utf-8"))
    plain = [alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names]
    other = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    modules = {name.partition(".")[0] for name in [*plain, *other]} - sys.stdlib_module_names
    assert modules <= {name.replace("-", "_") for name in dependencies_of(script)}


@pytest.mark.parametrize(
    "script", [s for s in SCRIPTS if PACKAGE in dependencies_of(s)], ids=lambda path: path.stem
)
def test_script_names_the_wheel_that_the_site_carries(script, built_site):
    wheel = wheel_of(built_site).name
    assert block_of(script)["tool"]["uv"]["sources"][PACKAGE] == {"path": wheel}
    assert install_command_of(script)[-1] == f"./{wheel}"
    assert set(re.findall(r"[\w.-]+\.whl", header_of(script))) == {wheel}


def test_gallery_page_names_the_wheel_that_the_site_carries(built_site):
    header = (ROOT / "gallery" / "GALLERY_HEADER.rst").read_text("utf-8")
    assert re.findall(r"[\w.-]+\.whl", header) == [wheel_of(built_site).name]


@every_script
def test_script_opens_with_a_title_that_its_name_repeats_and_says_what_it_does(script):
    docstring = ast.get_docstring(ast.parse(script.read_text("utf-8")))
    title, line, empty, prose = docstring.split("\n", 3)
    assert title.split()[0].lower() == script.stem.split("_")[1], "the verb of the file's name"
    assert line == "=" * len(title)
    assert not empty
    assert len(re.findall(r"[a-z]\.(?:\s|$)", prose)) >= 2, "at least two sentences"


@every_script
def test_script_ends_with_a_check_of_its_claim(script):
    last = ast.parse(script.read_text("utf-8")).body[-1]
    asserted = any(isinstance(node, ast.Assert) for node in ast.walk(last))
    compared = any(getattr(node, "attr", "") == "assert_close" for node in ast.walk(last))
    assert asserted or compared


# Numbers


NUMBER = re.compile(r"(?<![\w.])(?:(?<!\d)-)?\d+(?:\.\d+)?(?!\w|\.\d)")


def numbers_in_prose(script: Path) -> set[str]:
    """Return the numbers of a script's text, without those in code, roles and lists."""
    _, blocks = split_code_and_text_blocks(script)
    text = "\n".join(block.content for block in blocks if block.type == "text")
    text = re.sub(r"``.*?``|:[\w:]+:`.*?`", " ", text, flags=re.DOTALL)
    text = re.sub(r"^\s*\d+\. ", "", text, flags=re.MULTILINE)
    return set(NUMBER.findall(text.replace("−", "-")))


def numbers_in_code(script: Path) -> set[float]:
    """Return the numbers that stand in a script's code, with the sign before them."""
    found, sign = set(), ""
    for token in tokenize.generate_tokens(io.StringIO(script.read_text("utf-8")).readline):
        if token.type == tokenize.NUMBER:
            found.add(float(sign + token.string))
        sign = "-" if token.string == "-" else ""
    return found


@every_script
def test_numbers_that_a_script_tells_are_in_its_code_or_its_output(script, runs):
    printed = NUMBER.findall(runs[script.stem][0].result().stdout.replace("−", "-"))
    given = numbers_in_code(script)
    told = {number for number in numbers_in_prose(script) if float(number) not in given}
    assert told <= set(printed)
