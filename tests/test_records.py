"""Records: what a script measured once is what the site shows."""

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_gallery import MEASURING

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "gallery" / "18_measure_step.py"
RECORD = ROOT / "docs" / "beyond" / "speed.json"
GALLERY = sorted((ROOT / "gallery").glob("*.py"))


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    """Run the script that measures, in a folder."""
    quiet = {"MPLBACKEND": "agg", "PYTHONWARNINGS": "ignore:FigureCanvasAgg is non-interactive"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        env=os.environ | quiet | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def rows(printed: str) -> list[str]:
    """Return the names of the rows of times."""
    return re.findall(r"^(.+?) +\d+\.\d(?: +\d+\.\d){5}$", printed, flags=re.MULTILINE)


def test_a_script_that_measures_shows_its_record_when_the_site_is_built(extension):
    arguments = extension("records").arguments
    for script in GALLERY:
        given = arguments({"src_dir": str(ROOT / "docs")}, {"src_file": str(script)})
        assert bool(given) == (script.stem in MEASURING), script.name
        if given:
            assert given[0] == "--load"
            assert json.loads(Path(given[1]).read_text("utf-8"))


def test_site_shows_the_times_of_the_record(built_site):
    record = json.loads(RECORD.read_text("utf-8"))
    page = (built_site / "gallery" / "18_measure_step.html").read_text("utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert f"a record of {record['date']}: {record['machine']}, Python {record['python']}" in text
    for way, times in record["microseconds"].items():
        numbers = " +".join(re.escape(f"{time:.1f}") for time in times)
        assert re.search(rf"^{re.escape(way)} +{numbers}$", text, flags=re.MULTILINE), way


def test_record_is_whole_and_says_where_it_comes_from():
    record = json.loads(RECORD.read_text("utf-8"))
    assert record["points"] == [10**k for k in range(2, 8)]
    assert set(record["microseconds"]) == {"backward()", "formula", "torch.compile", "read x, t"}
    for times in record["microseconds"].values():
        assert len(times) == len(record["points"])
        assert min(times) > 0
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", record["date"])
    assert re.fullmatch(r"\d+ cores, [\w-]+", record["machine"])
    assert str(Path.home()) not in RECORD.read_text("utf-8")


def test_what_is_saved_can_be_shown_again(tmp_path):
    measured = run(tmp_path, "--rounds", "1", "--save", "mine.json")
    assert (measured.returncode, measured.stderr) == (0, "")
    shown = run(tmp_path, "--load", "mine.json")
    assert (shown.returncode, shown.stderr) == (0, "")
    title, same = shown.stdout.split("\n", 1)
    assert title.startswith("a record of ")
    assert same == measured.stdout
    assert len(rows(same)) in (6, 8), "all ways, with torch.compile or without"


@pytest.mark.skipif(os.name == "nt", reason="there the compiler is not looked up in PATH alone")
def test_without_a_compiler_one_row_is_missing_and_a_line_says_why(tmp_path):
    cache = tmp_path / "nothing compiled before"
    alone = run(
        tmp_path,
        *("--rounds", "1"),
        PATH=str(tmp_path),
        CXX="no-such-compiler",
        TORCHINDUCTOR_CACHE_DIR=str(cache),
    )
    assert (alone.returncode, alone.stderr) == (0, "")
    assert re.match(r"torch\.compile is left out: \w*Compiler", alone.stdout), alone.stdout
    assert rows(alone.stdout) == ["backward()", "formula", "read x, t"] * 2


def test_jupyters_own_arguments_are_no_obstacle(tmp_path):
    shown = run(tmp_path, "-f", "kernel-1234.json", "--load", str(RECORD))
    assert (shown.returncode, shown.stderr) == (0, "")
