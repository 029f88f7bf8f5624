"""Dagster's storage that goes away is one message: it raises in many forms, from anywhere in a run."""

from collections.abc import Iterator

import psycopg2
import sqlalchemy.exc

from fcb_pipelines.connectors.failures import Unreachable

_LOST = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
)


def lost_storage(error: BaseException) -> Unreachable | None:
    """What a person is told where an error comes of a Postgres that did not answer; else None."""
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
