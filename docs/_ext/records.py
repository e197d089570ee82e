"""Records of measurements: what the site shows of a script that looks at the clock.

Times differ from run to run, so a build that measured would never come out the
same twice. A script that measures takes ``--load FILE``. Here it is told to show
the record that is committed below ``docs/``, where a page draws it too.
"""

from pathlib import Path
from typing import Any

_RECORDS = {"18_measure_step": "beyond/speed.json"}


def arguments(gallery_conf: dict[str, Any], script_vars: dict[str, Any]) -> list[str]:
    """Return the arguments with which sphinx-gallery runs a script."""
    record = _RECORDS.get(Path(script_vars["src_file"]).stem)
    return ["--load", str(Path(gallery_conf["src_dir"], record))] if record else []


def paths(docs: Path) -> list[Path]:
    """Return the files that hold records.

    Parameters
    ----------
    docs
        The folder of the site's sources.
    """
    return [docs / name for name in _RECORDS.values()]
