"""Lago as a source: the full list of invoices and credit notes, and whole documents by id.

Lago's list leaves fees and credits out. Fees come from a sweep of their own, joined by invoice, so
calls grow with pages and not with invoices; an invoice that the sweep does not cover, and one that
used a credit note, costs one GET.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from fcb_pipelines.connectors.failures import ContractBreach, Failure, NotFound, Unreachable
from fcb_pipelines.connectors.lago.client import LagoReader
from fcb_pipelines.connectors.retry import Pace, one_answer_each
from fcb_pipelines.connectors.sources import Absent, Body, Listing, SourceBody, SourceDescription
from fcb_pipelines.connectors.store.evidence import canonical
from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.digests import digest
from fcb_pipelines.core.facts.bodies import Json, objects_in, part_of
from fcb_pipelines.core.facts.lago.joins import Related

# Without a status Lago lists the active ones.
_SUBSCRIPTION_STATUSES = ("active", "pending", "terminated", "canceled")
# Signed links that differ in every answer and open the document to whoever holds them.
_LINKS = ("file_url", "xml_url", "web_url")


class LagoSource:
    """One Lago organization, read only. `core.facts.lago.documents` reads its bodies."""

    def __init__(
        self,
        api_url: str,
        api_key: str,
        organization: str,
        requests_per_second: float,
        *,
        pace: Pace | None = None,
    ) -> None:
        self.name = "lago"
        self.organization = organization
        self._reader = LagoReader(api_url, api_key, pace=pace or Pace(requests_per_second))
        self._noted = Related()

    def listing(self, progress: Callable[[int], None] | None = None) -> Listing:
        """Every invoice with its fees and payments, then every credit note.

        Last come the confirmed payments of which an invoice is not listed.
        """
        before = self._reader.pace.calls
        invoices = self._reader.sweep("invoices", progress=progress)
        fees = self._reader.sweep("fees")
        payments = self._reader.sweep("payments")
        notes = self._reader.sweep("credit_notes")
        # Fees are left out: a fee that their sweep lacks is missing in its invoice's sum.
        problems = [sweep.problem for sweep in (invoices, payments, notes) if sweep.problem]
        listed = [self._with_credits(each, problems) for each in invoices.items]
        related = Related(listed, fees.items, payments.items, notes.items)
        problems += related.problems
        # A document that is asked for later needs no more of the lists than this.
        self._noted = Related(notes=notes.items)
        documents = (
            *(
                self._invoice(
                    each, related.fees_of(each["lago_id"]), related.payments_of(each["lago_id"])
                )
                for each in listed
            ),
            *(_credit_note(each, related.used_on(each["lago_id"])) for each in notes.items),
            *(_payment(each, of) for each, of in related.payments_without_invoice),
        )
        return Listing(
            documents=documents,
            pages=invoices.pages + fees.pages + payments.pages + notes.pages,
            calls=self._reader.pace.calls - before,
            problem="; ".join(problems) or None,
        )

    def ask(self, ids: Collection[str]) -> tuple[SourceBody | Absent, ...]:
        """These invoices by lago_id, complete, one answer each, in order."""
        return one_answer_each(ids, lambda lago_id: (lago_id, partial(self._retrieve, lago_id)))

    def complete(self, bodies: Sequence[SourceBody]) -> tuple[SourceBody | Absent, ...]:
        """The same bodies with all fees and items; whole ones cost no call."""
        return one_answer_each(bodies, lambda body: (body.id, partial(self._completed, body)))

    def newest(self) -> str:
        """A digest of the newest hundred invoices, without fees and payments."""
        page = self._reader.get("invoices", {"page": 1, "per_page": 100})
        bodies = [self._invoice(each, (), ()).body for each in objects_in(page.get("invoices"))]
        return digest(b"".join(canonical(body) for body in bodies))

    def subscriptions(self) -> tuple[Body, ...]:
        """Every subscription, those that ended too."""
        found: list[Body] = []
        for status in _SUBSCRIPTION_STATUSES:
            swept = self._reader.sweep("subscriptions", {"status[]": status})
            if swept.problem:
                raise Unreachable("Lago: listing subscriptions", swept.problem)
            found += [dict(each) for each in swept.items]
        return tuple(found)

    def describe(self) -> SourceDescription:
        """Lago as found with this key: the number of objects by kind, and problems."""
        counts: dict[str, int] = {}
        problems: list[str] = []
        for what in ("invoices", "fees", "payments", "credit_notes"):
            try:
                counts[what] = self._reader.count(what)
            except Failure as failure:
                problems.append(str(failure))
        return SourceDescription(
            name=self.name,
            account=self.organization,
            version="v1",
            livemode=True,  # a Lago organization knows no modes
            counts=counts,
            problems=tuple(problems),
        )

    def _retrieve(self, lago_id: str) -> SourceBody:
        if not _is_id(lago_id):
            raise NotFound("Lago: reading an invoice", f"{lago_id!r} is no id")
        invoice = self._document("invoice", lago_id)
        payments = self._reader.sweep("payments", {"invoice_id": lago_id})
        if payments.problem:
            raise ContractBreach(f"Lago: reading the payments of {lago_id}", payments.problem)
        return self._invoice(invoice, invoice.get("fees") or (), payments.items)

    def _with_credits(self, invoice: Json, problems: list[str]) -> Json:
        """The invoice with the credits it used, where it used a credit note: no list names them."""
        if not invoice.get("credit_notes_amount_cents") or "credits" in invoice:
            return invoice
        try:
            whole = self._document("invoice", invoice["lago_id"])
        except Failure as failure:
            problems.append(str(failure))
            return invoice
        return {**invoice, "credits": whole.get("credits")}

    def _document(self, kind: str, lago_id: str) -> Json:
        """One document by id. Raises ContractBreach where another thing came."""
        tried = f"/{kind}s/{lago_id}"
        found = part_of(self._reader.get(tried), kind)
        if found.get("lago_id") != lago_id:
            raise ContractBreach(f"Lago: GET {tried}", f"no {kind} of this id came")
        return found

    def _completed(self, body: SourceBody) -> SourceBody:
        if body.kind is Kind.CREDIT_NOTE:
            if body.body["credit_note"].get("items") is not None:
                return body
            whole = self._document("credit_note", body.id)
            return _credit_note(whole, body.body.get("applied_on") or ())
        if "payment" in body.body:
            return body
        invoice = body.body["invoice"]
        swept = [fee.get("amount_cents") or 0 for fee in body.body["fees"]]
        known = all(isinstance(each, int) for each in swept)
        if known and sum(swept) == invoice.get("fees_amount_cents"):
            return body
        whole = self._document("invoice", body.id)
        offsets = body.body.get("credit_notes") or ()
        return _invoice(whole, whole.get("fees") or (), body.body["payments"], offsets)

    def _invoice(self, invoice: Json, fees: Iterable[Json], payments: Iterable[Json]) -> SourceBody:
        return _invoice(invoice, fees, payments, self._noted.set_off_against(invoice["lago_id"]))


def _invoice(
    invoice: Json, fees: Iterable[Json], payments: Iterable[Json], offsets: Iterable[Json]
) -> SourceBody:
    """A body with its parts in a fixed order, so that equal documents are equal bodies.

    `offsets` are the credit notes that were set off against the invoice.
    """
    set_off = sorted(offsets, key=_age)
    kept = {key: value for key, value in invoice.items() if key not in (*_LINKS, "fees")}
    return SourceBody(
        id=invoice["lago_id"],
        kind=Kind.INVOICE,
        body={
            "invoice": kept,
            "fees": _in_order(fees),
            "payments": sorted(payments, key=_age),
            **({"credit_notes": set_off} if set_off else {}),
        },
    )


def _credit_note(note: Json, applied_on: Iterable[Json]) -> SourceBody:
    """A note with the invoices that it was used on."""
    kept = {key: value for key, value in note.items() if key not in _LINKS}
    used = sorted(applied_on, key=_age)
    body = {"credit_note": kept, **({"applied_on": used} if used else {})}
    return SourceBody(id=note["lago_id"], kind=Kind.CREDIT_NOTE, body=body)


def _payment(payment: Json, invoices: Sequence[str]) -> SourceBody:
    """A payment of which an invoice is not listed; `invoices` are those of it that are."""
    body = {"payment": dict(payment), "listed_invoices": sorted(invoices)}
    return SourceBody(id=payment["lago_id"], kind=Kind.INVOICE, body=body)


def _age(each: Json) -> tuple[str, str]:
    return str(each.get("created_at") or ""), str(each.get("lago_id"))


def _in_order(fees: Any) -> Any:
    """Fees in order; anything else stays as it is, for the facts to report."""
    found = objects_in(fees)
    whole = isinstance(fees, Sequence) and len(found) == len(fees)
    return sorted(found, key=_age) if whole else fees


def _is_id(text: str) -> bool:
    """Whether a text can be one part of a path: an empty one would ask for the list."""
    return bool(text) and all(sign.isalnum() or sign in "-_" for sign in text)
