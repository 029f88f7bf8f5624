"""Every digest is the one it has always been: books and frames that stand hold the hashes they were given."""

import copy
import hashlib
import json
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.connectors.store.evidence import EvidenceStore
from fcb_pipelines.core.codes import Kind, Method, Status, System
from fcb_pipelines.core.digests import digest_of_lines
from fcb_pipelines.core.documents.build import Held, intended_document
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, TaxFacts
from fcb_pipelines.core.ledger.entries import (
    DocumentLine,
    DocumentTax,
    LedgerDocument,
    Settlement,
)
from fcb_pipelines.core.proof.window import fingerprints
from fcb_pipelines_tests.documents import SETTINGS, a_settlement
from fcb_pipelines_tests.packaged import packaged
from fcb_pipelines_tests.sandbox.scenarios.dataset_reading import all_facts
from fcb_pipelines_tests.strategies import documents

# Every script, quote and control mark, and half of a pair that is no character.
ODD_TEXT = 'Büro 葉 🌿 "a\\b"\n\t\x00\x7f\u2028 \ud83c </script>'

PLAIN = LedgerDocument(
    ref="stripe:acct_1:in_1",
    kind=Kind.INVOICE,
    number="NC-1",
    date=date(2026, 4, 3),
    currency="CAD",
    partner="nexacloud:17",
    lines=(
        DocumentLine(
            description="Odoo ERP Hosting - Standard",
            quantity=Decimal(1),
            unit_price=Decimal("200.00"),
            net=20000,
            account="411310",
            family="hosting",
            taxes=("hst_13",),
            tax=2600,
        ),
    ),
    taxes=(DocumentTax(key="hst_13", base=20000, amount=2600),),
    nexacloud_invoice_id="inv-1",
    stripe_invoice_id="in_1",
    reverses="stripe:acct_1:in_0",
    source_hash="a" * 64,
)
ODD = LedgerDocument(
    ref="lago:ünïque org:4b2c:correction:2",
    kind=Kind.CREDIT_NOTE,
    number="",
    date=date(1, 1, 1),
    currency="KWD",
    partner=ODD_TEXT,
    lines=tuple(
        DocumentLine(
            description=ODD_TEXT,
            quantity=Decimal(quantity),
            unit_price=Decimal(price),
            net=net,
            account="",
            family="other",
            taxes=taxes,
        )
        for quantity, price, net, taxes in (
            ("1E+3", "0.000000001", 0, ()),
            ("-0.00", "1E-30", -1, ("gst_5", "qst_9975")),
            ("1.2300", "123456789012345678901234567890.10", 10**24, ("b", "a")),
            ("0E+5", "-7", 5, ("",)),
        )
    ),
    taxes=(),
)
PAID = Settlement(
    ref="stripe:acct_1:inpay_1",
    document="stripe:acct_1:in_1",
    kind=Kind.INVOICE,
    partner="nexacloud:17",
    method=Method.PAYMENT,
    date=date(2026, 4, 3),
    amount=22600,
    currency="CAD",
    memo="pi_1",
)
FACTS = InvoiceFacts(
    side=System.STRIPE,
    ref="stripe:acct_1:in_1",
    kind=Kind.INVOICE,
    number="NC-1",
    status=Status.PAID,
    status_at_source="paid",
    currency="CAD",
    date=date(2026, 4, 3),
    net=20000,
    tax=2600,
    total=22600,
    paid=22600,
    customer="cus_1",
    lines=(
        LineFacts(
            key="il_1",
            description=ODD_TEXT,
            quantity=Decimal("2.500"),
            net=20000,
            gross=20001,
            discount=1,
            unit_amount=Decimal("8E+1"),
            taxes=(
                TaxFacts(
                    type="hst",
                    percentage=Decimal("13.000"),
                    amount=2600,
                    base=20000,
                    country="CA",
                    state="ON",
                    source_id="txr_1",
                ),
            ),
            service_start=date(2026, 4, 1),
            service_end=date(2026, 4, 30),
            proration=True,
            reverses="Odoo ERP Hosting",
        ),
    ),
    taxes=(TaxFacts(type="", percentage=Decimal("-0"), amount=-1, inclusive=True),),
    discount=1,
    shipping=3,
    credits="stripe:acct_1:in_0",
)
BARE = replace(
    FACTS, date=None, customer=None, credits=None, lines=(), taxes=(), kind=Kind.CREDIT_NOTE
)

# What each was hashed to when the first books were written.
HASHES: dict[str, tuple[str, str]] = {
    "a document": (
        PLAIN.content_hash,
        "b504da6db4b43729f7aa6b57304a3f054e2eeb8da7ed11d8c530ce126c5d6441",
    ),
    "a document of odd values": (
        ODD.content_hash,
        "142514e573ba9e28aea7c010866ea5c80596b2d5f020444293fd2f2c01e8eaf7",
    ),
    "a payment": (
        PAID.content_hash,
        "880ceff9814f8974cabf34096641b03a4329f26f451b0a753ce2f6c85938694f",
    ),
    "an allocation": (
        replace(PAID, drawn_on="stripe:acct_1:cn_1").content_hash,
        "88c1f20da7132a889d516f1b566a3d19affd2f615b94e83798ae956d12fa68ba",
    ),
    "a part of a receipt of nothing": (
        replace(PAID, drawn_on="x", receipt=0).content_hash,
        "48562e4623a31536099cd6f69b4a87a34f6f303a8e5d03db46d03ca339a8d918",
    ),
    "what undoes": (
        replace(PAID, undoes="x", amount=-22600, on_account=True).content_hash,
        "766447a6ba243aaaff04a8276c39b99da48b41520fade8c16ccc52f548c6182b",
    ),
    "what a source billed": (
        FACTS.source_hash,
        "9590d38e04780d165e7dd8352e9caa799589574ccf84498f4abb20ca6e83bbe4",
    ),
    "what a source reported in part": (
        BARE.source_hash,
        "2be41f06d69c2cbce092e63b39290bf01b66bcca7bfa6086f02eec9ba9bd97f7",
    ),
}


@pytest.mark.parametrize("name", HASHES)
def test_a_hash_is_what_it_was_when_the_first_books_were_written(name: str) -> None:
    now, then = HASHES[name]
    assert now == then


# Over all documents of a dataset: its ref, what its source billed, and what would be posted of it.
DATASETS = {
    "edge-cases": "07b9a089f395d615214fd663cb9cd14f68726c26dcfaf31bf6777bd0c9a2a410",
    "edge-cases-later": "f9c25f8267cae40f0d3a3af1130f2c5e00032b5e3ca75d1238eb4274f601a56b",
    "nexa-2026-05": "4c0b36e975f7a68669d70da8ce276206a48df7ac2adc695f7aa4fa365080266e",
}


@pytest.mark.parametrize("name", DATASETS)
def test_every_document_of_a_packaged_dataset_hashes_as_it_always_did(name: str) -> None:
    lines = []
    for facts in all_facts(packaged(name)):
        built = intended_document(facts, SETTINGS, partner="nexacloud:1", nexacloud_invoice_id="1")
        posted = built.reason if isinstance(built, Held) else built.content_hash
        lines.append(f"{facts.ref} {facts.source_hash} {posted}")
    assert digest_of_lines(lines) == DATASETS[name]


def test_a_body_is_kept_under_the_name_that_it_always_had(tmp_path: Path) -> None:
    body = {
        "b": Decimal("1.10"),
        "a": [None, True, 'ü\u2028 "x\\'],
        "c": {"2": 1, "10": Decimal("1E+2")},
    }
    name = EvidenceStore(tmp_path).put("stripe", body)
    assert name == "d48e2af0685f73594151dca982bf26a9602c9b4a867282c857796ebfeb1564e0"


def test_what_a_month_was_built_from_is_told_as_it_always_was() -> None:
    rows = [
        IndexRow(
            ref=ref,
            source_id=ref,
            origin=Origin.INVOICE,
            answer=Lookup.LISTED,
            in_scope=True,
            claimed=True,
            period="2026-04",
            body_hash="b" * 64,
        )
        for ref in ("stripe:acct_1:in_2", "lago:ünïque:4b2c", "stripe:acct_1:in_1")
    ]
    found = fingerprints(["2026-03", "2026-04"], rows, (), {}, (), (), {})
    assert (found["2026-03"].ledger, found["2026-04"].index) == (
        "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
        "69f4ae3f15b76a817ed54ae97af2c7ca93337092fdc39f131782216ed5e3dae6",
    )


def hashed(content: dict[str, Any], **how: Any) -> str:
    """The slow and plain way to a digest, as a witness beside the one that is used."""
    text = json.dumps(content, sort_keys=True, default=plain, **how)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value.isoformat()


def content_of(document: LedgerDocument) -> dict[str, Any]:
    content = asdict(document)
    del content["reverses"], content["source_hash"]
    for line in content["lines"]:
        del line["tax"], line["family"]
    return content


@given(documents())
def test_a_document_hashes_as_its_whole_content_does(document: LedgerDocument) -> None:
    assert document.content_hash == hashed(content_of(document), separators=(",", ":"))
    settlement = asdict(a_settlement(document))
    for name in ("drawn_on", "receipt", "undoes", "on_account"):
        del settlement[name]
    assert a_settlement(document).content_hash == hashed(settlement, separators=(",", ":"))


def test_a_digest_is_kept_by_its_value_and_goes_with_no_other() -> None:
    document = replace(PLAIN)
    first = document.content_hash
    assert document.content_hash is first
    assert replace(document, number="NC-2").content_hash != first
    assert replace(document).content_hash == first
    for copied in (copy.copy(document), copy.deepcopy(document)):
        assert (copied, copied.content_hash) == (document, first)
    # It is no field: frames and comparisons know nothing of it.
    assert asdict(document) == asdict(PLAIN)
    assert repr(document) == repr(replace(PLAIN))


def test_what_has_no_one_text_has_no_digest() -> None:
    with pytest.raises(TypeError):
        _ = replace(PLAIN, lines=({"a", "set"},)).content_hash  # type: ignore[arg-type]


LINES = st.builds(
    LineFacts,
    key=st.text(),
    description=st.text(),
    quantity=st.decimals(allow_nan=False, allow_infinity=False),
    net=st.integers(),
    gross=st.integers(),
    unit_amount=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    taxes=st.lists(
        st.builds(
            TaxFacts,
            type=st.text(),
            percentage=st.decimals(allow_nan=False, allow_infinity=False),
            amount=st.integers(),
        ),
        max_size=2,
    ).map(tuple),
    service_start=st.none() | st.dates(),
)


@given(st.lists(LINES, max_size=3), st.none() | st.text(), st.none() | st.dates())
def test_what_was_billed_hashes_as_its_whole_content_does(
    lines: list[LineFacts], customer: str | None, day: date | None
) -> None:
    facts = replace(FACTS, lines=tuple(lines), customer=customer, date=day)
    billed = "ref kind number currency date net tax total discount shipping customer lines taxes"
    fields = asdict(facts)
    content = {name: fields[name] for name in (*billed.split(), "credits")}
    assert facts.source_hash == hashed(content)
