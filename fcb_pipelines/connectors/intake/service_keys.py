"""The keys by which services are known at the intake. Only a key's digest is kept.

A key is 256 random bits, so its digest can't be guessed back and needs no salt.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.intake.schema import KEYS, new_schema
from fcb_pipelines.connectors.store.own_postgres import transaction
from fcb_pipelines.core.digests import digest

PREFIX = "fcbk_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKey:
    """One key of a service, without its secret. `revoked_at` is None while it opens the intake."""

    id: int
    service: str
    note: str
    made_at: datetime
    revoked_at: datetime | None


class ServiceKeys:
    """The keys in one database. All methods raise Unreachable or NotAllowed."""

    def __init__(self, postgres_url: str) -> None:
        self._url = postgres_url
        self._schema = new_schema()

    def new(self, service: str, note: str) -> tuple[int, str]:
        """A new key of the service: its number, and its secret, which nobody can show again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        with (
            self._transaction(f"making a key of {service}") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"insert into {KEYS} (service, note, hash) values (%s, %s, %s) returning id",  # noqa: S608 - a constant
                (service, note, digest(secret)),
            )
            ((number,),) = cursor.fetchall()
        return int(number), secret

    def of(self, service: str) -> tuple[ServiceKey, ...]:
        """Every key of the service, the oldest first."""
        with (
            self._transaction(f"listing the keys of {service}") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"select id, service, note, made_at, revoked_at from {KEYS} "  # noqa: S608 - a constant
                "where service = %s order by id",
                (service,),
            )
            return tuple(
                ServiceKey(id=row[0], service=row[1], note=row[2], made_at=row[3], revoked_at=row[4])
                for row in cursor.fetchall()
            )  # fmt: skip

    def revoke(self, service: str, number: int) -> None:
        """From now on the key opens nothing. Raises NotFound where the service has no such key."""
        tried = f"revoking key {number} of {service}"
        with self._transaction(tried) as connection, connection.cursor() as cursor:
            cursor.execute(
                f"update {KEYS} set revoked_at = coalesce(revoked_at, clock_timestamp()) "  # noqa: S608 - a constant
                "where service = %s and id = %s",
                (service, number),
            )
            if not cursor.rowcount:
                raise NotFound(
                    tried, "it has no such key", remedy=f"fcb services key list {service}"
                )

    def service_of(self, secret: str) -> str | None:
        """The service that the secret opens the intake for; None for an unknown or revoked one."""
        with self._transaction("looking up a key") as connection, connection.cursor() as cursor:
            cursor.execute(
                f"select service from {KEYS} where hash = %s and revoked_at is null",  # noqa: S608 - a constant
                (digest(secret),),
            )
            found = cursor.fetchone()
        return str(found[0]) if found else None

    @contextmanager
    def _transaction(self, tried: str) -> Iterator[Connection]:
        with transaction(self._url, tried, self._schema.bring_up) as connection:
            yield connection
