"""The exit codes of `fcb`, the same for every verb, and the error of a failed gate."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes. Where several apply, the highest is given."""

    OK = 0
    """Everything asked for was done, and every gate holds (warnings are listed, not counted)."""

    DIFFERENCE = 1
    """A gate failed, or a result differs from the expected one; the output names it."""

    USAGE = 2
    """Wrong arguments, configuration or environment: nothing was done."""

    CONNECTION = 3
    """A system outside could not be reached or refused; the output names the remedy."""

    STOPPED = 130
    """A person or the system stopped it; what was written is whole, and the same command goes on."""


class GateStopped(Exception):
    """A gate before the months failed, so nothing after it was done; `gates` are their names."""

    def __init__(self, gates: tuple[str, ...], detail: str) -> None:
        self.gates = gates
        super().__init__(f"{', '.join(gates)}: {detail}")
