"""What the tests of the built site share: the site, a server that shows it, a browser."""

import functools
import importlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import devices
import pytest
from browsing import SITE
from readers import reader_variables

# As in the kernels of the pages. It has to be said before torch looks for a card.
devices.hide_cards()

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def built_site() -> Path:
    """Return the folder of the built site; ``make test`` builds it first."""
    if not (SITE / "index.html").is_file():
        pytest.fail("the site is not built: run `make html` first", pytrace=False)
    return SITE


@pytest.fixture
def extension() -> Callable:
    """Return how to import one of the site's extensions."""
    return importlib.import_module


@pytest.fixture(scope="session")
def reader_home(tmp_path_factory) -> Path:
    """Return a reader's home, where matplotlib has already looked for the fonts."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run(
        [sys.executable, "-c", "import matplotlib.font_manager"],
        env=reader_variables(home),
        check=True,
    )
    return home


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        """Say nothing: the tests look at what the browser got."""


@pytest.fixture(scope="session")
def served_site(built_site) -> Iterator[str]:
    """Serve the built site; return its address, with a slash at its end."""
    handler = functools.partial(_Quiet, directory=built_site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    """Return a headless Chromium, found or installed.

    It lives as long as one module of tests: while Playwright runs, nothing else
    in the process can run asyncio, and the tests of notebooks do.
    """
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        for path in _browsers():
            try:
                started = playwright.chromium.launch(
                    executable_path=path, args=_FLAGS, timeout=60_000
                )
            except Error:
                continue
            yield started
            started.close()
            return
    missing = (
        "no Chromium could be started: install Chromium or Chrome, "
        "or run `python -m playwright install --with-deps chromium`"
    )
    if os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def _browsers() -> Iterator[str | None]:
    """Yield what may start, the cheapest way first; None is the one that Playwright keeps."""
    # The shell is the same Chromium without its windows: a page costs it a third of the time.
    for name in (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "chrome",
    ):
        if path := shutil.which(name):
            yield path
    windows = [
        os.environ.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
    ]
    for path in (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        *(rf"{folder}\Google\Chrome\Application\chrome.exe" for folder in windows if folder),
    ):
        if os.path.exists(path):
            yield path
    yield None
    _run(sys.executable, "-m", "playwright", "install", "chromium")
    yield None
    if shutil.which("apt-get") and os.geteuid() == 0:
        _run("apt-get", "update")
        for name in ("chromium-headless-shell", "chromium"):
            _run("apt-get", "install", "-y", name)
            if path := shutil.which(name):
                yield path


@functools.cache
def _run(*command: str) -> None:
    """Run a command that may fail, once in a session."""
    try:
        subprocess.run(command, capture_output=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired):
        pass
