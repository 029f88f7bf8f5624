"""The environment, read once, in one place, never at import.

`VARIABLES` is the list of the package's variables; `.env.example` has the same, and a test compares
them. A further billing source has variables of its own, which begin with FCB_ and its name. Addresses
and secrets are variables, company policy is in the configuration file (`config.settings`).
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fcb_pipelines.config.settings import ConfigError

LedgerName = Literal["beancount", "odoo"]
LEDGERS: tuple[LedgerName, ...] = ("beancount", "odoo")

VARIABLES: Mapping[str, str] = {
    "FCB_HOME": "folder of everything that is written (default .fcb)",
    "FCB_DATASET": "subfolder of FCB_HOME that this company's data lies in (default production)",
    "FCB_STORE_URL": "folder or fsspec URL of frames, evidence and reports (default FCB_HOME/FCB_DATASET)",
    "FCB_CONFIG": "configuration file (default: the packaged nexacloud.yaml)",
    "FCB_POSTGRES_URL": "Postgres of Dagster's storage and of our own tables",
    "FCB_NEXACLOUD_DSN": "NexaCloud's Postgres, a read-only role, libpq form",
    "FCB_STRIPE_API_KEY": "Stripe key, restricted and read-only",
    "FCB_STRIPE_API_BASE": "another address of the Stripe API (only the sandbox sets it)",
    "FCB_LAGO_API_KEY": "Lago API key",
    "FCB_LAGO_API_URL": "address of the Lago API",
    "FCB_STRIPE_DOCUMENT_URL": "page of a Stripe document, with {id} and {kind}, linked in the close report",
    "FCB_LAGO_DOCUMENT_URL": "page of a Lago document, with {id} and {kind}, linked in the close report",
    "FCB_ALLOW_HTTP": "1 allows http:// to another machine (default: https only)",
    "FCB_LEDGER": "which ledger is written: beancount or odoo (default beancount)",
    "FCB_ODOO_URL": "address of Odoo",
    "FCB_ODOO_WEB_URL": "address of Odoo in a browser, linked in the close report (default FCB_ODOO_URL)",
    "FCB_ODOO_DATABASE": "Odoo's database",
    "FCB_ODOO_USER": "Odoo user that writes the books",
    "FCB_ODOO_PASSWORD": "that user's API key or password",
    "FCB_ODOO_COMPANY": "id of the Odoo company (default: the user's own)",
    "FCB_ODOO_CACHE": "folder of the sandbox's Odoo program (default FCB_HOME/odoo)",
    "FCB_ALERTS": "file of the destinations of alerts, in Apprise's form (default: the daemon's log alone)",
    "FCB_DAGSTER_URL": "address of Dagster's web page, linked in alerts and in Odoo's notes",
    "FCB_REPORTS_URL": "address at which the folder of close reports is served, for the links in Dagster's page",
    "DAGSTER_HOME": "Dagster's folder (default FCB_HOME/FCB_DATASET/dagster)",
}

PREFIX = "FCB_"
# An address within this machine, with or without a port.
LOOPBACK = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/|$)", re.IGNORECASE)
# What a report may link to: a scheme that runs nothing, and a host.
_PAGE = re.compile(r"https?://[^\s/]\S*$", re.IGNORECASE)
_POSTGRES = re.compile(r"^postgres(ql)?(\+psycopg2)?://")


class EnvironmentProblem(ConfigError):
    """A variable is missing or malformed; the message names it and the command that checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooAccess:
    """The access to Odoo. `company` is an id, or None for the user's own company."""

    url: str
    database: str
    user: str
    password: str = field(repr=False)
    company: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment's values, with defaults where `VARIABLES` names one.

    The methods need variables without a default. They raise EnvironmentProblem, which names every
    missing variable at once.
    """

    home: Path
    dataset: str
    config: Path | None
    ledger: LedgerName
    dagster_home: Path
    odoo_cache: Path
    values: Mapping[str, str] = field(repr=False)

    @property
    def data_home(self) -> Path:
        """The folder of this dataset's data, absolute: FCB_HOME/FCB_DATASET."""
        return self.home / self.dataset

    @property
    def store(self) -> str:
        """The folder or URL of frames, evidence and reports: FCB_STORE_URL, else the data's folder."""
        return self.values.get("FCB_STORE_URL", str(self.data_home))

    def postgres_url(self) -> str:
        """The URL of Dagster's and our own Postgres, in SQLAlchemy's form (postgresql+psycopg2://)."""
        return sqlalchemy_url(self._required("FCB_POSTGRES_URL")[0], "FCB_POSTGRES_URL")

    def nexacloud_dsn(self) -> str:
        """The DSN of NexaCloud's Postgres as it was given; the connector checks its form."""
        return self._required("FCB_NEXACLOUD_DSN")[0]

    def given(self, needed: Mapping[str, str], optional: Iterable[str] = ()) -> dict[str, str]:
        """The values by name of the needed variables, and of the optional ones that are set.

        `needed` describes each. Raises EnvironmentProblem naming every needed one that is not set.
        """
        lacking = [name for name in needed if name not in self.values]
        if lacking:
            verb = "is" if len(lacking) == 1 else "are"
            raise _problem(
                ", ".join(lacking),
                f"{verb} not set ({'; '.join(needed[name] for name in lacking)})",
            )
        wanted = (*needed, *optional)
        return {name: self._private(name) for name in wanted if name in self.values}

    def odoo(self) -> OdooAccess:
        """The access to Odoo. A company that is no number raises EnvironmentProblem, too."""
        url, database, user, password = self._required(
            "FCB_ODOO_URL", "FCB_ODOO_DATABASE", "FCB_ODOO_USER", "FCB_ODOO_PASSWORD"
        )
        company = self.values.get("FCB_ODOO_COMPANY")
        if company is not None and not company.isdigit():
            raise _problem("FCB_ODOO_COMPANY", f"is an id (a number), not {company!r}")
        return OdooAccess(
            url=url,
            database=database,
            user=user,
            password=password,
            company=int(company) if company else None,
        )

    def may_be_plain(self, host: str) -> bool:
        """Whether secrets may go to this host in plain text: one of this machine, or all by FCB_ALLOW_HTTP."""
        return self.values.get("FCB_ALLOW_HTTP") == "1" or bool(LOOPBACK.match(host))

    def document_url(self, source: str) -> str | None:
        """The page of a document of this source, with `{id}`; None where none is configured.

        Raises EnvironmentProblem where it is no http(s) address or lacks `{id}`.
        """
        name = f"{PREFIX}{source.upper()}_DOCUMENT_URL"
        template = self._page(name)
        if template is not None and "{id}" not in template:
            raise _problem(name, "lacks {id}, the place of the document's id")
        return template

    def odoo_page(self) -> str | None:
        """The address of Odoo in a browser, without a slash at its end; None where the books are not there.

        Raises EnvironmentProblem where it is no http(s) address.
        """
        if self.ledger != "odoo":
            return None
        page = self._page("FCB_ODOO_WEB_URL") or self._page("FCB_ODOO_URL")
        return page.rstrip("/") if page else None

    def dagster_page(self) -> str:
        """The address of Dagster's page; empty where it is not set. Raises as `odoo_page`."""
        return self._page("FCB_DAGSTER_URL") or ""

    def report_page(self, name: str) -> str | None:
        """The address of a file of the folder of close reports; None where nothing serves it.

        Raises EnvironmentProblem where it is no http(s) address.
        """
        page = self._page("FCB_REPORTS_URL")
        return f"{page.rstrip('/')}/{name}" if page else None

    def _page(self, variable: str) -> str | None:
        url = self.values.get(variable)
        if url is not None and not _PAGE.match(url):
            raise _problem(variable, "is the address of a page, https://… or http://…")
        return url

    def missing(self) -> tuple[str, ...]:
        """The names of the variables that a full run with this ledger needs and that are not set."""
        needed = [
            "FCB_POSTGRES_URL",
            "FCB_NEXACLOUD_DSN",
            "FCB_STRIPE_API_KEY",
            "FCB_LAGO_API_URL",
            "FCB_LAGO_API_KEY",
        ]
        if self.ledger == "odoo":
            needed += ["FCB_ODOO_URL", "FCB_ODOO_DATABASE", "FCB_ODOO_USER", "FCB_ODOO_PASSWORD"]
        return tuple(name for name in needed if name not in self.values)

    def _private(self, variable: str) -> str:
        """The value of a variable; an address over plain http stays within this machine."""
        url = self.values[variable]
        scheme, _, host = url.partition("://")
        if scheme.lower() == "http" and not self.may_be_plain(host):
            raise _problem(
                variable,
                "sends a key or password over plain http: write https://, or set FCB_ALLOW_HTTP=1 "
                "where the network in between is your own",
            )
        return url

    def _required(self, *names: str) -> tuple[str, ...]:
        given = self.given({name: VARIABLES[name] for name in names})
        return tuple(given.values())


def read(environ: Mapping[str, str] | None = None) -> Environment:
    """The environment of this process, or the given one. Empty values count as not set.

    Raises EnvironmentProblem for a malformed FCB_DATASET or FCB_LEDGER.
    """
    given = os.environ if environ is None else environ
    names = [name for name in given if name in VARIABLES or name.startswith(PREFIX)]
    values = {name: given[name].strip() for name in names if given[name].strip()}
    home = Path(values.get("FCB_HOME", ".fcb")).expanduser().absolute()
    dataset = values.get("FCB_DATASET", "production")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", dataset):
        raise _problem("FCB_DATASET", f"is the name of one folder, not {dataset!r}")
    dagster_home = values.get("DAGSTER_HOME")
    odoo_cache = values.get("FCB_ODOO_CACHE")
    config = values.get("FCB_CONFIG")
    return Environment(
        home=home,
        dataset=dataset,
        config=Path(config).expanduser().absolute() if config else None,
        ledger=_ledger(values.get("FCB_LEDGER", "beancount")),
        dagster_home=Path(dagster_home) if dagster_home else home / dataset / "dagster",
        odoo_cache=Path(odoo_cache).expanduser().absolute() if odoo_cache else home / "odoo",
        values=values,
    )


def sqlalchemy_url(url: str, variable: str) -> str:
    """A Postgres URL with its driver named: SQLAlchemy 2.1 reads a bare one as psycopg 3.

    Raises EnvironmentProblem, naming `variable`, for another driver or another database.
    """
    if not _POSTGRES.match(url):
        scheme = url.partition("://")[0]
        raise _problem(
            variable, f"begins with {scheme!r}, but must begin with postgresql+psycopg2://"
        )
    return _POSTGRES.sub("postgresql+psycopg2://", url)


def libpq_url(url: str) -> str:
    """The same Postgres URL as psycopg2 and psql read it (postgresql://)."""
    return _POSTGRES.sub("postgresql://", url)


def _ledger(name: str) -> LedgerName:
    for known in LEDGERS:
        if name == known:
            return known
    raise _problem("FCB_LEDGER", f"is one of {', '.join(LEDGERS)}, not {name!r}")


def _problem(variables: str, what: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"{variables} {what}. See .env.example; `fcb doctor` checks every connection."
    )
