"""The checkups of `fcb doctor`. A failure of one is a finding, not an error.

Each only reads, but that of a store elsewhere, which writes a file and removes it, and those of our own tables,
which are made where they are not there yet.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psycopg2

from fcb_pipelines.cli.findings import Finding, Group
from fcb_pipelines.config import environment, settings
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.alerts import Destinations
from fcb_pipelines.connectors.failures import Failure, NotAllowed, Unreachable
from fcb_pipelines.connectors.intake import health
from fcb_pipelines.connectors.sources import KeepsBalance
from fcb_pipelines.connectors.store import places
from fcb_pipelines.core.cash.entries import balance_accounts, cash_settings
from fcb_pipelines.core.company.services import Origins
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.defs.runtime import connections
from fcb_pipelines.defs.sources.registry import RegisteredSource, registered
from fcb_pipelines.instance.dead_runs import hanging_runs
from fcb_pipelines.instance.storage import PooledEventLogStorage


def all_of(found: Environment) -> tuple[Finding, ...]:
    """The findings in the order of the data flow; sources and ledger need a configuration."""
    findings = [*_guarded("configuration", "home", lambda: _home(found))]
    findings += _guarded("configuration", "pages", lambda: _pages(found))
    if "FCB_STORE_URL" in found.values:
        findings += _guarded("store", "store", lambda: _store(found))
    findings += _guarded("configuration", "configuration", _configuration)
    storage = tuple(_guarded("postgres", "postgres", lambda: _postgres(found)))
    findings += storage
    if all(finding.outcome == "ok" for finding in storage):
        findings += _guarded("dagster", "dagster", _dagster)
    findings += _guarded("sources", "nexacloud", lambda: _nexacloud(found))
    try:
        company = settings.current()
        sources = registered(company)
    except ConfigError:
        return tuple(findings)
    for one in sources:
        findings += _guarded("sources", one.name, partial(_source, one, found))
    findings += _guarded("ledger", f"ledger ({found.ledger})", lambda: _ledger(found, company))
    findings += _of_services(found, company)
    if company.cash is not None:
        for one in sources:
            findings += _guarded("sources", f"cash ({one.name})", partial(_balance, one, found))
        findings += _guarded("ledger", "cash (ledger)", lambda: _journals(found, company))
    if company.told:
        findings += _guarded("services", "events", lambda: _events(found, company))
    return tuple(findings)


def _of_services(found: Environment, company: Settings) -> Iterator[Finding]:
    """What other systems hand in, and what people are told, as far as it is configured."""
    if company.has_intake:
        yield from _guarded("services", "intake", lambda: _intake(found, company))
    if company.intake.url:
        yield from _guarded("services", "intake", lambda: _served(company.intake.url or ""))
    if "FCB_ALERTS" in found.values:
        yield from _guarded("services", "alerts", lambda: _alerts(found))


def _guarded(group: Group, what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of one checkup, in their group; a known failure of it is a finding, too."""
    for finding in _caught(what, check):
        yield replace(finding, group=group)


def _caught(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except ConfigError as problem:
        yield Finding(what=what, outcome="fail", detail=str(problem), kind="setting",
                      remedy="set it as .env.example says")  # fmt: skip
    except Failure as failure:
        detail = f"{failure.tried}: {failure.came_back}"
        yield Finding(what=what, outcome="fail", detail=detail, remedy=failure.remedy)


def _home(found: Environment) -> Iterator[Finding]:
    folder = found.data_home
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    writable = os.access(folder, os.W_OK)
    yield Finding(
        what="home",
        outcome="ok" if writable else "fail",
        detail=f"{folder}{'' if writable else ' is not writable'}",
        remedy=None if writable else "give this user the folder, or set FCB_HOME",
        kind="setting",
    )


def _pages(found: Environment) -> Iterator[Finding]:
    pages = (found.dagster_page(), found.odoo_page(), found.report_page(""))
    if told := ", ".join(filter(None, pages)):
        yield Finding(what="pages", outcome="ok", detail=told, kind="setting")


def _store(found: Environment) -> Iterator[Finding]:
    probe = places.place_of(found.store) / f"doctor-{uuid4().hex[:12]}"
    content = probe.name.encode()
    try:
        places.write_bytes(probe, content)
        same = places.read_bytes(probe) == content
        places.remove(probe)
    except OSError as error:
        raise NotAllowed(f"writing {probe}", str(error), remedy="correct FCB_STORE_URL") from error
    yield Finding(
        what="store",
        outcome="ok" if same else "fail",
        detail=f"{found.store}: a file was {'written, read' if same else 'not read as written'}",
    )


def _configuration() -> Iterator[Finding]:
    company = settings.current()
    registered(company)
    detail = (
        f"{company.service}, {company.currency}, {company.timezone}, from {company.first_period}, "
        f"posting {company.posting}"
    )
    yield Finding(what="configuration", outcome="ok", detail=detail, kind="setting")


def _postgres(found: Environment) -> Iterator[Finding]:
    url = environment.libpq_url(found.postgres_url())
    try:
        connection = psycopg2.connect(url, connect_timeout=10)
    except psycopg2.OperationalError as error:
        raise Unreachable(
            "connecting to FCB_POSTGRES_URL",
            " ".join(str(error).split()),
            remedy="start Postgres there, or correct FCB_POSTGRES_URL",
        ) from error
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select current_setting('server_version'), current_database(), current_user, "
                "has_schema_privilege(current_user, 'public', 'create')"
            )
            version, database, user, may_create = cursor.fetchone() or ("?", "?", "?", False)
    finally:
        connection.close()
    detail = f"Postgres {version}, database {database}, user {user}"
    if may_create:
        yield Finding(what="postgres", outcome="ok", detail=detail)
    else:
        yield Finding(
            what="postgres",
            outcome="fail",
            detail=f"{detail}: may not create tables",
            remedy=f"grant create on schema public to {user}",
        )


def _dagster() -> Iterator[Finding]:
    try:
        with dg.DagsterInstance.get() as instance:
            runs = instance.get_runs_count()
            pooled = isinstance(instance.event_log_storage, PooledEventLogStorage)
            lacks = {
                "run monitoring is off": not instance.run_monitoring_enabled,
                "its storage opens a connection for each statement": not pooled,
            }
            problem = "; ".join(text for text, is_so in lacks.items() if is_so)
            hanging = hanging_runs(instance)
            queued = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    except (dg.DagsterError, psycopg2.Error, OSError) as error:
        raise Unreachable(
            "opening Dagster's storage",
            " ".join(str(error).split()),
            remedy="compare DAGSTER_HOME/dagster.yaml with the project's",
        ) from error
    yield Finding(
        what="dagster",
        outcome="warn" if problem else "ok",
        detail=f"Dagster {dg.__version__}, {runs} runs{'; ' + problem if problem else ''}",
        remedy="copy the project's dagster.yaml to DAGSTER_HOME" if problem else None,
    )
    waiting = f"; {queued} wait in the queue behind it" if queued else ""
    for one in hanging:
        yield Finding(
            what="dagster",
            outcome="warn",
            detail=f"{one} hangs: {one.why}{waiting}",
            remedy="fcb doctor --fix",
        )


def _source(one: RegisteredSource, found: Environment) -> Iterator[Finding]:
    source = one.open(found).describe()
    counts = ", ".join(f"{count} {what}" for what, count in source.counts.items())
    mode = "live" if source.livemode else "test mode"
    if not source.problems:
        detail = (
            f"{source.account}, version {source.version}, {mode}; {counts or 'nothing counted'}"
        )
        yield Finding(what=source.name, outcome="ok", detail=detail)
    for problem in source.problems:
        yield Finding(
            what=source.name,
            outcome="fail",
            detail=problem,
            remedy=f"check the FCB_{source.name.upper()}_… variables and the key's rights",
        )
    for warning in source.warnings:
        yield Finding(what=source.name, outcome="warn", detail=warning)


def _ledger(found: Environment, company: Settings) -> Iterator[Finding]:
    ledger = connections.ledger(found, company)
    books = ledger.describe()
    if books.adapter == "beancount" and books.identity:
        # Errors in the months of the embedded books are found by reading them.
        ledger.list_moves()
    locks = f", sales locked to {books.invoice_lock}" if books.invoice_lock else ""
    logged = ", logs each change" if books.tracking else ""
    detail = (
        f"{books.adapter} {books.version}, {books.company} ({books.company_currency}), "
        f"{books.identity}{locks}{logged}"
    )
    what = f"ledger ({found.ledger})"
    if books.identity:
        yield Finding(what=what, outcome="ok", detail=detail)
    for part in books.missing:
        yield Finding(
            what=what,
            outcome="fail" if part.is_needed else "warn",
            detail=f"missing {part.what} {part.name}",
            remedy=part.remedy,
        )


def _alerts(found: Environment) -> Iterator[Finding]:
    named = Destinations(Path(found.values["FCB_ALERTS"]), plain=found.may_be_plain).names()
    yield Finding(
        what="alerts",
        outcome="ok" if named else "warn",
        detail=", ".join(named) or "the file of FCB_ALERTS names no destination",
        remedy=None if named else "write one a line (docs/alerts.md), then `fcb alerts test`",
    )


def _intake(found: Environment, company: Settings) -> Iterator[Finding]:
    keys, received = connections.service_keys(found), connections.received_usage(found)
    for service in sorted(
        {one for kind in Origins.model_fields for one in company.by_intake(kind)}
    ):
        kinds = [kind for kind in Origins.model_fields if service in company.by_intake(kind)]
        usable = sum(key.revoked_at is None for key in keys.of(service))
        months, _ = received.months([service])
        yield Finding(
            what="intake",
            outcome="ok" if usable else "warn",
            detail=f"{service} hands in {', '.join(kinds)}; {usable} keys, "
            f"{sum(one.records for one in months)} records of usage",
            remedy=None if usable else f"fcb services key new {service}",
        )


def _served(url: str) -> Iterator[Finding]:
    health.ask(url)
    yield Finding(what="intake", outcome="ok", detail=f"{url} answers, and reaches its Postgres")


def _balance(one: RegisteredSource, found: Environment) -> Iterator[Finding]:
    """Whether the key may read what cash is made of; nothing of a source that keeps no balance."""
    source = one.open(found)
    if not isinstance(source, KeepsBalance):
        return
    problems = source.balance_problems()
    for problem in problems:
        yield Finding(
            what=f"cash ({one.name})",
            outcome="fail",
            detail=problem,
            remedy="give the key read rights on balance, balance transactions and payouts, or set `cash: off`",
        )
    if not problems:
        detail = "balance, balance transactions and payouts may be read"
        yield Finding(what=f"cash ({one.name})", outcome="ok", detail=detail)


def _journals(found: Environment, company: Settings) -> Iterator[Finding]:
    """The journals of the balances with their accounts; what the ledger lacks of them."""
    ledger = connections.ledger(found, company)
    lacking = [part for part in ledger.describe().missing if part.cash]
    accounts = balance_accounts(company)
    journals = {company.currency: company.journals.stripe.code} | {
        each.currency: each.journal.code for each in cash_settings(company).balances
    }
    told = ", ".join(
        f"{currency} in {code} on {accounts[currency]}" for currency, code in journals.items()
    )
    yield Finding(
        what="cash (ledger)",
        outcome="fail" if lacking else "ok",
        detail=f"lacks {', '.join(f'{each.what} {each.name}' for each in lacking)}"
        if lacking
        else told,
        remedy="; ".join(dict.fromkeys(each.remedy for each in lacking)) or None,
    )


def _events(found: Environment, company: Settings) -> Iterator[Finding]:
    endpoints = connections.endpoints(found, company)
    look = connections.event_queue(found).look(connections.endpoint_digests(company))
    for service, one in endpoints.items():
        own = [each for each in look.standings if each.event.service == service]
        late = sum(each.is_late(look.now) for each in own)
        gone = service in look.disabled
        said = "; its endpoint said that it is gone (410)" if gone else ""
        yield Finding(
            what="events",
            outcome="warn" if late or gone else "ok",
            detail=f"{service} at {one.url}, {len(one.secrets)} secrets; {len(own)} not delivered, "
            f"{late} of them late{said}",
            remedy="fcb events list" if late or gone else None,
        )


def _nexacloud(found: Environment) -> Iterator[Finding]:
    source = connections.nexacloud(found).describe()
    for problem in source.problems:
        yield Finding(
            what="nexacloud",
            outcome="fail",
            detail=problem,
            remedy="mend the table or the role's rights, or FCB_NEXACLOUD_DSN",
        )
    for warning in source.warnings:
        yield Finding(what="nexacloud", outcome="warn", detail=warning)
    rows = ", ".join(f"{count} {table}" for table, count in source.rows.items())
    if not source.problems:
        detail = (
            f"Postgres {source.version}, database {source.database}, role {source.role}; {rows}"
        )
        yield Finding(what="nexacloud", outcome="ok", detail=detail)
