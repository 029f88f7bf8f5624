"""One odd value anywhere in what a source sends: its document is right or held, the others as before.

From the bytes of an answer to the index, its frame and the facts of the month. Any value of a document,
or of a refund, payment or the like beside it, is replaced by one that no API should ever send.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.lago.source import LagoSource
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.connectors.store.frames import read_frame, to_frame, to_rows, write_frame
from fcb_pipelines.connectors.stripe.source import StripeSource
from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.core.proof.gates import listing_complete
from fcb_pipelines.defs.sources.reading import Reader, completed, read_index
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.odd_values import ODD, Place, paths, replaced

Lists = Mapping[str, list[Any]]


def as_sent(value: Any) -> bytes:
    """A value as JSON."""
    return json.dumps(value).encode()


def _stripe() -> Lists:
    money = small_dataset.stripe_money_objects()
    charge = {"id": "ch_3", "object": "charge", "payment_intent": None}
    failed = money["stripe/balance_transactions"][0] | {"id": "txn_2", "source": charge}
    documents = ("in_paid", "in_discount", "in_instalments", "in_ugx", "in_balance", "in_negative")
    invoices = [small_dataset.stripe_body(each)["invoice"] for each in documents]
    return {
        "invoices": invoices,
        "credit_notes": small_dataset.stripe_notes(),
        "refunds": money["stripe/refunds"],
        "disputes": money["stripe/disputes"],
        "balance_transactions": [failed],
        "tax_rates": small_dataset.RATES,
    }


def _lago() -> Lists:
    wanted = ("paid", "coupon", "credited", "by-hand", "shared-1", "shared-2")
    invoices = [each for each in small_dataset.lago_invoices() if each["lago_id"] in wanted]
    return {
        "invoices": [{k: v for k, v in each.items() if k != "fees"} for each in invoices],
        "fees": [fee for each in invoices for fee in each["fees"]],
        "payments": [
            each for each in small_dataset.lago_payments() if {*each["invoice_ids"]} & {*wanted}
        ],
        "credit_notes": small_dataset.lago_notes(),
    }


LISTS = {"stripe": _stripe(), "lago": _lago()}
ID = {"stripe": "id", "lago": "lago_id"}
# What hangs together: the parts of these documents are joined into each other's bodies.
TOGETHER = {
    "stripe": ({"in_discount", "cn_1"}, {"in_instalments", "re_1", "dp_1", "txn_2"}),
    "lago": ({"coupon", "note-1"}, {"shared-1", "shared-2", "pay-shared"}),
}


@dataclass
class Host(BaseAdapter):
    """A source in memory whose object `place` of the list `name` is the bytes `sent`."""

    side: str
    name: str = ""
    place: int = 0
    sent: bytes = b""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, str(request.url), request
        answer._content = self._answer(url.path.split("/")[-2:], parse_qs(url.query))
        if not answer._content:
            answer.status_code, answer._content = 404, self._missing()
        return answer

    def close(self) -> None:
        """Nothing is open."""

    def _missing(self) -> bytes:
        if self.side == "lago":
            return b'{"status": 404, "code": "invoice_not_found"}'
        return b'{"error": {"type": "invalid_request_error", "code": "resource_missing"}}'

    def _answer(self, path: list[str], query: Mapping[str, list[str]]) -> bytes:
        lists, end = LISTS[self.side], path[-1]
        if end in lists:
            objects = self._objects(end)
            if "invoice_id" in query:
                [wanted] = query["invoice_id"]
                known = zip(objects, lists[end], strict=True)
                objects = [sent for sent, each in known if wanted in each["invoice_ids"]]
            return self._page(end, objects)
        if end == "account":
            return b'{"id": "acct_nexacloud"}'
        if end == "lines":
            [invoice] = [each for each in lists["invoices"] if each["id"] == path[0]]
            return self._page("data", [as_sent(each) for each in invoice["lines"]["data"]])
        if end == "invoice_payments":
            [invoice] = [e for e in lists["invoices"] if e["id"] == query["invoice"][0]]
            return self._page("data", [as_sent(each) for each in invoice["payments"]["data"]])
        for place, each in enumerate(lists.get(path[0], ())):
            if each[ID[self.side]] == end:
                found = self._objects(path[0])[place]
                if self.side == "lago" and path[0] == "invoices":
                    # An invoice asked for by its id comes with its fees.
                    known = zip(self._objects("fees"), lists["fees"], strict=True)
                    own = [sent for sent, fee in known if fee["lago_invoice_id"] == end]
                    found = found[:-1] + b', "fees": [%s]}' % b", ".join(own)
                kind = path[0].removesuffix("s").encode()
                return b'{"%s": %s}' % (kind, found) if self.side == "lago" else found
        return b""

    def _objects(self, name: str) -> list[bytes]:
        sent = [as_sent(each) for each in LISTS[self.side][name]]
        if name == self.name:
            sent[self.place] = self.sent
        return sent

    def _page(self, name: str, objects: list[bytes]) -> bytes:
        joined = b", ".join(objects)
        if self.side == "stripe":
            return b'{"object": "list", "has_more": false, "data": [%s]}' % joined
        meta = b'{"current_page": 1, "next_page": null, "total_count": %d}' % len(objects)
        return b'{"%s": [%s], "meta": %s}' % (name.encode(), joined, meta)


@dataclass(frozen=True)
class Read:
    """What came of it: the index, why its list may not be whole, and the facts by source id."""

    rows: Mapping[str, IndexRow]
    problem: str | None
    facts: Mapping[str, InvoiceFacts]


HOME = Path(tempfile.mkdtemp())


def read(host: Host) -> Read:
    """The index and every document of a host, through frames on disk. Raises Failure."""
    pace = Pace(100_000, sleep=lambda seconds: None)
    source: StripeSource | LagoSource
    if host.side == "stripe":
        source = StripeSource("rk_live_1", SETTINGS.stripe.account, 1, "http://host", pace=pace)
        session = source._reader._http._session
        assert session
    else:
        source = LagoSource("http://host", "key", SETTINGS.lago.organization, 1, pace=pace)
        session = source._reader._session
    session.mount("http://", host)
    (of,) = (each for each in registered(SETTINGS) if each.name == host.side)
    reader = Reader(of=of, source=source, evidence=EvidenceStore(HOME / "evidence"))
    frame = read_index(
        reader,
        customers=frozenset(),
        claimed=[f"{of.service}:{each[ID[host.side]]}" for each in LISTS[host.side]["invoices"]],
        ledger_state=(),
        last_period="2026-06",
        progress=lambda count: None,
    )
    write_frame(frame, HOME / "index.parquet")
    rows = to_rows(read_frame(HOME / "index.parquet"), IndexRow)
    whole = completed(reader, rows)
    facts = tuple(each for each, _ in whole)
    for each, body in whole:
        assert reader.of.spans(body).keys() <= {line.key for line in each.lines} or each.problem
    write_frame(to_frame(facts, InvoiceFacts), HOME / "facts.parquet")
    assert to_rows(read_frame(HOME / "facts.parquet"), InvoiceFacts) == facts
    found = [row.source_id for row in rows if row.body_hash]
    listed = listing_complete(rows, frame.attrs["problem"])
    return Read(
        rows={row.source_id: row for row in rows},
        problem=listed.detail if listed.outcome is Outcome.FAIL else None,
        facts=dict(zip(found, facts, strict=True)),
    )


@cache
def undisturbed(side: str) -> Read:
    """The same without any odd value."""
    return read(Host(side))


def adds_up(facts: InvoiceFacts) -> bool:
    net = sum(line.net for line in facts.lines) + facts.shipping
    taxes = sum(tax.amount for tax in facts.taxes)
    return facts.net + facts.tax == facts.total and (
        not facts.lines or (net, taxes) == (facts.net, facts.tax)
    )


@pytest.mark.parametrize("side", ["stripe", "lago"])
def test_without_an_odd_value_all_is_well(side: str) -> None:
    well = undisturbed(side)
    assert well.problem is None
    held = {each for each, facts in well.facts.items() if facts.problem}
    assert held == ({"in_ugx"} if side == "stripe" else set())


ENDLESS = b"1" + b"0" * 30
CASES = [
    ("stripe", "in_paid", ("total",), ENDLESS, None),
    ("stripe", "in_paid", ("total",), b"NaN", None),
    ("stripe", "in_paid", ("total",), b"9" * 5000, None),
    ("stripe", "in_paid", ("livemode",), b"null", None),
    ("stripe", "in_paid", ("payments",), b'""', None),
    ("stripe", "in_paid", ("payments", "data", 0, "status"), b"null", None),
    ("stripe", "in_paid", ("payments", "data", 0, "status_transitions", "paid_at"), b"true", None),
    ("stripe", "in_paid", ("lines",), b"[" * 30_000 + b"]" * 30_000, None),
    ("stripe", "in_ugx", ("total",), b'"text"', None),
    ("stripe", "in_paid", ("customer_name",), b'"\\ud800"', 24239),
    ("stripe", "in_paid", ("customer_name",), b'"\xff"', 24239),
    ("stripe", "in_paid", ("number",), b'"\\u0000"', 24239),
    ("stripe", "in_paid", ("effective_at",), b"-3000000000", 24239),
    ("stripe", "in_paid", ("payments", "data", 0, "status_transitions", "paid_at"), b"1", 24239),
    ("stripe", "cn_1", ("number",), b'"\\ud800"', 1130),
    ("lago", "paid", ("sub_total_including_taxes_amount_cents",), ENDLESS, None),
    ("lago", "paid", ("sub_total_including_taxes_amount_cents",), b"NaN", None),
    ("lago", "paid", ("credit_notes_amount_cents",), b"[]", None),
    ("lago", "paid", ("payment_status",), b"null", None),
    ("lago", "paid", ("applied_taxes",), b"[" * 30_000 + b"]" * 30_000, None),
    ("lago", "paid", ("number",), b'"\\ud800"', 24239),
    ("lago", "paid", ("customer", "city"), b'"\xed\xa0\x80"', 24239),
    ("lago", "paid", ("issuing_date",), b'"0001-01-01"', 24239),
]  # fmt: skip


@pytest.mark.parametrize(("side", "own", "path", "odd", "total"), CASES)
def test_the_document_is_held_with_its_amount_where_it_can_be_told(
    side: str, own: str, path: Place, odd: bytes, total: int | None
) -> None:
    name = "credit_notes" if own == "cn_1" else "invoices"
    place = [each[ID[side]] for each in LISTS[side][name]].index(own)
    check(side, name, place, path, odd)
    came = read(Host(side, name, place, replaced(LISTS[side][name][place], path, odd)))
    assert came.problem is None
    found = came.facts[own]
    assert (found.problem, found.is_unread) == (Reason.UNREADABLE, total is None)
    assert found.total == (total or 0)


@pytest.mark.parametrize(("side", "name", "own", "path", "odd"), [
    ("stripe", "refunds", "re_1", ("charge",), b"{}"),
    ("stripe", "disputes", "dp_1", ("payment_intent",), b"5"),
    ("stripe", "balance_transactions", "txn_2", ("source",), b"null"),
    ("stripe", "credit_notes", "cn_1", ("invoice",), b"[]"),
    ("lago", "payments", "pay-paid", ("invoice_ids",), b'"paid"'),
    ("lago", "credit_notes", "note-1", ("lago_invoice_id",), b"null"),
])  # fmt: skip
def test_an_object_whose_document_cant_be_told_fails_the_listing_by_name(
    side: str, name: str, own: str, path: Place, odd: bytes
) -> None:
    place = [each[ID[side]] for each in LISTS[side][name]].index(own)
    came = read(Host(side, name, place, replaced(LISTS[side][name][place], path, odd)))
    assert f"{own}: its {path[0]} can't be read" in (came.problem or "")


@pytest.mark.parametrize("side", ["stripe", "lago"])
@settings(max_examples=100)
@given(data=st.data())
def test_an_odd_value_is_of_its_document_alone(side: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(LISTS[side])))
    place = data.draw(st.integers(0, len(LISTS[side][name]) - 1))
    victim = LISTS[side][name][place]
    path = data.draw(paths(victim))
    odd = data.draw(st.sampled_from(ODD))
    check(side, name, place, path, odd)


def is_id(odd: bytes | None) -> bool:
    """Whether this can be an id: a text of signs that every system has."""
    return (
        odd is not None and odd[:1] == b'"' and odd.isascii() and b"\\" not in odd and odd != b'""'
    )


def check(side: str, name: str, place: int, path: Place, odd: bytes | None) -> None:
    """One odd value in one place: whatever may be wrong with it."""
    victim = LISTS[side][name][place]
    own = victim["lago_invoice_id"] if name == "fees" else victim[ID[side]]
    affected = next((each for each in TOGETHER[side] if own in each), {own})
    affected = affected | {*victim.get("invoice_ids", ())}
    host = Host(side, name, place, replaced(victim, path, odd))
    if path == (ID[side],) and not is_id(odd):
        # Without an id no row can be of it: a clear stop, that says where.
        with pytest.raises(ContractBreach, match=f"object {place + 1} has no {ID[side]} that can"):
            read(host)
        return
    came = read(host)
    well = undisturbed(side)
    if name == "tax_rates":
        affected = set(well.facts)
    for each in well.rows.keys() - affected:
        assert came.rows[each] == well.rows[each]
        assert came.facts[each] == well.facts[each]
    for each, facts in came.facts.items():
        assert facts.source_hash
        assert facts.problem or adds_up(facts), each
        if facts.is_unread:
            assert (facts.problem, facts.total) == (Reason.UNREADABLE, 0)
    if name in ("invoices", "credit_notes") and path != (ID[side],):
        assert own in came.facts
