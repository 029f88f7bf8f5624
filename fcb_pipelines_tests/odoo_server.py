"""One real Odoo server for the test run, and fresh books in it for each test that asks.

Odoo is installed in FCB_ODOO_CACHE, else in a folder of the run's own (a minute and a half). Where
it can't be had the tests are skipped, and say so; with FCB_REQUIRE_ODOO=1 they fail instead.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import odoorpc
import pytest

from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.odoo import PASSWORD, USER, SandboxOdoo, start_odoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.processes import Process
from fcb_pipelines_tests.documents import SETTINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooBooks:
    """One database of the server that the test run started."""

    url: str
    database: str

    def connection(
        self, user: str = USER, password: str = PASSWORD, *, company: int | None = None
    ) -> OdooConnection:
        """A connection as the pipeline makes it."""
        return OdooConnection(self.url, self.database, user, password, company=company)

    def do(self, model: str, method: str, *arguments: Any, **options: Any) -> Any:
        """One call as the administrator: what a person does in Odoo."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        session = odoorpc.ODOO(host, port=int(port), timeout=300)
        session.login(self.database, USER, PASSWORD)
        return session.execute_kw(model, method, list(arguments), options)


class OdooServer:
    """The running server and the databases made in it.

    Tests get the database of one name again and again, each time a new copy of the prepared one:
    so the server loads its models once. It notices the exchange by its own signalling tables.
    """

    def __init__(
        self, odoo: SandboxOdoo, folder: Path, postgres: EmbeddedPostgres, process: Process
    ) -> None:
        self.folder = folder
        self._odoo = odoo
        self._postgres = postgres
        self._url = process.url
        self._made: set[str] = set()
        self._run = uuid4().hex[:8]
        self._prepared: OdooBooks | None = None
        self._selling: OdooBooks | None = None

    def unprepared(self) -> OdooBooks:
        """Fresh books: the Canadian chart, and nothing of ours."""
        books = self._books(f"odoo_fresh_{self._run}")
        self._odoo.drop_books(books.database)
        self._odoo.create_books(books.database)
        return books

    def prepared(self) -> OdooBooks:
        """Books that `fcb ledger setup` has been through, empty."""
        return self._copy(self._prepared or self._prepare(), f"odoo_test_{self._run}")

    def selling(self) -> OdooBooks:
        """Prepared, empty books with the app Sales in them; it is installed once, for a minute."""
        if self._selling is None:
            books = self._copy(self._prepared or self._prepare(), f"odoo_selling_{self._run}")
            app = books.do("ir.module.module", "search", [("name", "=", "sale")])
            books.do("ir.module.module", "button_immediate_install", app)
            self._selling = books
        return self._copy(self._selling, f"odoo_sale_{self._run}")

    def start_another(self, database: str, log: Path) -> tuple[Process, Mapping[str, str]]:
        """A second server over books of its own, as the sandbox starts it."""
        self._books(database)
        home = self._postgres.data.parent
        return start_odoo(home, self._postgres, database, known=None, log=log)

    def drop(self) -> None:
        """Remove every database made here."""
        for database in self._made:
            self._odoo.drop_books(database)

    def _prepare(self) -> OdooBooks:
        books = self._books(f"odoo_prepared_{self._run}")
        self._odoo.create_books(books.database)
        OdooLedger(books.connection(), SETTINGS).setup()
        self._prepared = books
        return books

    def _copy(self, source: OdooBooks, name: str) -> OdooBooks:
        books = self._books(name)
        self._postgres.drop_database(books.database)
        self._disconnect(source.database)
        self._postgres.create_database(books.database, template=source.database)
        return books

    def _books(self, database: str) -> OdooBooks:
        self._made.add(database)
        return OdooBooks(url=self._url, database=database)

    def _disconnect(self, database: str) -> None:
        """A database that somebody is connected to can't be copied."""
        with self._postgres.maintenance() as connection, connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                (database,),
            )


@pytest.fixture(scope="session")
def odoo_server(postgres: EmbeddedPostgres) -> Iterator[OdooServer]:
    """Odoo 19, installed and started."""
    home = postgres.data.parent
    shared = os.environ.get("FCB_ODOO_CACHE")
    folder = Path(shared) if shared else home / "odoo"
    data = home / f"odoo-data-{uuid4().hex[:8]}"
    odoo = SandboxOdoo(folder, postgres, data=data)
    try:
        process = odoo.start(None, log=home / "odoo.log")
    except Failure as failure:
        if os.environ.get("FCB_REQUIRE_ODOO") == "1":
            raise
        pytest.skip(f"NO REAL ODOO HERE, its tests did not run: {failure}")
    server = OdooServer(odoo, folder, postgres, process)
    try:
        yield server
    finally:
        processes.stop(process)
        server.drop()
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def odoo_books(odoo_server: OdooServer) -> OdooConnection:
    """The administrator's connection to books that setup was never run on."""
    return odoo_server.unprepared().connection()


@pytest.fixture
def prepared_books(odoo_server: OdooServer) -> OdooBooks:
    """Prepared, empty books."""
    return odoo_server.prepared()


@pytest.fixture
def selling_books(odoo_server: OdooServer) -> OdooBooks:
    """Prepared, empty books with the app Sales."""
    return odoo_server.selling()


@pytest.fixture
def odoo_ledger(prepared_books: OdooBooks) -> OdooLedger:
    """The adapter over prepared, empty books."""
    return OdooLedger(prepared_books.connection(), SETTINGS)


@pytest.fixture
def odoo_lock(prepared_books: OdooBooks) -> Callable[[date], None]:
    """Locks every entry up to and including a date, as the accountant does."""

    def lock(day: date) -> None:
        (company,) = prepared_books.do("res.company", "search", [])
        values = {"fiscalyear_lock_date": day.isoformat()}
        prepared_books.do("res.company", "write", [company], values)

    return lock


@pytest.fixture
def odoo_take_back(prepared_books: OdooBooks) -> Callable[[str], None]:
    """Removes the matching that an allocation stands for, as a person does on the invoice."""

    def take_back(ref: str) -> None:
        ours = [("x_fc_source_ref", "=", ref)]
        (found,) = prepared_books.do(
            "account.partial.reconcile", "search_read", ours, fields=["debit_move_id"]
        )
        (line,) = prepared_books.do(
            "account.move.line", "read", [found["debit_move_id"][0]], ["move_id"]
        )
        move = line["move_id"][0]
        prepared_books.do("account.move", "js_remove_outstanding_partial", [move], found["id"])

    return take_back
