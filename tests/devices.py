"""What this machine can calculate on, and how a test gets at it.

The tests hide graphics cards, as the site's build does. A process of its own sees them again.
"""

import os
import subprocess
import sys

_AS_GIVEN = dict(os.environ)

_NAMES = """
import torch
print("cpu")
if torch.accelerator.is_available():
    print(torch.accelerator.current_accelerator().type)
"""


def hide_cards() -> None:
    """Let this process, and those that it starts, do without graphics cards."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""


def run_with_cards(code: str) -> str:
    """Run a program that sees the cards of this machine; return what it prints."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=_AS_GIVEN,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def available() -> list[str]:
    """Return the devices that there are: the processor, and an accelerator if there is one."""
    return run_with_cards(_NAMES).split()
