"""The result of one check of the doctor."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "warn", "fail"]
Group = Literal["configuration", "store", "postgres", "dagster", "sources", "ledger", "services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check. `kind` decides the exit code of a failure: setting 2, connection 3.

    `group` is what it is about.
    """

    what: str
    outcome: Outcome
    detail: str
    remedy: str | None = None
    kind: Literal["setting", "connection"] = "connection"
    group: Group | None = None
