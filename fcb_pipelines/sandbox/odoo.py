"""A real Odoo 19 for the sandbox: books with the Canadian chart, ready within seconds once installed.

    odoo = SandboxOdoo(home / "odoo", server)       # server: a started EmbeddedPostgres
    odoo.create_books("nexa_2026_05_odoo")          # a copy of the template; kept if it is there
    process = odoo.start("nexa_2026_05_odoo", log=home / "nexa-2026-05" / "logs" / "odoo.log")
    ...
    processes.stop(process)

The template is made once (a minute) and kept as a dump beside the program, for all sandboxes that share
the folder (FCB_ODOO_CACHE).
"""

import hashlib
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock
from psycopg2 import sql

from fcb_pipelines.config import environment
from fcb_pipelines.connectors.failures import TransientFailure
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.odoo_install import OdooProgram, Say, install, run
from fcb_pipelines.sandbox.odoo_rates import write_rates
from fcb_pipelines.sandbox.postgres import ROLE, EmbeddedPostgres
from fcb_pipelines.sandbox.processes import Process

# The administrator of a fresh Odoo, which is reached over loopback only and holds made-up books.
USER = "admin"
PASSWORD = "admin"

COUNTRY = "CA"
MODULES = "l10n_ca"

# The first page after a start loads all models.
_PATIENCE = 120
_HEALTH = "/web/health"


def start_odoo(
    home: Path,
    server: EmbeddedPostgres,
    database: str,
    *,
    known: Process | None,
    log: Path,
    say: Say = lambda _: None,
) -> tuple[Process, Mapping[str, str]]:
    """Odoo serving the books `database`, and the environment variables that lead to it.

    Installs Odoo and makes the books where they are missing. `known` is the recorded process if it
    still runs: then nothing is started. A new process may not answer yet: record it, then wait for
    it. The program is in FCB_ODOO_CACHE, else in `home/odoo`.
    """
    shared = environment.read().values.get("FCB_ODOO_CACHE")
    odoo = SandboxOdoo(Path(shared).expanduser() if shared else home / "odoo", server, say=say)
    if known is None:
        odoo.create_books(database)
        known = odoo.launch(database, log=log)
    return known, {
        "FCB_ODOO_URL": known.url,
        "FCB_ODOO_DATABASE": database,
        "FCB_ODOO_USER": USER,
        "FCB_ODOO_PASSWORD": PASSWORD,
    }


class SandboxOdoo:
    """The Odoo installed in `folder`, serving books in the databases of `server`.

    `data` is the folder of attachments and web sessions, by default `odoo/data` in the server's home.
    `say` is called with a line of text for each step that takes a while; `options` are further ones of the server.
    """

    def __init__(
        self,
        folder: Path,
        server: EmbeddedPostgres,
        *,
        data: Path | None = None,
        say: Say = lambda _: None,
        options: Sequence[str] = (),
    ) -> None:
        self._folder = folder.absolute()
        self._server = server
        self._data = (data or server.data.parent / "odoo" / "data").absolute()
        self._say = say
        self._options = tuple(options)
        self._program: OdooProgram | None = None

    @property
    def program(self) -> OdooProgram:
        """The program, installed now if it is missing."""
        if self._program is None:
            self._program = install(self._folder, self._say)
        return self._program

    def create_books(self, database: str) -> bool:
        """Create books with the Canadian chart in CAD; False when the database exists already.

        They are a copy of the template with an identity of their own, and with rates of the usual
        currencies, which setup activates as configured.
        """
        if self._server.has_database(database):
            return False
        template = self._template()
        filestore = self._data / "filestore"
        shutil.rmtree(filestore / database, ignore_errors=True)
        if (filestore / template).exists():
            shutil.copytree(filestore / template, filestore / database)
        draft = f"{database}_new"
        self._server.drop_database(draft)
        self._server.create_database(draft, template=template)
        with self._server.connect(draft) as connection, connection.cursor() as cursor:
            for key in ("database.uuid", "database.secret"):
                cursor.execute(
                    "update ir_config_parameter set value = %s where key = %s",
                    (str(uuid.uuid4()), key),
                )
            write_rates(cursor)
        self._rename(draft, database)
        return True

    def drop_books(self, database: str) -> None:
        """Delete the books and their attachments; Odoo must be stopped."""
        self._server.drop_database(database)
        shutil.rmtree(self._data / "filestore" / database, ignore_errors=True)

    def start(self, database: str | None, *, log: Path, port: int = 0) -> Process:
        """Start Odoo on these books and this loopback port (0: a free one), and wait until it answers.

        None serves every database of the server; a caller then names one. Raises TransientFailure, and
        leaves nothing running, when it does not come up.
        """
        process = self.launch(database, log=log, port=port)
        try:
            self.wait(process, log=log)
        except TransientFailure:
            processes.stop(process)
            raise
        return process

    def launch(self, database: str | None, *, log: Path, port: int = 0) -> Process:
        """Start Odoo without waiting for it: record the process, then `wait`."""
        self._say("starting Odoo 19")
        port = port or processes.free_port()
        only = ("--database", database, "--db-filter", f"^{database}$") if database else ()
        argv = [
            *self.program.command,
            *self._database_options(),
            *(*only, "--no-database-list"),
            *("--http-interface", processes.LOOPBACK, "--http-port", str(port)),
            # One process and no scheduled jobs, so that nothing else changes the books.
            *("--workers", "0", "--max-cron-threads", "0"),
            # Odoo warns at every call that version 20 drops this interface.
            *("--log-handler", "odoo.addons.rpc.controllers.jsonrpc:ERROR"),
            *self._options,
        ]
        return processes.start(
            "odoo", argv, port=port, log=log, environment=self.program.environment
        )

    def wait(self, process: Process, *, log: Path) -> None:
        """Wait until it answers. Raises TransientFailure with the end of its log."""
        processes.wait_until_it_answers(process, log=log, path=_HEALTH, patience=_PATIENCE)

    def _template(self) -> str:
        """The database that books are copied from: restored from the dump if possible, else made."""
        recipe = f"{self.program.version} {COUNTRY} {MODULES}"
        name = f"odoo_template_{hashlib.sha256(recipe.encode()).hexdigest()[:10]}"
        kept = self._folder / name
        with FileLock(self._folder / "template.lock", timeout=600):
            if not self._server.has_database(name):
                draft = f"{name}_new"
                self._server.drop_database(draft)
                if (kept / "dump").exists():
                    self._restore(kept, draft)
                else:
                    self._make_template(draft)
                    self._dump(draft, kept)
                filestore = self._data / "filestore"
                shutil.rmtree(filestore / name, ignore_errors=True)
                if (filestore / draft).exists():
                    (filestore / draft).rename(filestore / name)
                self._rename(draft, name)
        return name

    def _make_template(self, database: str) -> None:
        self._say("making books with the Canadian chart (about a minute, once)")
        self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = self._database_options()
        self.program.run(
            "making an Odoo database", "db", *options, "init", database, "--country", COUNTRY
        )
        self.program.run(
            f"installing {MODULES} in Odoo",
            "server",
            *options,
            *("--database", database, "--init", MODULES, "--stop-after-init", "--no-http"),
            *("--log-level", "warn", "--max-cron-threads", "0"),
        )

    def _dump(self, database: str, kept: Path) -> None:
        """Dump the template beside the program, for all sandboxes that share the folder."""
        draft = kept.with_name(f"{kept.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._postgres_tool("pg_dump", database, "-Fc", "-Z1", "-f", str(draft / "dump"))
        filestore = self._data / "filestore" / database
        if filestore.exists():
            shutil.copytree(filestore, draft / "filestore")
        draft.rename(kept)

    def _restore(self, kept: Path, database: str) -> None:
        self._say("making books with the Canadian chart")
        self._server.create_database(database)
        self._postgres_tool("pg_restore", database, "--no-owner", "-j2", str(kept / "dump"))
        if (kept / "filestore").exists():
            target = self._data / "filestore" / database
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(kept / "filestore", target)

    def _postgres_tool(self, tool: str, database: str, *arguments: str) -> None:
        run(
            [
                str(self._server.binaries / tool),
                *("-h", str(self._server.socket_folder), "-U", ROLE, "-d", database),
                *arguments,
            ],
            f"running {tool} on {database}",
        )

    def _rename(self, database: str, name: str) -> None:
        with self._server.maintenance() as connection, connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("alter database {} rename to {}").format(
                    sql.Identifier(database), sql.Identifier(name)
                )
            )

    def _database_options(self) -> tuple[str, ...]:
        host = str(self._server.socket_folder)
        return ("--db_host", host, "--db_user", ROLE, "--data-dir", str(self._data))
