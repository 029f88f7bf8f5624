"""The source registry: every billing source that this company has, one entry each.

    registered(current())       # Stripe, Lago, then those that the configuration names, in its order
    source("stripe").service    # "stripe:acct_1"

Assets, checks, pools, resources, jobs and the inputs of a month are derived from it by name. A further
source is named in the configuration (docs/adding-a-source.md); nothing here changes for it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from fcb_pipelines.config.environment import PREFIX, VARIABLES, Environment
from fcb_pipelines.config.settings import ConfigError, current
from fcb_pipelines.connectors.lago.source import LagoSource
from fcb_pipelines.connectors.sources import Body, Source
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.company.sources import (
    FurtherSource,
    LagoSettings,
    SourceSettings,
    StripeSettings,
)
from fcb_pipelines.core.facts.lago.rules import LAGO as LAGO_RULES
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.sound import sound
from fcb_pipelines.core.facts.source import ReadsCash, SourceRules
from fcb_pipelines.core.facts.source import claimed_ref as claimed_of
from fcb_pipelines.core.facts.stripe.rules import STRIPE as STRIPE_RULES
from fcb_pipelines.core.metering.cycles import Span
from fcb_pipelines.core.metering.service_spans import lago_spans, stripe_spans
from fcb_pipelines.core.refs import service_ref, source_ref
from fcb_pipelines.defs.sources.entry import SourceEntry

STRIPE = SourceEntry(
    rules=STRIPE_RULES,
    settings=StripeSettings,
    variables={"FCB_STRIPE_API_KEY": VARIABLES["FCB_STRIPE_API_KEY"]},
    optional=("FCB_STRIPE_API_BASE",),
    open=lambda given, section: StripeSource(
        given["FCB_STRIPE_API_KEY"],
        section.account,
        section.requests_per_second,
        api_base=given.get("FCB_STRIPE_API_BASE"),
    ),
    spans=stripe_spans,
)
LAGO = SourceEntry(
    rules=LAGO_RULES,
    settings=LagoSettings,
    variables={name: VARIABLES[name] for name in ("FCB_LAGO_API_URL", "FCB_LAGO_API_KEY")},
    open=lambda given, section: LagoSource(
        given["FCB_LAGO_API_URL"],
        given["FCB_LAGO_API_KEY"],
        section.organization,
        section.requests_per_second,
    ),
    spans=lago_spans,
)

PACKAGED = (STRIPE, LAGO)

# Names that keys, refs, groups and resources use for something else.
_TAKEN = frozenset(
    {
        "nexacloud",
        "ledger",
        "reconciliation",
        "metering",
        "events",
        "close",
        "cash",
        "service",
        "unplaced",
    }
    | {"store", "read_back_log", "io_manager"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredSource:
    """One source of this company: its entry and its section of the configuration."""

    entry: SourceEntry[Any]
    section: SourceSettings
    company: Settings

    @property
    def rules(self) -> SourceRules:
        """The source's own rules: its name, its facts and its claims."""
        return self.entry.rules

    @property
    def name(self) -> str:
        """The source in asset keys, pools, resources and refs."""
        return self.rules.name

    @property
    def service(self) -> str:
        """The beginning of its documents' refs: `stripe:acct_1`."""
        return service_ref(self.name, self.section.owner)

    def facts(self, body: Body) -> InvoiceFacts:
        """The facts of a body, each value such that a frame can keep it."""
        return sound(
            self.rules.facts(body, owner=self.section.owner, timezone=self.company.timezone)
        )

    @property
    def cash(self) -> ReadsCash:
        """The reader of its balance. Raises ValueError for a source that keeps none."""
        if self.rules.cash is None:
            raise ValueError(f"{self.name} keeps no balance")
        return self.rules.cash(self.section.owner, self.company.timezone)

    def spans(self, body: Body) -> dict[str, Span]:
        """The service time of each line of a body, by the line's key."""
        return self.entry.spans(body, self.company.timezone)

    def open(self, found: Environment) -> Source:
        """Its client. Raises EnvironmentProblem naming every variable that is missing."""
        given = found.given(self.entry.variables, self.entry.optional)
        return self.entry.open(given, self.section)


def registered(company: Settings) -> tuple[RegisteredSource, ...]:
    """Every source of a company. Raises ConfigError naming the field of one that can't be used."""
    sections: list[tuple[SourceEntry[Any], SourceSettings]] = [
        (STRIPE, company.stripe),
        (LAGO, company.lago),
        *_further(company.sources),
    ]
    return tuple(
        RegisteredSource(entry=entry, section=section, company=company)
        for entry, section in sections
    )


def names() -> tuple[str, ...]:
    """The names of this process's sources."""
    return tuple(one.name for one in registered(current()))


def keeping() -> tuple[str, ...]:
    """The names of those that keep a balance of money."""
    return tuple(one.name for one in registered(current()) if one.rules.cash is not None)


def balances() -> tuple[str, ...]:
    """The names of those whose balance is booked: none where cash is off.

    Raises ConfigError for several: the section `cash` has the journals and accounts of one, and what two
    balances of one currency book there nobody could tell apart.
    """
    if current().cash is None:
        return ()
    if len(found := keeping()) > 1:
        raise ConfigError(
            f"cash: {', '.join(found)} each keep a balance, and `cash` has the journals of one. Set `cash: off`, "
            "or leave all but one of them out of `sources`."
        )
    return found


def further() -> tuple[str, ...]:
    """The names of the sources that the configuration adds to the packaged ones."""
    return names()[len(PACKAGED) :]


def source(name: str) -> RegisteredSource:
    """The source of this name. Raises StopIteration for an unknown one."""
    return next(one for one in registered(current()) if one.name == name)


def rules() -> Mapping[str, SourceRules]:
    """Each source's own rules, by its name."""
    return {one.name: one.rules for one in registered(current())}


def claimed_ref(named: str | None) -> str | None:
    """The ref of the document that NexaCloud or a service names, None where no source knows it."""
    return claims()(named)


def claims() -> Callable[[str | None], str | None]:
    """The function `claimed_ref` for many names: the sources are looked up once."""
    sources = [(one.rules, one.section.owner) for one in registered(current())]
    return lambda named: claimed_of(named, sources)


def subscription_refs(one: Subscription) -> Iterator[str]:
    """The refs that a service's subscription may have at the sources."""
    for source in registered(current()):
        rules = source.rules.subscriptions
        own = rules.at_source(one.id, one.at_source) if rules else None
        if own:
            yield source_ref(source.name, source.section.owner, own)


def _further(
    named: tuple[FurtherSource, ...],
) -> Iterator[tuple[SourceEntry[Any], SourceSettings]]:
    taken = {*_TAKEN, *(one.rules.name for one in PACKAGED)}
    for place, one in enumerate(named):
        entry = _imported(f"sources[{place}].entry", one.entry)
        name = entry.rules.name
        if name in taken or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ConfigError(
                f"sources[{place}].entry: {one.entry} is called {name!r}: that name is taken, or has "
                "other than small letters, digits and _"
            )
        taken.add(name)
        own = f"{PREFIX}{name.upper()}_"
        strange = [v for v in (*entry.variables, *entry.optional) if not v.startswith(own)]
        if strange:
            raise ConfigError(
                f"sources[{place}].entry: its variables begin with {own}, not {', '.join(strange)}"
            )
        try:
            yield entry, entry.settings.model_validate(one.settings)
        except ValidationError as error:
            raise ConfigError(f"sources[{place}].settings: {error}") from error


def _imported(field: str, named: str) -> SourceEntry[Any]:
    module, _, attribute = named.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{field}: {named} can't be imported: {error}") from error
    if not isinstance(found, SourceEntry):
        raise ConfigError(f"{field}: {named} is a {type(found).__name__}, not a SourceEntry")
    return found
