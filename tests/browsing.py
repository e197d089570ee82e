"""What the tests of built pages do: read them, and use them in a browser."""

import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup

SITE = Path(__file__).parent.parent / "docs" / "_build" / "html"


@cache
def soup(name: str) -> BeautifulSoup:
    """Return a page of the built site, parsed."""
    return BeautifulSoup((SITE / name).read_text("utf-8"), "html.parser")


@contextmanager
def reading(browser, **options):
    """Open an empty page in a profile of its own, where nothing waits for long."""
    context = browser.new_context(**options)
    context.set_default_timeout(15_000)
    try:
        yield context.new_page()
    finally:
        context.close()


def troubles_of(page, home: str) -> list[str]:
    """Return a list that fills with what goes wrong on a page while it is open."""
    troubles = []

    def on_request(request):
        if not request.url.startswith((home, "data:", "blob:")):
            troubles.append(f"asks another host: {request.url}")

    def on_response(response):
        if response.status >= 400:
            troubles.append(f"answer {response.status}: {response.url}")

    def on_console(message):
        if message.type in ("error", "warning"):
            troubles.append(f"console {message.type}: {message.text}")

    def on_failure(request):
        # The browser drops what is under way when the reader goes on to another page.
        if request.failure != "net::ERR_ABORTED":
            troubles.append(f"not loaded: {request.url}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("requestfailed", on_failure)
    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    return troubles


def searched(page, home: str, text: str) -> None:
    """Search for a text from the home page, and wait for the results."""
    page.goto(home + "index.html")
    page.locator("input[name=q]").fill(text)
    page.keyboard.press("Enter")
    page.locator(".search-summary", has_text=re.compile("finished|did not match")).wait_for()


def tab_to(page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")
