"""The same loop wherever this machine can calculate: page 17, and the package's fits."""

import json
import re
from pathlib import Path

import pytest
import torch
from devices import available, run_with_cards

PAGE = (Path(__file__).parent.parent / "docs" / "beyond" / "17-million-points.md").read_text(
    "utf-8"
)
CELLS = re.findall(r"^```\{code-cell\}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
DEVICES = available()

# Devices add up in other orders. In single precision a hundred steps stay together to 1e-5, as on
# the processor; half of the last digit that the course prints is more than that.
TOLERANCE = 5e-5
END = {"a": 2.0393, "b": 0.9364}

every_device = pytest.mark.parametrize("device", DEVICES)


def found(code: str) -> dict:
    """Return what a program leaves in ``found``, run where the cards can be seen."""
    printed = run_with_cards(f"{code}\nimport json\nprint(json.dumps(found))")
    return json.loads(printed.splitlines()[-1])


def test_line_of_the_page_takes_the_accelerator_where_there_is_one():
    # The last one: it stands behind the processor, if it is there at all.
    assert found(f"{CELLS[0]}\nfound = torch.device(device).type") == DEVICES[-1]


def test_line_of_the_page_asks_for_no_accelerator_where_there_is_none(monkeypatch):
    """PyTorch 2.6 raises there, and later versions return None."""
    (line,) = re.findall(r"^device = .*$", CELLS[0], flags=re.MULTILINE)
    names = {"accelerator": torch.accelerator}
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
    for there, device in ((True, torch.device("mps")), (False, "cpu")):
        monkeypatch.setattr(torch.accelerator, "is_available", lambda there=there: there)
        exec(line, names)
        assert names["device"] == device


@every_device
def test_loop_of_the_page_ends_where_the_course_ends(device):
    ended = found(
        f"{CELLS[0]}\ndevice = {device!r}\n{CELLS[1]}\n"
        "found = {'a': a.item(), 'b': b.item(), 'device': a.device.type}"
    )
    assert ended.pop("device") == device
    assert ended == pytest.approx(END, abs=TOLERANCE)


FITS = """
import torch
from linreg_tutorial import LineNet, fit_manual, fit_module, two_points

x, t = (data.to({device!r}) for data in two_points())
histories = {{
    "fit_manual": fit_manual(x, t),
    "fit_module": fit_module(
        x.reshape(-1, 1), t.reshape(-1, 1), LineNet(a=1.0, b=0.0).to({device!r}), lr=0.1, steps=100
    ),
}}
found = {{name: {{"a": h[-1].a, "b": h[-1].b}} for name, h in histories.items()}}
"""


@every_device
def test_fits_of_the_package_end_where_the_course_ends(device):
    for ended in found(FITS.format(device=device)).values():
        assert ended == pytest.approx(END, abs=TOLERANCE)
