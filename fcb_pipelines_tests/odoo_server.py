"""One real Odoo server for the test run, and fresh books in it for each test that asks.

Odoo is installed in FCB_ODOO_CACHE, else in a folder of the run's own (a minute and a half). Where
it can't be had the tests are skipped, and say so; with FCB_REQUIRE_ODOO=1 they fail instead.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import odoorpc
import pytest
from filelock import FileLock

from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.connectors.ledger import Writer
from fcb_pipelines.connectors.odoo.action_lease import LEASE_KEY, LEASE_SECONDS
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.odoo import PASSWORD, USER, SandboxOdoo, start_odoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.processes import Process
from fcb_pipelines_tests.cash_entries import BALANCES, CASH_SETTINGS, OUTSTANDING, CashCase
from fcb_pipelines_tests.documents import SETTINGS, a_partner

GROUPS: Mapping[str, tuple[str, str]] = {
    "user": ("base", "group_user"),
    "contacts": ("base", "group_partner_manager"),
    "basic": ("account", "group_account_basic"),
    "invoicing": ("account", "group_account_invoice"),
    "read only": ("account", "group_account_readonly"),
    "accountant": ("account", "group_account_manager"),
    "settings": ("base", "group_system"),
}
ROBOTS = "robot-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooBooks:
    """One database of the server that the test run started.

    Each user logs in once: a quarter of a second each goes into the hash of a password.
    """

    url: str
    database: str
    user: str = USER
    password: str = PASSWORD
    _session: list[odoorpc.ODOO] = field(default_factory=list)
    _users: dict[str, OdooConnection] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead the pipeline here."""
        return {
            "FCB_ODOO_URL": self.url,
            "FCB_ODOO_DATABASE": self.database,
            "FCB_ODOO_USER": self.user,
            "FCB_ODOO_PASSWORD": self.password,
        }

    def connection(
        self, user: str = "", password: str = "", *, company: int | None = None
    ) -> OdooConnection:
        """A connection as the pipeline makes it, of this user unless another is named."""
        login = (user or self.user, password or self.password)
        if company is not None:
            return OdooConnection(self.url, self.database, *login, company=company)
        if login[0] not in self._users:
            self._users[login[0]] = OdooConnection(self.url, self.database, *login)
        return self._users[login[0]]

    def as_user(self, *groups: str) -> "OdooBooks":
        """The same books for a new user with these groups (`GROUPS`) alone."""
        given = [
            self.do("ir.model.data", "check_object_reference", *GROUPS[name])[1]
            for name in ("user", *groups)
        ]
        login = "-".join(("robot", *groups)).replace(" ", "-")
        values = {"name": login, "login": login, "password": ROBOTS, "group_ids": [[6, 0, given]]}
        self.do("res.users", "create", [values])
        # The one of this name may be of the copy before.
        self._users.pop(login, None)
        return replace(self, user=login, password=ROBOTS)

    def by_administrator(self) -> "OdooBooks":
        """The same books for the administrator."""
        return replace(self, user=USER, password=PASSWORD)

    def do(self, model: str, method: str, *arguments: Any, **options: Any) -> Any:
        """One call as the administrator: what a person does in Odoo."""
        if not self._session:
            host, _, port = self.url.removeprefix("http://").partition(":")
            session = odoorpc.ODOO(host, port=int(port), timeout=300)
            session.login(self.database, USER, PASSWORD)
            self._session.append(session)
        return self._session[0].execute_kw(model, method, list(arguments), options)


class OdooServer:
    """The running server and the databases made in it.

    Tests get the database of one name again and again, each time a new copy of the prepared one:
    so the server loads its models once. It notices the exchange by its own signalling tables. What
    is copied is made once a run, by whichever process comes first.
    """

    def __init__(
        self, odoo: SandboxOdoo, folder: Path, postgres: EmbeddedPostgres, process: Process
    ) -> None:
        self.folder = folder
        self.odoo = odoo
        self.postgres = postgres
        self.process = process
        self._url = process.url
        self._made: dict[str, OdooBooks] = {}
        self._run = uuid4().hex[:8]

    def unprepared(self) -> OdooBooks:
        """Fresh books: the Canadian chart, and nothing of ours."""
        books = self._books(f"odoo_fresh_{self._run}")
        self.odoo.drop_books(books.database)
        self.odoo.create_books(books.database)
        return books

    def prepared(self) -> OdooBooks:
        """Books that `fcb ledger setup` has been through, empty."""
        return self._copy(self._once("odoo_prepared", self._prepare), f"odoo_test_{self._run}")

    def with_cash(self) -> OdooBooks:
        """Prepared, empty books that setup has been through once more, with cash on."""
        return self._copy(self._once("odoo_cash", self._add_cash), f"odoo_money_{self._run}")

    def selling(self) -> OdooBooks:
        """Prepared, empty books with the app Sales in them; it is installed once, for a minute."""
        return self._copy(self._once("odoo_selling", self._sell), f"odoo_sale_{self._run}")

    def start_another(self, database: str, log: Path) -> tuple[Process, Mapping[str, str]]:
        """A second server over books of its own, as the sandbox starts it."""
        self._books(database)
        home = self.postgres.data.parent
        return start_odoo(home, self.postgres, database, known=None, log=log)

    def drop(self) -> None:
        """Remove every database made here."""
        for database in self._made:
            self.odoo.drop_books(database)

    def _once(self, name: str, make: Callable[[], OdooBooks]) -> str:
        """A database that all processes of the run copy from: made by the first that needs it."""
        with FileLock(self.postgres.data.parent / f"{name}.lock"):
            if not self.postgres.has_database(name):
                self._disconnect((made := make()).database)
                self.postgres.create_database(name, template=made.database)
        return name

    def _prepare(self) -> OdooBooks:
        books = self.unprepared()
        OdooLedger(books.connection(), SETTINGS).setup()
        return books

    def _add_cash(self) -> OdooBooks:
        # Under a name of their own, as below.
        books = self._copy(self._once("odoo_prepared", self._prepare), f"odoo_bank_{self._run}")
        OdooLedger(books.connection(), CASH_SETTINGS).setup()
        # Statement lines need a group that an administrator is not of.
        ours = books.do("res.users", "search", [("login", "=", USER)])
        basic = books.do("ir.model.data", "check_object_reference", *GROUPS["basic"])[1]
        books.do("res.users", "write", ours, {"group_ids": [[4, basic]]})
        return books

    def _sell(self) -> OdooBooks:
        # Under a name of their own: the server keeps the models of a name, and these have more.
        books = self._copy(self._once("odoo_prepared", self._prepare), f"odoo_app_{self._run}")
        app = books.do("ir.module.module", "search", [("name", "=", "sale")])
        books.do("ir.module.module", "button_immediate_install", app)
        return books

    def _copy(self, source: str, name: str) -> OdooBooks:
        books = self._books(name)
        self.postgres.drop_database(name)
        self.postgres.create_database(name, template=source)
        return books

    def _books(self, database: str) -> OdooBooks:
        new = OdooBooks(url=self._url, database=database)
        return self._made.setdefault(database, new)

    def _disconnect(self, database: str) -> None:
        """A database that somebody is connected to can't be copied."""
        with self.postgres.maintenance() as connection, connection.cursor() as cursor:
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
    data, options = home / "odoo-data", _options(home / "odoo-addons")
    odoo = SandboxOdoo(folder, postgres, data=data, options=options)
    try:
        process = odoo.start(None, log=home / f"odoo-{os.getpid()}.log")
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


_ADDON = """\
from odoo.addons.base.models import res_users
from odoo.service import db

res_users.MIN_ROUNDS = 1
db.list_dbs = lambda force=False: []
"""


def _options(addons: Path) -> tuple[str, ...]:
    """Options of the server that load an addon of the tests' own, which is made in this folder.

    Passwords are kept as hashes of few rounds: Odoo's takes a quarter of a second, and is asked for anew in each
    copy of the books, which was half of all that the server computed. Nor are the databases looked for at each
    call, a tenth of the rest: each call names its own. Where there was a single one the server even opened it,
    which might be the template while another process restored it.
    """
    addon = addons / "of_the_tests"
    if not addon.exists():
        draft = addons / f"of_the_tests.{os.getpid()}"
        draft.mkdir(parents=True)
        (draft / "__manifest__.py").write_text("{'name': 'of the tests', 'license': 'LGPL-3'}")
        (draft / "__init__.py").write_text(_ADDON)
        with suppress(OSError):  # another process was quicker
            draft.rename(addon)
    return ("--addons-path", str(addons), "--load", f"base,rpc,web,{addon.name}")


@pytest.fixture
def odoo_books(odoo_server: OdooServer) -> OdooConnection:
    """The administrator's connection to books that setup was never run on."""
    return odoo_server.unprepared().connection()


@pytest.fixture
def prepared_books(odoo_server: OdooServer) -> OdooBooks:
    """Prepared, empty books."""
    return odoo_server.prepared()


@pytest.fixture
def cash_books(odoo_server: OdooServer) -> OdooBooks:
    """Prepared, empty books that hold cash too."""
    return odoo_server.with_cash()


@pytest.fixture
def odoo_cash_case(cash_books: OdooBooks) -> CashCase:
    """The adapter over such books, and what a person may do in them."""
    account = {
        row["code"]: row["id"]
        for row in cash_books.do("account.account", "search_read", [], fields=["code"])
    }

    def edit(ref: str) -> None:
        domain = [("move_id.x_fc_source_ref", "=", ref), ("name", "!=", False)]
        line = cash_books.do("account.move.line", "search", domain, order="sequence desc", limit=1)
        cash_books.do("account.move.line", "write", line, {"name": "by hand"})

    def by_hand(day: date, amount: int) -> None:
        journal = cash_books.do("account.journal", "search", [("type", "=", "general")], limit=1)
        lines = [
            {"account_id": account[BALANCES["CAD"]], "debit": amount / 100},
            {"account_id": account[OUTSTANDING], "credit": amount / 100},
        ]
        values = {
            "journal_id": journal[0],
            "date": day.isoformat(),
            "line_ids": [[0, 0, line] for line in lines],
        }
        (move,) = cash_books.do("account.move", "create", [values])
        cash_books.do("account.move", "action_post", [move])

    return CashCase(
        ledger=OdooLedger(cash_books.connection(), CASH_SETTINGS),
        lock=partial(lock_books, cash_books),
        edit=edit,
        by_hand=by_hand,
    )


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
    return partial(lock_books, prepared_books)


def lock_books(books: OdooBooks, day: date) -> None:
    """Lock every entry up to and including a date, as the accountant does."""
    (company,) = books.do("res.company", "search", [])
    books.do("res.company", "write", [company], {"fiscalyear_lock_date": day.isoformat()})


@pytest.fixture
def odoo_another_writes(
    prepared_books: OdooBooks,
) -> Callable[[str], AbstractContextManager[None]]:
    """Another deployment writes these books in the block; at its end its lease has lapsed."""

    @contextmanager
    def another_writes(name: str) -> Iterator[None]:
        lapse_lease(prepared_books)
        other = OdooLedger(prepared_books.connection(), SETTINGS)
        other.begin_writing(Writer(deployment="another", name=name))
        other.upsert_partners([a_partner(f"nexacloud:users:{uuid4()}", email="")])
        yield
        lapse_lease(prepared_books)

    return another_writes


def lapse_lease(books: OdooBooks) -> None:
    """As if a minute had passed since the last write."""
    for row in books.do("ir.config_parameter", "search_read", [("key", "=", LEASE_KEY)]):
        deployment, since, last, who = row["value"].split(" ", 3)
        value = f"{deployment} {since} {int(last) - LEASE_SECONDS} {who}"
        books.do("ir.config_parameter", "write", [row["id"]], {"value": value})


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
