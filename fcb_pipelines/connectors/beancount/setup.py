"""The parts of a set of books, found or missing, and the files of new books."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fcb_pipelines.connectors.beancount.chart import required, unplaced_taxes
from fcb_pipelines.connectors.beancount.loading import MAIN
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.beancount.text import account_text, commodity_text, main_text
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.description import MissingPart, SetupStep

ACCOUNTS, PARTNERS = "accounts.beancount", "partners.beancount"
SETUP = "fcb ledger setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One account or currency that the books must have, and its text where it is missing.

    `methods`: only settlements of these need it; () means that everything does. `cash`: cash alone does.
    """

    what: str
    name: str
    found: bool
    text: str
    methods: tuple[Method, ...] = ()
    cash: bool = False


def parts_of_books(records: Records | None, settings: Settings) -> tuple[Part, ...]:
    """The configured accounts and currencies, found or not; `records` None: no books."""
    known = {*records.chart.names, *records.accounts} if records else set()
    accounts = [
        Part(
            what="account",
            name=account.name,
            found=(account.code or account.name) in known,
            text=account_text(account.name, account.code),
            methods=account.methods,
            cash=account.cash,
        )
        for account in required(settings)
    ]
    declared = records.currencies if records else ()
    needed = dict.fromkeys([settings.currency, *settings.currencies], False)
    for balance in settings.cash.balances if settings.cash else ():
        needed.setdefault(balance.currency, True)
    currencies = (
        Part(
            what="currency",
            name=each,
            found=each in declared,
            text=commodity_text(each),
            cash=cash,
        )
        for each, cash in needed.items()
    )
    return (*accounts, *currencies)


def steps(parts: Iterable[Part], *, made: str, books: bool) -> tuple[SetupStep, ...]:
    """The steps of setup: `made` is the outcome of a missing part, `books` whether the books exist."""
    checked = [("books", MAIN, books), *((part.what, part.name, part.found) for part in parts)]
    return tuple(
        SetupStep(what=what, name=name, outcome="found" if found else made)
        for what, name, found in checked
    )


def missing_parts(
    parts: Iterable[Part], records: Records, settings: Settings
) -> tuple[MissingPart, ...]:
    """The parts that existing books lack, each with its remedy."""
    missing = [
        MissingPart(
            what=part.what,
            name=part.name,
            remedy=SETUP,
            taxes=() if part.methods or part.cash else None,
            methods=part.methods,
            cash=part.cash,
        )
        for part in parts
        if not part.found
    ]
    if settings.cash is not None and settings.journals.stripe.outstanding is None:
        name, remedy = "journals.stripe.outstanding", "the field in the configuration file"
        missing.append(MissingPart(what="account", name=name, remedy=remedy, taxes=(), cash=True))
    if not records.identity:
        remedy = f'a line `1970-01-01 custom "books" "<a new uuid>"` in {MAIN}'
        missing.append(MissingPart(what="identity", name=MAIN, remedy=remedy))
    for tax in unplaced_taxes(settings):
        remedy = f"`account` of tax {tax.key} in the configuration file"
        missing.append(
            MissingPart(what="tax account", name=tax.key, remedy=remedy, taxes=(tax.key,))
        )
    return tuple(missing)


def new_books(parts: Sequence[str], settings: Settings) -> dict[str, str]:
    """The files of new books: name -> text. Their identity is a new uuid."""
    main = main_text(title=settings.service, currency=settings.currency, identity=str(uuid.uuid4()))
    return {
        ACCOUNTS: "\n".join([*parts, ""]),
        PARTNERS: "; Partners and their external ids (links).\n",
        # The include of the journal must match a file from the first day.
        f"journal/{settings.first_period}.beancount": f"; Dated in {settings.first_period}.\n",
        MAIN: main,
    }
