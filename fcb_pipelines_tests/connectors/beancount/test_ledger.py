"""What the Beancount books promise beyond the port: the file, the person who edits it, the crash."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fcb_pipelines.connectors.beancount import books as beancount_books
from fcb_pipelines.connectors.beancount.books import BooksFolder
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.beancount.loading import Loaded, Signature
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.failures import (
    ContractBreach,
    NotAllowed,
    NotPrepared,
    PermanentFailure,
    TransientFailure,
)
from fcb_pipelines.core.company.settings import Account, Family
from fcb_pipelines.core.ledger.entries import DocumentTax, LedgerDocument
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)

JOURNAL = "journal/2026-04.beancount"


class Crash(BaseException):
    """The machine stops: nothing catches this."""


@pytest.fixture
def ledger(tmp_path: Path) -> BeancountLedger:
    """Prepared books with the usual partner."""
    found = BeancountLedger(tmp_path / "books", SETTINGS)
    found.setup()
    found.upsert_partners([a_partner()])
    return found


def written(ledger: BeancountLedger, *documents: LedgerDocument) -> None:
    """Write and post these documents."""
    ledger.write_drafts(documents)
    ledger.post([document.ref for document in documents])


def file(ledger: BeancountLedger, name: str = JOURNAL) -> Path:
    """One file of the books."""
    return ledger.main_file.parent / name


def edit(ledger: BeancountLedger, old: str, new: str, name: str = JOURNAL) -> None:
    """Change the text as a person would, in place."""
    text = file(ledger, name).read_text()
    assert old in text
    file(ledger, name).write_text(text.replace(old, new))


def everything(ledger: BeancountLedger) -> dict[str, str]:
    """Every file of the books."""
    folder = ledger.main_file.parent
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", ".index")
    }


def balances(ledger: BeancountLedger) -> dict[tuple[str, str], int]:
    """The trial balance by account and currency."""
    return {(row.account, row.currency): row.balance for row in ledger.trial_balance()}


# --- setup ------------------------------------------------------------------------------------


def test_books_that_are_not_there_are_described_and_not_made(tmp_path: Path) -> None:
    ledger = BeancountLedger(tmp_path / "books", SETTINGS)
    description = ledger.describe()
    assert [part.remedy for part in description.missing] == ["fcb ledger setup"]
    assert {step.outcome for step in ledger.setup(dry_run=True)} == {"would make"}
    with pytest.raises(NotPrepared, match="fcb ledger setup"):
        ledger.read_moves()
    with pytest.raises(NotPrepared, match="fcb ledger setup"):
        ledger.write_drafts([an_invoice()])
    assert not (tmp_path / "books").exists()


def test_two_sets_of_books_never_share_an_identity(tmp_path: Path) -> None:
    ledgers = [BeancountLedger(tmp_path / name, SETTINGS) for name in ("a", "b")]
    for ledger in ledgers:
        ledger.setup()
    assert ledgers[0].describe().identity != ledgers[1].describe().identity


def test_a_new_family_is_missing_until_setup_opens_its_account(ledger: BeancountLedger) -> None:
    family = Family(key="domains", account=Account(code="411400", name="Domains"), keywords=())
    settings = SETTINGS.model_copy(update={"families": (*SETTINGS.families, family)})
    wider = BeancountLedger(ledger.main_file.parent, settings)
    assert [part.name for part in wider.describe().missing] == ["Income:411400-Domains"]
    made = [step.name for step in wider.setup() if step.outcome == "made"]
    assert made == ["Income:411400-Domains"]
    assert wider.describe().missing == ()
    written(wider, an_invoice("in_1", a_line(account="411400", family="domains")))


def test_an_account_that_a_person_renamed_keeps_its_code(ledger: BeancountLedger) -> None:
    written(ledger, an_invoice("in_1"))
    for name in (JOURNAL, "accounts.beancount"):
        edit(ledger, "Income:411310-NexaCloud-Hosting-Revenue", "Income:Hosting", name)
    assert {step.outcome for step in ledger.setup()} == {"found"}
    written(ledger, an_invoice("in_2"))
    assert balances(ledger) == expected_balances([an_invoice("in_1"), an_invoice("in_2")])
    assert ledger.read_moves()[0].document.content_hash == an_invoice("in_1").content_hash


def test_the_files_are_for_their_owner_only(ledger: BeancountLedger) -> None:
    ledger.write_drafts([an_invoice()])
    folder = ledger.main_file.parent
    assert folder.stat().st_mode & 0o077 == 0
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_each_month_has_a_file_of_its_own(ledger: BeancountLedger) -> None:
    may = date(2026, 5, 9)
    written(ledger, an_invoice("in_1"), an_invoice("in_2", day=may))
    ledger.settle([a_settlement(an_invoice("in_1"), day=may)])
    assert file(ledger).read_text().count("external_id") == 1
    assert file(ledger, "journal/2026-05.beancount").read_text().count("external_id") == 2


def test_a_folder_named_from_the_working_folder_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = BeancountLedger(Path("made/../made/books"), SETTINGS)
    ledger.setup()
    ledger.upsert_partners([a_partner()])
    written(ledger, an_invoice())
    assert balances(ledger) == expected_balances([an_invoice()])


def test_beancount_is_imported_only_when_books_are_opened() -> None:
    code = (
        "import sys, fcb_pipelines.connectors.beancount.ledger; "
        "sys.exit('beancount' in sys.modules or 'beancount.core' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_beancount_the_extra_is_named(
    ledger: BeancountLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = BeancountLedger(ledger.main_file.parent, SETTINGS)
    monkeypatch.setitem(sys.modules, "beancount", None)
    with pytest.raises(NotPrepared, match=r"fcb_pipelines\[books\]"):
        again.read_moves()


# --- what is refused --------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[BeancountLedger], object], type[PermanentFailure], str]] = {
    "an account that is not there": (
        lambda ledger: ledger.write_drafts([an_invoice("in_9", a_line(account="499999"))]),
        NotPrepared,
        "499999",
    ),
    "a partner that is not there": (
        lambda ledger: ledger.write_drafts([an_invoice("in_9", partner="nexacloud:users:x")]),
        NotPrepared,
        "nexacloud:users:x",
    ),
    "a currency that is not declared": (
        lambda ledger: ledger.write_drafts([an_invoice("in_9", currency="CHF")]),
        NotPrepared,
        "CHF",
    ),
    "a tax that is not configured": (
        lambda ledger: ledger.write_drafts(
            [an_invoice("in_9", a_line(), taxes=[DocumentTax(key="vat", base=1, amount=1)])]
        ),
        NotPrepared,
        "tax vat",
    ),
    "a zero rated tax with an amount": (
        lambda ledger: ledger.write_drafts(
            [an_invoice("in_9", a_line(), taxes=[DocumentTax(key="gst_0", base=1, amount=1)])]
        ),
        NotPrepared,
        "tax gst_0",
    ),
    "one document twice in a batch": (
        lambda ledger: ledger.write_drafts([an_invoice("in_9"), an_invoice("in_9")]),
        ContractBreach,
        "twice",
    ),
    "settling what is not there": (
        lambda ledger: ledger.settle([a_settlement(an_invoice("in_9"))]),
        NotPrepared,
        "not in the ledger",
    ),
    "settling a draft": (
        lambda ledger: ledger.settle([a_settlement(an_invoice("in_2"))]),
        NotPrepared,
        "draft",
    ),
    "settling in another currency": (
        lambda ledger: ledger.settle([replace(a_settlement(an_invoice("in_1")), currency="USD")]),
        ContractBreach,
        "USD",
    ),
}


@pytest.mark.parametrize(("call", "failure", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_batch_leaves_the_books_as_they_were(
    ledger: BeancountLedger,
    call: Callable[[BeancountLedger], object],
    failure: type[PermanentFailure],
    said: str,
) -> None:
    written(ledger, an_invoice("in_1"))
    ledger.write_drafts([an_invoice("in_2")])
    before = everything(ledger)
    with pytest.raises(failure, match=said):
        call(ledger)
    assert everything(ledger) == before


def test_each_kind_of_lock_holds_for_its_kind(ledger: BeancountLedger) -> None:
    written(ledger, an_invoice("in_1"))
    ledger.write_drafts([an_invoice("in_2")])
    with ledger.main_file.open("a") as main:
        main.write('2026-04-30 custom "lock_date" "invoices"\n')
        main.write('2026-02-28 custom "lock_date" "all"\n')
    description = ledger.describe()
    assert description.invoice_lock == date(2026, 4, 30)
    assert description.entry_lock == date(2026, 2, 28)
    with pytest.raises(NotAllowed, match="2026-04-30"):
        ledger.post([an_invoice("in_2").ref])
    with pytest.raises(NotAllowed, match="2026-04-30"):
        ledger.write_drafts([an_invoice("in_3")])
    ledger.settle([a_settlement(an_invoice("in_1"))])
    with pytest.raises(NotAllowed, match="2026-02-28"):
        ledger.settle([a_settlement(an_invoice("in_1"), name="early", day=date(2026, 2, 28))])


def test_a_lock_of_an_unknown_kind_is_an_error_of_the_books(ledger: BeancountLedger) -> None:
    with ledger.main_file.open("a") as main:
        main.write('2026-04-30 custom "lock_date" "invoice"\n')
    with pytest.raises(ContractBreach, match="a lock_date is of one kind"):
        ledger.describe()


def test_an_external_id_written_a_second_time_by_hand_is_an_error_of_the_books(
    ledger: BeancountLedger,
) -> None:
    ledger.write_drafts([an_invoice()])
    text = file(ledger).read_text()
    file(ledger, "journal/copy.beancount").write_text(text)
    with pytest.raises(ContractBreach, match=r"04\.beancount:1 .*is used twice, first at journal/"):
        ledger.read_moves()


def test_an_entry_that_does_not_balance_is_named_with_file_and_line(
    ledger: BeancountLedger,
) -> None:
    ledger.write_drafts([an_invoice()])
    edit(ledger, "-26.00 CAD", "-25.99 CAD")
    with pytest.raises(ContractBreach, match=r"journal/2026-04\.beancount:1 .*does not balance"):
        ledger.read_moves()
    with pytest.raises(ContractBreach, match="does not balance"):
        ledger.write_drafts([an_invoice("in_2")])


# --- what a person does -----------------------------------------------------------------------

EDITS: dict[str, tuple[list[tuple[str, str]], Callable[[LedgerDocument], LedgerDocument]]] = {
    "an amount": (
        [("226.00 CAD", "227.00 CAD"), ("-200.00 CAD", "-201.00 CAD")],
        lambda was: replace(was, lines=(replace(was.lines[0], net=20100),)),
    ),
    "a date": (
        [("2026-04-03 ", "2026-04-04 ")],
        lambda was: replace(was, date=date(2026, 4, 4)),
    ),
    "an account": (
        [("Income:411310-NexaCloud-Hosting", "Income:411900-NexaCloud-Other")],
        lambda was: replace(was, lines=(replace(was.lines[0], account="411900"),)),
    ),
    "a number": ([('number: "NC-in_1"', 'number: "X"')], lambda was: replace(was, number="X")),
    "a description": (
        [('description: "Odoo ERP', 'description: "ERP')],
        lambda was: replace(
            was, lines=(replace(was.lines[0], description="ERP Hosting - Standard"),)
        ),
    ),
    "the tax of a line": (
        [('taxes: "hst_13"', 'taxes: "gst_5"')],
        lambda was: replace(was, lines=(replace(was.lines[0], taxes=("gst_5",)),)),
    ),
    "the tax's base": (
        [("base: 200.00", "base: 100.00")],
        lambda was: replace(was, taxes=(replace(was.taxes[0], base=10000),)),
    ),
    "the kind of document": (
        [
            ('kind: "invoice"', 'kind: "credit_note"'),
            ("226.00 CAD", "-226.00 CAD"),
            ("-200.00 CAD", "200.00 CAD"),
            ("-26.00 CAD", "26.00 CAD"),
        ],
        lambda was: replace(was, kind=was.kind.__class__.CREDIT_NOTE),
    ),
}


@pytest.mark.parametrize(("edits", "told"), EDITS.values(), ids=EDITS.keys())
def test_what_a_person_changed_is_what_is_read_back(
    ledger: BeancountLedger,
    edits: list[tuple[str, str]],
    told: Callable[[LedgerDocument], LedgerDocument],
) -> None:
    document = an_invoice()
    ledger.write_drafts([document])
    for old, new in edits:
        edit(ledger, old, new)
    (move,) = ledger.read_moves()
    assert move.document.content_hash == told(document).content_hash
    assert move.document.content_hash != document.content_hash
    assert move.stored_hash == document.content_hash
    before = file(ledger).read_text()
    ledger.write_drafts([document])
    assert file(ledger).read_text() == before


def test_a_posting_that_a_person_added_is_read_back_as_a_line(ledger: BeancountLedger) -> None:
    written(ledger, an_invoice())
    edit(
        ledger,
        "  Assets:112110-Trade-Accounts-Receivable  226.00 CAD\n",
        "  Assets:Cash  226.00 CAD\n",
    )
    with file(ledger, "accounts.beancount").open("a") as accounts:
        accounts.write("1970-01-01 open Assets:Cash\n")
    (move,) = ledger.read_moves()
    assert [(line.account, line.net) for line in move.document.lines] == [
        ("Assets:Cash", -22600),
        ("411310", 20000),
    ]


def test_an_entry_that_a_person_deleted_is_absent(ledger: BeancountLedger) -> None:
    written(ledger, an_invoice())
    file(ledger).write_text("; gone\n")
    assert ledger.read_moves() == ()
    assert balances(ledger) == {}


def test_an_entry_that_a_person_set_aside_counts_for_nothing(ledger: BeancountLedger) -> None:
    document = an_invoice()
    written(ledger, document)
    edit(ledger, "2026-04-03 *", "2026-04-03 #")
    (move,) = ledger.read_moves()
    assert move.state is MoveState.CANCELLED
    assert balances(ledger) == {}
    ledger.post([document.ref])
    ledger.write_drafts([document], replace=[document.ref])
    assert ledger.read_moves()[0].state is MoveState.CANCELLED


def test_a_partner_that_a_person_took_away_is_told(ledger: BeancountLedger) -> None:
    written(ledger, an_invoice())
    file(ledger, "partners.beancount").write_text("; none\n")
    (move,) = ledger.read_moves()
    assert move.partner_links == ()
    assert move.document.partner == ""


def test_a_payment_that_a_person_unlinked_is_told_and_not_linked_again(
    ledger: BeancountLedger,
) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document)
    ledger.settle([payment])
    edit(ledger, f'    settles: "{document.ref}"\n', "")
    before = file(ledger).read_text()
    (ledger_state,) = ledger.settle([payment])
    assert ledger_state.reconciled == 0
    assert ledger_state.settlement.content_hash == payment.content_hash
    assert ledger.read_moves()[0].residual == document.total
    assert file(ledger).read_text() == before


def test_a_payment_that_a_person_wrote_counts_for_its_document_and_is_not_ours(
    ledger: BeancountLedger,
) -> None:
    document = an_invoice()
    written(ledger, document)
    with file(ledger, "journal/by-hand.beancount").open("w") as journal:
        journal.write(
            '2026-04-20 * "Maple Bakery Inc." "cheque"\n'
            "  Assets:111322-NexaCloud-Off-Stripe-Outstanding-Receipts  226.00 CAD\n"
            "  Assets:112110-Trade-Accounts-Receivable\n"
            f'    settles: "{document.ref}"\n'
        )
    (move,) = ledger.read_moves()
    assert (move.residual, move.payment_state) == (0, PaymentState.PAID)
    assert ledger.read_settlements() == ()
    assert balances(ledger) == expected_balances([document])
    # Ours comes after it, finds nothing open, and says who was there before.
    (ours,) = ledger.settle([a_settlement(document, day=date(2026, 4, 22))])
    assert (ours.reconciled, ours.instead) == (0, ("journal/by-hand.beancount:1",))


def test_what_is_paid_beyond_the_total_stays_a_credit(ledger: BeancountLedger) -> None:
    document = an_invoice()
    written(ledger, document)
    parts = [
        a_settlement(document, 20000, name="a"),
        a_settlement(document, 20000, name="b", day=date(2026, 4, 9)),
    ]
    settled = ledger.settle(parts)
    assert [(each.reconciled, each.instead) for each in settled] == [(20000, ()), (2600, ())]
    assert ledger.read_moves()[0].residual == 0
    assert balances(ledger) == expected_balances([document], parts)


def test_comments_and_entries_of_a_person_outlive_every_call(ledger: BeancountLedger) -> None:
    ledger.write_drafts([an_invoice("in_1"), an_invoice("in_2")])
    edit(ledger, '2026-04-03 ! "Maple', '; looks right - AB\n2026-04-03 ! "Maple')
    ledger.write_drafts([an_invoice("in_2", a_line(100))], replace=[an_invoice("in_2").ref])
    ledger.post([an_invoice("in_1").ref, an_invoice("in_2").ref])
    assert file(ledger).read_text().count("; looks right - AB") == 2
    assert {move.state for move in ledger.read_moves()} == {MoveState.POSTED}


def test_partners_that_a_person_makes_one_by_their_links_are_one_and_not_told_again(
    ledger: BeancountLedger,
) -> None:
    both = [
        a_partner("nexacloud:a", email="k@x.example"),
        a_partner("nexacloud:b", email="k@x.example"),
    ]
    apart = ledger.upsert_partners(both)
    assert all(one.shared_emails for one in apart)
    document = an_invoice(partner="nexacloud:b")
    ledger.write_drafts([document])
    kept, merged = (one.partner_id for one in apart)
    edit(ledger, f'"{merged}" "nexacloud:b"', f'"{kept}" "nexacloud:b"', "partners.beancount")
    edit(ledger, f'"partner" "{merged}"', f'"merged" "{merged}"', "partners.beancount")
    one, same = ledger.upsert_partners(both)
    assert one == same
    assert (one.partner_id, one.shared_emails) == (kept, ())
    (move,) = ledger.read_moves([document.ref])
    assert move.partner_links == one.links


def test_a_company_that_a_person_wrote_on_a_partner_is_compared(ledger: BeancountLedger) -> None:
    (hers,) = ledger.upsert_partners([a_partner("lago:n:1", email="k@x.example")])
    edit(
        ledger,
        'email: "k@x.example"',
        'email: "k@x.example"\n  company: "Other Ltd."',
        "partners.beancount",
    )
    (own,) = ledger.upsert_partners([a_partner("nexacloud:a", email="k@x.example", company="Acme")])
    assert own.partner_id != hers.partner_id


def test_a_partner_field_that_a_person_changed_is_kept_and_one_left_blank_is_filled(
    ledger: BeancountLedger,
) -> None:
    partners = "partners.beancount"
    edit(ledger, 'name: "Maple Bakery Inc."', 'name: "Boulangerie Érable"', partners)
    edit(ledger, 'city: "Toronto"', 'city: ""', partners)
    (found,) = ledger.upsert_partners([a_partner(vat="123456789RT0001")])
    assert found.name == "Boulangerie Érable"
    text = file(ledger, partners).read_text()
    assert 'city: "Toronto"' in text
    assert 'vat: "123456789RT0001"' in text
    before = everything(ledger)
    ledger.upsert_partners([a_partner(vat="123456789RT0001")])
    assert everything(ledger) == before


def saved_during(ledger: BeancountLedger, times: int) -> Callable[..., object]:
    """A check during whose first `times` calls a person saves the journal."""
    check, saves = BooksFolder._checked, iter(range(times))

    def check_while_a_person_saves(
        books: BooksFolder[Records],
        signatures: Mapping[str, Signature],
        files: frozenset[str] | None,
        staged: Collection[str] = (),
    ) -> Loaded | None:
        if staged and next(saves, None) is not None:
            with file(ledger).open("a") as journal:
                journal.write("; a person was here\n")
        return check(books, signatures, files, staged)

    return check_while_a_person_saves


def test_a_save_by_a_person_while_we_check_is_kept(
    ledger: BeancountLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.write_drafts([an_invoice("in_1")])
    with monkeypatch.context() as patched:
        patched.setattr(BooksFolder, "_checked", saved_during(ledger, times=1))
        ledger.write_drafts([an_invoice("in_2")])
    assert file(ledger).read_text().count("; a person was here\n") == 1
    assert len(ledger.read_moves()) == 2


def test_a_person_who_saves_all_the_while_is_never_overwritten(
    ledger: BeancountLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.write_drafts([an_invoice("in_1")])
    with monkeypatch.context() as patched:
        patched.setattr(BooksFolder, "_checked", saved_during(ledger, times=99))
        with pytest.raises(TransientFailure, match="somebody else saves"):
            ledger.write_drafts([an_invoice("in_2")])
    assert file(ledger).read_text().count("; a person was here\n") == beancount_books.WRITES
    assert len(ledger.read_moves()) == 1


# --- what a crash does ------------------------------------------------------------------------


def test_a_crash_before_the_rename_leaves_the_old_books_whole(
    ledger: BeancountLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.write_drafts([an_invoice("in_1")])
    before = everything(ledger)

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", crash)
        with pytest.raises(Crash):
            ledger.write_drafts([an_invoice("in_2")])
    assert everything(ledger) == before
    ledger.write_drafts([an_invoice("in_2")])
    assert len(ledger.read_moves()) == 2


DIES = """
import os, sys
from pathlib import Path
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines_tests.documents import SETTINGS, an_invoice
os.replace = lambda *_: os._exit(9)
BeancountLedger(Path(sys.argv[1]), SETTINGS).write_drafts([an_invoice("in_2")])
"""


def test_a_killed_process_leaves_neither_a_lock_nor_half_an_entry(
    ledger: BeancountLedger,
) -> None:
    ledger.write_drafts([an_invoice("in_1")])
    folder = str(ledger.main_file.parent)
    killed = subprocess.run([sys.executable, "-c", DIES, folder], check=False)
    assert killed.returncode == 9
    assert [move.ref for move in ledger.read_moves()] == [an_invoice("in_1").ref]
    ledger.write_drafts([an_invoice("in_2")])
    assert len(ledger.read_moves()) == 2
    assert not (ledger.main_file.parent / ".staging").exists()


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_crash_between_two_files_is_completed_by_the_same_call(
    ledger: BeancountLedger, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    ledger.write_drafts([an_invoice("in_1"), an_invoice("in_2")])
    moved = an_invoice("in_1", day=date(2026, 5, 2))
    batch = [moved, an_invoice("in_3", day=date(2026, 6, 1))]
    replaced, done = os.replace, iter(range(renames))

    def crash_later(*paths: Path) -> None:
        if next(done, None) is None:
            raise Crash
        replaced(*paths)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", crash_later)
        with pytest.raises(Crash):
            ledger.write_drafts(batch, replace=[moved.ref])
    ledger.read_moves()
    ledger.write_drafts(batch, replace=[moved.ref])
    found = {move.ref: move.document.content_hash for move in ledger.read_moves()}
    assert found == {each.ref: each.content_hash for each in (*batch, an_invoice("in_2"))}


WRITES = """
import sys
from pathlib import Path
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines_tests.documents import SETTINGS, a_settlement, an_invoice
ledger = BeancountLedger(Path(sys.argv[1]), SETTINGS)
for index in range(8):
    mine, shared = an_invoice(f"in_{sys.argv[2]}{index}"), an_invoice(f"in_shared{index}")
    ledger.write_drafts([mine, shared])
    ledger.post([mine.ref, shared.ref])
    ledger.settle([a_settlement(mine), a_settlement(shared)])
"""


def test_two_processes_writing_at_once_lose_and_double_nothing(ledger: BeancountLedger) -> None:
    folder = str(ledger.main_file.parent)
    both = [subprocess.Popen([sys.executable, "-c", WRITES, folder, name]) for name in "ab"]
    assert [each.wait(timeout=120) for each in both] == [0, 0]
    names = [f"{who}{index}" for who in ("a", "b", "shared") for index in range(8)]
    documents = [an_invoice(f"in_{name}") for name in names]
    assert {move.ref for move in ledger.read_moves()} == {each.ref for each in documents}
    assert balances(ledger) == expected_balances(documents, map(a_settlement, documents))
