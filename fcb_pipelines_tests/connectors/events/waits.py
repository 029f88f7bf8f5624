"""Waiting without waiting: what was logged is moved into the past."""

import psycopg2

from fcb_pipelines.connectors.events.queue import LOG
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres


def over(postgres: EmbeddedPostgres, database: str) -> None:
    """Every wait between two tries is over: the log's rows are a day older."""
    connection = psycopg2.connect(postgres.libpq_url(database))
    with connection, connection.cursor() as cursor:
        # The owner of a table may switch its own trigger off.
        cursor.execute(f"alter table {LOG} disable trigger user")
        cursor.execute(f"update {LOG} set at = at - interval '1 day'")
        cursor.execute(f"alter table {LOG} enable trigger user")
    connection.close()
