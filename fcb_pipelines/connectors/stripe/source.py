"""Stripe as a source: the full list of invoices and credit notes, and whole documents by id.

Only reads; a restricted key with read rights on invoices, credit notes, charges and refunds,
disputes, balance transactions, tax rates and events suffices.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fcb_pipelines.connectors.failures import (
    ContractBreach,
    Failure,
    NotAllowed,
    NotFound,
    Unreachable,
)
from fcb_pipelines.connectors.retry import Pace, one_answer_each
from fcb_pipelines.connectors.sources import (
    Absent,
    BalanceList,
    BalanceReport,
    Body,
    Followed,
    Known,
    Listing,
    SourceBody,
    SourceDescription,
)
from fcb_pipelines.connectors.store.evidence import canonical
from fcb_pipelines.connectors.stripe.balance import StripeBalance
from fcb_pipelines.connectors.stripe.changes import (
    ChangedLists,
    MarkedLists,
    WholeLists,
    without_links,
)
from fcb_pipelines.connectors.stripe.client import API_VERSION, StripeReader
from fcb_pipelines.connectors.stripe.events import newest_event
from fcb_pipelines.connectors.sweep import Sweep
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.digests import digest
from fcb_pipelines.core.facts.bodies import Json, objects_in, part_of
from fcb_pipelines.core.facts.stripe.joins import Related
from fcb_pipelines.core.facts.stripe.lists import rest_of

# The parts of a body that are read for their own sake; the others were joined to them.
_OWN = ("invoice", "credit_note", "tax_rates")
# A failure names its charge; the invoice knows the charge's payment intent.
# The day on which a refund failed is that of its own transaction.
_REFUNDS = {"expand": ["data.failure_balance_transaction"]}
_FAILED = {"type": "payment_failure_refund", "expand": ["data.source"]}


class StripeSource:
    """One Stripe account, read only. `core.facts.stripe.documents` reads its bodies."""

    def __init__(
        self,
        api_key: str,
        account: str,
        requests_per_second: float,
        api_base: str | None = None,
        *,
        pace: Pace | None = None,
    ) -> None:
        self.name = "stripe"
        self.account = account
        self._key = api_key
        pace = pace or Pace(requests_per_second)
        self._reader = StripeReader(api_key, pace=pace, api_base=api_base)
        self._balance = StripeBalance(self._reader)
        self._rates: dict[str, Json] = {}
        self._related = Related()

    def transactions(self, begin: int, end: int) -> BalanceList:
        """Every balance transaction that was created in the span of Unix instants."""
        return self._balance.transactions(begin, end)

    def payouts(
        self, begin: int, end: int, known: Mapping[str, tuple[Body, ...]] | None = None
    ) -> BalanceList:
        """Every payout that was created in the span, with its transactions."""
        return self._balance.payouts(begin, end, known)

    def balance(self) -> BalanceReport:
        """The balance as it is reported now."""
        return self._balance.balance()

    def balance_problems(self) -> tuple[str, ...]:
        """What keeps the balance from being read with this key, in words."""
        return self._balance.problems()

    def listing(self, progress: Callable[[int], None] | None = None) -> Listing:
        """Every invoice and credit note, newest first, with their payments, refunds and disputes."""
        return self._of_lists(WholeLists(self._reader), progress)

    @property
    def form(self) -> str:
        """The account and the pinned version, and a number that grows once other lists are read."""
        return f"{self.account} {API_VERSION} 1"

    def follow(
        self, known: Known | None, progress: Callable[[int], None] | None = None
    ) -> Followed:
        """The list, in full or from what changed since, with the mark of now.

        Raises ListInFull.
        """
        before = self._reader.pace.calls
        lists = MarkedLists(self._reader) if known is None else ChangedLists(self._reader, known)
        listing = self._of_lists(lists, progress)
        return Followed(
            listing=replace(listing, calls=self._reader.pace.calls - before),
            rest={
                **rest_of(lists.read, (one.body for one in listing.documents)),
                "events": lists.seen,
            },
            mark=lists.mark.as_body() if lists.mark else None,
            detail=lists.detail,
            changes=lists.changes,
        )

    def _of_lists(
        self, lists: WholeLists, progress: Callable[[int], None] | None = None
    ) -> Listing:
        before = self._reader.pace.calls
        rates = lists.sweep("/v1/tax_rates")
        expand = {"expand": ["data.payments"]}
        invoices = lists.sweep("/v1/invoices", expand, progress)
        notes = lists.sweep("/v1/credit_notes")
        refunds = lists.sweep("/v1/refunds", _REFUNDS)
        disputes = lists.sweep("/v1/disputes")
        failures = lists.sweep("/v1/balance_transactions", _FAILED)
        self._rates.update((rate["id"], rate) for rate in rates.items)
        sweeps: tuple[Sweep, ...] = (rates, invoices, notes, refunds, disputes, failures)
        problems = [sweep.problem for sweep in sweeps if sweep.problem]
        # Another account's documents must never get this account's identity.
        self._check_account(problems)
        # Ten payments come with an invoice; the rest is needed now, to join refunds and disputes.
        billed = [
            self._with_payments(each) if each.get("payments") else each for each in invoices.items
        ]
        self._related = Related(billed, notes.items, refunds.items, disputes.items, failures.items)
        problems += self._related.problems
        documents = (
            *(self._body(Kind.INVOICE, each) for each in billed),
            *(self._body(Kind.CREDIT_NOTE, each) for each in notes.items),
        )
        return Listing(
            documents=documents,
            pages=sum(sweep.pages for sweep in sweeps),
            calls=self._reader.pace.calls - before,
            problem="; ".join(problems) or None,
        )

    def ask(self, ids: Collection[str]) -> tuple[SourceBody | Absent, ...]:
        """These documents by id (`in_…`, `cn_…`), complete, one answer each, in order."""
        return one_answer_each(
            ids, lambda source_id: (source_id, lambda: self._retrieve(source_id))
        )

    def complete(self, bodies: Sequence[SourceBody]) -> tuple[SourceBody | Absent, ...]:
        """The same bodies with all their lines, payments and tax rates; whole ones cost no call."""
        return one_answer_each(bodies, lambda body: (body.id, lambda: self._completed(body)))

    def newest(self) -> str:
        """A digest of the newest hundred invoices with their payments."""
        page = self._reader.get("/v1/invoices", {"limit": 100, "expand": ["data.payments"]})
        bodies = [self._body(Kind.INVOICE, each).body for each in objects_in(page.get("data"))]
        return digest(b"".join(canonical(body) for body in bodies))

    def subscriptions(self) -> tuple[Body, ...]:
        """Every subscription, those that ended too. The key needs read rights on subscriptions."""
        found = self._reader.sweep("/v1/subscriptions", {"status": "all"})
        if found.problem:
            raise Unreachable("Stripe: listing subscriptions", found.problem)
        return tuple(dict(each) for each in found.items)

    def describe(self) -> SourceDescription:
        """Stripe as found with this key: account, mode, counts and problems."""
        problems: list[str] = []
        warnings: list[str] = []
        if self._key.startswith("sk_"):
            warnings.append("the key may write: a restricted key with read rights suffices")
        self._check_account(problems)
        counts: dict[str, int] = {}
        livemode = "_live_" in self._key
        for what in (
            "invoices", "credit_notes", "tax_rates", "refunds", "disputes", "balance_transactions",
        ):  # fmt: skip
            page = self._first_page(what, problems)
            if page is not None:
                label = f"{what} (first page)" if page.get("has_more") else what
                found = objects_in(page.get("data"))
                counts[label] = len(found)
                # A refund and a balance transaction do not say which mode they are of.
                livemode = next(
                    (each["livemode"] for each in found if "livemode" in each), livemode
                )
        mark = newest_event(self._reader)
        warnings += [f"each sync lists in full: {mark}"] if isinstance(mark, str) else []
        return SourceDescription(
            name=self.name,
            account=self.account,
            version=API_VERSION,
            livemode=livemode,
            counts=counts,
            problems=tuple(problems),
            warnings=tuple(warnings),
        )

    def _check_account(self, problems: list[str]) -> None:
        try:
            found = self._reader.get("/v1/account")
        except NotAllowed:
            # A restricted key need not have this right; its absence is no fault.
            return
        except Failure as failure:
            problems.append(str(failure))
            return
        owner = found.get("id")
        if owner not in (None, self.account):
            problems.append(f"the key belongs to {owner}, configured is {self.account}")

    def _first_page(self, what: str, problems: list[str]) -> Json | None:
        try:
            return self._reader.get(f"/v1/{what}", {"limit": 100})
        except Failure as failure:
            problems.append(str(failure))
            return None

    def _retrieve(self, source_id: str) -> SourceBody:
        if not source_id.strip():
            raise NotFound("Stripe: reading a document", "its id is empty")
        name = quote(source_id, safe="")
        if source_id.startswith("cn_"):
            kind, found = Kind.CREDIT_NOTE, self._reader.get(f"/v1/credit_notes/{name}")
        else:
            expand = {"expand": ["payments"]}
            kind, found = Kind.INVOICE, self._reader.get(f"/v1/invoices/{name}", expand)
            found = self._with_payments(found)
        if found.get("id") != source_id:
            raise ContractBreach("Stripe: reading a document", f"{source_id} is not what came")
        return self._completed(self._body(kind, found))

    def _completed(self, body: SourceBody) -> SourceBody:
        document: Json = body.body[body.kind.value]
        if part_of(document, "lines").get("has_more"):
            document = {**document, "lines": self._all_lines(body)}
        if body.kind is Kind.INVOICE:
            document = self._with_payments(document)
        self._rates.update((rate["id"], rate) for rate in body.body.get("tax_rates", ()))
        for rate in _rates_named(document):
            if rate not in self._rates:
                self._learn(rate)
        joined = {name: part for name, part in body.body.items() if name not in _OWN}
        return self._body(body.kind, document, joined)

    def _with_payments(self, invoice: Json) -> Json:
        """The invoice with all of its payments; the list shows ten."""
        if not _cut_off(invoice.get("payments")):
            return invoice
        return {**invoice, "payments": self._all_payments(invoice["id"])}

    def _all_lines(self, body: SourceBody) -> Json:
        inline = body.body[body.kind.value]["lines"]
        path = f"/v1/{body.kind.value}s/{body.id}/lines"
        swept = self._reader.sweep(path)
        ids = {line["id"] for line in swept.items}
        listed = [str(line.get("id")) for line in objects_in(inline.get("data"))]
        lost = [line for line in listed if line not in ids]
        if swept.problem or lost:
            why = swept.problem or f"the full list lacks {lost[0]}"
            raise ContractBreach(f"Stripe: GET {path}", why)
        return {**inline, "data": list(swept.items), "has_more": False}

    def _all_payments(self, invoice: str) -> Json:
        path = "/v1/invoice_payments"
        swept = self._reader.sweep(path, {"invoice": invoice})
        if swept.problem:
            raise ContractBreach(f"Stripe: GET {path} of {invoice}", swept.problem)
        return {"object": "list", "data": list(swept.items), "has_more": False, "url": path}

    def _learn(self, rate: str) -> None:
        """Read a tax rate that the list lacks. A rate that does not exist stays unknown: the document's
        facts report it, and the document itself does not count as missing."""
        with suppress(NotFound):
            self._rates[rate] = self._reader.get(f"/v1/tax_rates/{quote(rate, safe='')}")

    def _body(
        self, kind: Kind, document: Json, joined: Mapping[str, Any] | None = None
    ) -> SourceBody:
        """A document with the tax rates it names and its refunds, disputes and so on (`joined`)."""
        named = _rates_named(document)
        rates = [self._rates[rate] for rate in named if rate in self._rates]
        if joined is None:
            of = self._related.of_invoice if kind is Kind.INVOICE else self._related.of_note
            joined = of(document)
        return SourceBody(
            id=document["id"],
            kind=kind,
            body={kind.value: without_links(document), "tax_rates": rates, **joined},
        )


def _cut_off(payments: Any) -> bool:
    return payments is None or (isinstance(payments, Mapping) and bool(payments.get("has_more")))


def _rates_named(document: Json) -> list[str]:
    """The ids of the tax rates that a document's taxes name, sorted."""
    shipping = objects_in(part_of(document, "shipping_cost").get("taxes"))
    taxes = objects_in(document.get("total_taxes"))
    for line in objects_in(part_of(document, "lines").get("data")):
        taxes.extend(objects_in(line.get("taxes")))
    named = [part_of(tax, "tax_rate_details").get("tax_rate") for tax in taxes]
    named += [part_of(tax, "rate").get("id") for tax in shipping]
    return sorted({rate for rate in named if rate and isinstance(rate, str)})
