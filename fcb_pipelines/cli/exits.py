"""What the exit code of `fcb` means; the same for every verb. And the one problem of its own."""

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


class GateStopped(Exception):
    """A gate that stands before every month failed; nothing below it was done."""

    def __init__(self, gates: tuple[str, ...], told: str) -> None:
        self.gates = gates
        super().__init__(f"{', '.join(gates)}: {told}")
