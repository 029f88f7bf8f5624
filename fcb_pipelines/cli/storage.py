"""Dagster's storage that goes away is one message: it raises in many forms, from anywhere in a run."""

import logging
from collections.abc import Iterator

import psycopg2
import sqlalchemy.exc

from fcb_pipelines.cli.screen import say
from fcb_pipelines.connectors.failures import Unreachable

_LOST = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
)


class _ReportedOnce(logging.Filter):
    """Dagster warns of each try in four lines; one message is enough for a person."""

    is_reported = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown as it is."""
        if not str(record.msg).startswith("Retrying failed database connection"):
            return True
        if not self.is_reported:
            say("Dagster's Postgres does not answer; it is tried again for a while")
        self.is_reported = True
        return False


_ONCE = _ReportedOnce()


def report_tries_once() -> None:
    """Report a storage that does not answer once, however often it is tried."""
    _ONCE.is_reported = False
    logging.getLogger().addFilter(_ONCE)


def lost_storage(error: BaseException) -> Unreachable | None:
    """The message for an error that comes of a Postgres that did not answer; else None."""
    lost = next((each for each in _with_causes(error) if isinstance(each, _LOST)), None)
    if lost is None:
        return None
    origin = getattr(lost, "orig", None) or lost
    return Unreachable(
        "reading Dagster's storage at FCB_POSTGRES_URL",
        " ".join(str(origin).split()).rstrip("."),
        remedy="start Postgres there or correct FCB_POSTGRES_URL, then fcb doctor",
    )


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        here = here.__cause__ or here.__context__
