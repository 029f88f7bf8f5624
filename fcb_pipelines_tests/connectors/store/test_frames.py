"""Frames keep every row type as it is, whole, and for the owner's eyes only."""

import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from pydantic import ValidationError

from fcb_pipelines.connectors.store.frames import (
    FrameStore,
    read_frame,
    to_frame,
    to_rows,
    write_frame,
)
from fcb_pipelines.core.agreement.compare import AgreementRow, copy_against_source
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.queue import QueuedException
from fcb_pipelines.core.close.tie_outs import TieOut, tie_outs
from fcb_pipelines.core.codes import ExceptionCode, Reason
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.documents.rows import DocumentRow
from fcb_pipelines.core.documents.rows import to_rows as document_rows
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin, Scope, absent_row
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts, SettlementFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, User
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, LedgerState
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail
from fcb_pipelines.core.proof.completeness import CompletenessRow
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.deltas import ledger_deltas
from fcb_pipelines.core.proof.receivable import ReceivableRow
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    CUSTOMER,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_line,
    a_move,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)
from fcb_pipelines_tests.strategies import documents

CASE = a_case()
FACTS = an_invoice(
    "in_1",
    a_line(unit_amount=Decimal("0.0045"), service_start=date(2026, 4, 1), proration=True),
    a_line(1000, taxed=False, quantity=Decimal("1.1250")),
    metadata=(("nexacloud_user_id", "ü"),),
    bill_to=BillTo(name='Élodie "B"\n', email=None),
)
ROW = decide(CASE, SETTINGS, BOOKS, LAST_PERIOD)
HELD = decide(a_case(an_invoice(date=None), claimant=None), SETTINGS, BOOKS, LAST_PERIOD)
INDEXED = absent_row(
    "stripe:a:in_1",
    "in_1",
    Lookup.UNREACHABLE,
    "503",
    scope=Scope(customers=frozenset(), claimed=frozenset(), metadata_key=""),
    first_period="2026-01",
    last_period="2026-05",
)
MOVE = a_move()
ENTRY = an_entry(settlements_of(CASE)[0])
USER_ROW = User(**dict.fromkeys(User.__dataclass_fields__, None) | {"id": "u"})  # type: ignore[arg-type]

ROWS: dict[type, tuple[Any, ...]] = {
    InvoiceFacts: (
        FACTS,
        an_invoice(date=None, customer=None, lines=(), problem=Reason.UNREADABLE),
    ),
    SettlementFacts: (FACTS.settlements[0], replace(FACTS.settlements[0], payment_id=None)),
    IndexRow: (
        INDEXED,
        replace(
            INDEXED,
            origin=Origin.CREDIT_NOTE,
            status=FACTS.status,
            date=FACTS.date,
            total=-(2**53) - 1,
        ),
    ),
    NexaCloudInvoice: (
        a_copy(),
        replace(a_copy(), created_at=datetime(2026, 5, 16, 12, 0, 0, 123456, UTC)),
    ),
    User: (USER_ROW, replace(USER_ROW, email="a@b.test", company="")),
    AgreementRow: copy_against_source(FACTS, a_copy(number="x").facts, customer=CUSTOMER),
    Disposition: (
        ROW,
        HELD,
        replace(ROW, exceptions=(ExceptionCode.OVERPAID, ExceptionCode.UNITEMISED)),
    ),
    DocumentRow: document_rows([document_of(a_case(FACTS))]),
    LedgerState: (
        stands(MOVE, seen="posted"),
        stands(settlement=ENTRY),
        stands(),
        stands(seen="released"),
    ),
    LedgerMove: (MOVE, replace(MOVE, stored_hash=None, partner_links=())),
    LedgerSettlement: (ENTRY,),
    LinkedPartner: (
        LinkedPartner(
            partner_id="1", links=("a", "b"), name="A", email=None, stripe_customer_id=None
        ),
        LinkedPartner(
            partner_id="2",
            links=(),
            name="B",
            email=None,
            stripe_customer_id=None,
            shared_emails=(SharedEmail(email="a@b.test", bearers=("x", "y"), partner_id="7"),),
        ),
    ),
    LedgerDelta: ledger_deltas([document_of(CASE)], settlements_of(CASE), {}),
    CompletenessRow: (CompletenessRow(ref="a", period=None, answer="hold", reason="unreadable"),),
    ReceivableRow: (
        ReceivableRow(
            ref="a", partner="p", currency="CAD", source=1, ledger=-1, not_posted=2, why=None
        ),
    ),
    QueuedException: (
        QueuedException(
            ref="a",
            code="overpaid",
            number="",
            period=None,
            is_held=False,
            amount=-1,
            currency="CAD",
            meaning="m",
            owner="controller",
            remedy="r",
            first_seen=date(2026, 5, 2),
        ),
        QueuedException(
            ref="a",
            code="gone",
            number="A-1",
            period="2026-04",
            is_held=True,
            amount=2**53 + 1,
            currency="CAD",
            meaning="m",
            owner="nobody",
            remedy="r",
            first_seen=date(2026, 5, 2),
            cleared=date(2026, 6, 1),
        ),
    ),
    TieOut: tie_outs(MonthStatus(dispositions=[ROW], moves=MappingProxyType({"a": MOVE}))),
}


def round_trip(rows: Any, row_type: type, path: Path) -> Any:
    write_frame(to_frame(rows, row_type), path)
    return to_rows(read_frame(path), row_type)


def test_a_code_that_only_an_earlier_version_used_comes_back_as_it_was() -> None:
    former = replace(HELD, reason=Reason.of("gone"), exceptions=(ExceptionCode.of("gone_too"),))
    (row,) = to_rows(to_frame([former], Disposition), Disposition)
    assert (row.reason, row.exceptions) == ("gone", ("gone_too",))


@pytest.mark.parametrize("row_type", ROWS, ids=lambda one: one.__name__)
def test_every_row_type_comes_back_as_it_was(row_type: type, tmp_path: Path) -> None:
    rows = ROWS[row_type]
    assert rows
    assert round_trip(rows, row_type, tmp_path / "rows.parquet") == rows


def test_a_frame_from_before_a_field_was_added_has_its_default(tmp_path: Path) -> None:
    (row, *_) = ROWS[LinkedPartner]
    frame = to_frame([row], LinkedPartner).drop(columns="shared_emails")
    write_frame(frame, tmp_path / "rows.parquet")
    assert to_rows(read_frame(tmp_path / "rows.parquet"), LinkedPartner) == (row,)
    with pytest.raises(KeyError, match="name"):
        to_rows(frame.drop(columns="name"), LinkedPartner)


@pytest.mark.parametrize("row_type", ROWS, ids=lambda one: one.__name__)
def test_values_of_a_row_keep_their_types(row_type: type, tmp_path: Path) -> None:
    for before, after in zip(
        ROWS[row_type], round_trip(ROWS[row_type], row_type, tmp_path / "x.parquet"), strict=True
    ):
        for name in row_type.__dataclass_fields__:
            one, other = getattr(before, name), getattr(after, name)
            # A system is kept by its name, since a configured source is no member of System.
            kind = str if name == "side" else type(one)
            assert isinstance(other, kind), name


@pytest.mark.parametrize("row_type", ROWS, ids=lambda one: one.__name__)
def test_no_rows_are_a_frame_with_all_columns(row_type: type, tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    assert round_trip((), row_type, path) == ()
    assert list(read_frame(path).columns) == list(row_type.__dataclass_fields__)


@given(document=documents())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_document_comes_back_from_its_rows(document: LedgerDocument, tmp_path: Path) -> None:
    rows = document_rows([document])
    again = round_trip(rows, DocumentRow, tmp_path / "documents.parquet")
    assert again == rows


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(
    rows=st.lists(
        st.builds(
            SettlementFacts,
            ref=texts,
            document=texts,
            method=st.sampled_from(list(FACTS.settlements[0].method.__class__)),
            date=st.dates(),
            amount=st.integers(-(2**63), 2**63 - 1),
            currency=texts,
            payment_id=st.none() | texts,
        ),
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_settlements_come_back_as_they_were(
    rows: list[SettlementFacts], tmp_path: Path
) -> None:
    assert round_trip(rows, SettlementFacts, tmp_path / "s.parquet") == tuple(rows)


def test_facts_about_the_whole_frame_travel_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_frame(to_frame([ROW], Disposition, snapshot="s-1", orphans=["x"]), path)
    assert read_frame(path).attrs == {"snapshot": "s-1", "orphans": ["x"]}


def test_a_value_of_another_type_is_refused() -> None:
    frame = to_frame([ROW], Disposition)
    frame["verdict"] = "perhaps"
    with pytest.raises(ValidationError, match="verdict"):
        to_rows(frame, Disposition)


def test_a_frame_lies_under_its_asset_and_partition(tmp_path: Path) -> None:
    store = FrameStore(tmp_path)
    assert store.path(["ledger", "documents"], "2026-04") == (
        tmp_path / "ledger" / "documents" / "2026-04.parquet"
    )
    assert store.path(["stripe", "index"]) == tmp_path / "stripe" / "index.parquet"
    assert store.read(["ledger", "documents"], "2026-04") is None
    write_frame(to_frame([ROW], Disposition), store.path(["stripe", "index"]))
    frame = store.read(["stripe", "index"])
    assert frame is not None
    assert to_rows(frame, Disposition) == (ROW,)


def test_frames_are_the_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "frames" / "stripe" / "index.parquet"
    write_frame(to_frame([ROW], Disposition), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_a_write_that_dies_leaves_the_old_frame_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    write_frame(to_frame([ROW], Disposition), path)

    def die(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(parquet, "write_table", die)
    with pytest.raises(OSError, match="disk full"):
        write_frame(to_frame([HELD], Disposition), path)
    assert [one.name for one in tmp_path.iterdir()] == ["a.parquet"]
    assert to_rows(read_frame(path), Disposition) == (ROW,)


def test_a_column_of_several_kinds_comes_back_as_it_was(tmp_path: Path) -> None:
    noon = datetime(2026, 5, 16, 12, tzinfo=UTC)
    values = [Decimal("1.50"), "NaN", None, date(2026, 5, 16), noon, True, 7, 1.5]
    frame = pd.DataFrame(
        {"mixed": pd.Series(values, dtype=object), "plain": [str(value) for value in values]}
    )
    frame.attrs["snapshot"] = "s-1"
    write_frame(frame, tmp_path / "mixed.parquet")
    again = read_frame(tmp_path / "mixed.parquet")
    assert again["mixed"].tolist() == values
    assert [type(value) for value in again["mixed"]] == [type(value) for value in values]
    assert again["plain"].tolist() == frame["plain"].tolist()
    assert again.attrs == {"snapshot": "s-1"}


@pytest.mark.parametrize("value", ["Infinity", "1e500"])
def test_a_decimal_that_parquet_has_no_type_for_comes_back_as_it_was(
    value: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"amount": pd.Series([Decimal(value), Decimal(1)], dtype=object)})
    write_frame(frame, tmp_path / "amount.parquet")
    assert read_frame(tmp_path / "amount.parquet")["amount"].tolist() == [Decimal(value), 1]


def test_a_store_that_reads_once_reads_a_file_again_only_when_it_was_written_anew(
    tmp_path: Path,
) -> None:
    store, key = FrameStore(tmp_path, once=True), ("stripe", "index")
    write_frame(to_frame([CASE.facts], InvoiceFacts), store.path(key))
    first = store.read(key)
    assert first is not None
    assert store.read(key) is first
    rows = to_rows(first, InvoiceFacts)
    assert to_rows(first, InvoiceFacts) is rows, "its rows are read once"
    write_frame(to_frame([CASE.facts, CASE.facts], InvoiceFacts), store.path(key))
    again = store.read(key)
    assert again is not None
    assert len(to_rows(again, InvoiceFacts)) == 2
    assert len(rows) == 1
