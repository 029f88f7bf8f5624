"""What the exit code of `fcb` means; the same for every verb."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes. The highest that applies is given."""

    OK = 0
    """Everything asked for was done, and every gate holds (warnings are listed, not counted)."""

    DIFFERENCE = 1
    """A gate failed, or something differs from what must come out; the output names it."""

    USAGE = 2
    """Wrong arguments, configuration or environment: nothing was done."""

    CONNECTION = 3
    """Something outside could not be reached or refused; the output says what mends it."""
