"""Data on their way from a page's kernel through the page to a script in the browser."""

import json

MARK = '<script type="application/json" class="step-through">'


def script_json(data: object) -> str:
    """Return data as JSON for a script element: what looks like a tag would end it."""
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
