"""What the receiver of a dataset's sandbox was told: a file of one event a line, in the order they came."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECRET = "FCB_SANDBOX_EVENTS_SECRET"
"""The variable with the secret that signs the events."""

FILE = "told.jsonl"
"""The file's name in the dataset's folder under FCB_HOME."""

Told = Mapping[str, Any]


def told(file: Path) -> tuple[Told, ...]:
    """The events that were taken, as they were sent; none where none was.

    A last line that a killed receiver left half written was never answered for, and does not count.
    """
    try:
        lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return ()
    return tuple(json.loads(line) for line in lines)
