"""What the embedded books print: the command mends it, or shows in Fava what a person then corrects."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from fcb_pipelines.cli import books as books_verb
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.beancount import lock
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.connectors.ledger import Ledger, Writer
from fcb_pipelines.core.cash.entries import entries_of, place
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.defs.ledger.correcting import planned
from fcb_pipelines.defs.runtime import connections
from fcb_pipelines_tests.cash_entries import CASH_SETTINGS
from fcb_pipelines_tests.core.cash.values import a_scope, plain
from fcb_pipelines_tests.core.cash.values import settings as with_cash
from fcb_pipelines_tests.documents import SETTINGS, a_partner, a_settlement, an_invoice
from fcb_pipelines_tests.histories.sync import _Built
from fcb_pipelines_tests.remedies.little import DAY, Little
from fcb_pipelines_tests.remedies.printed import fcb, printed

INVOICE, RECEIPT = an_invoice("in_1"), "stripe:acct_nexacloud:pi_1"
MONTH = Path("journal/2026-04.beancount")


def share(amount: int, name: str) -> Settlement:
    """A part of one receipt of 300.00."""
    return a_settlement(INVOICE, amount, name=name, drawn_on=RECEIPT, receipt=30000)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An operator's environment with embedded books that were never set up."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("HOME", tmp_path), ("DATASET", "books"), ("LEDGER", "beancount")):
        monkeypatch.setenv(f"FCB_{name}", str(value))
    monkeypatch.setenv("FCB_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("FCB_CONFIG", raising=False)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    current.cache_clear()
    yield tmp_path
    current.cache_clear()


@pytest.fixture
def folder(home: Path) -> Path:
    """The folder of books with a posted invoice."""
    found = home / "books" / "books"
    ledger = BeancountLedger(found, SETTINGS)
    ledger.setup()
    ledger.upsert_partners([a_partner()])
    ledger.write_drafts([INVOICE])
    ledger.post([INVOICE.ref])
    return found


def opened(folder: Path) -> BeancountLedger:
    """The books as another process opens them."""
    return BeancountLedger(folder, SETTINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A person's edit of the entry of this ref, and the call that meets it."""

    what: str
    ref: str
    old: str
    new: str
    call: Callable[[Ledger], object]


BROKEN = [
    Broken(
        what="an entry does not balance", ref=INVOICE.ref, old=" CAD", new="1 CAD", call=lambda ledger: ledger.list_moves()
    ),
    Broken(
        what="an amount is no whole cent", ref=RECEIPT, old="300.00 CAD", new="300.001 CAD", call=lambda ledger: ledger.read_settlements()
    ),
    Broken(
        what="a receipt is set aside", ref=RECEIPT, old="2026-04-03 *", new="2026-04-03 #", call=lambda ledger: ledger.settle([share(2000, "two")])
    ),
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.what)
def test_fava_shows_the_file_in_which_a_person_corrects_it(
    broken: Broken, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(folder).settle([share(1000, "one")])
    file = folder / MONTH
    before = file.read_text("utf-8")
    entries = before.split("\n\n")
    (number,) = (n for n, one in enumerate(entries) if f'external_id: "{broken.ref}"' in one)
    entries[number] = entries[number].replace(broken.old, broken.new)
    broken_text = "\n\n".join(entries)
    file.write_text(broken_text, "utf-8")
    with pytest.raises(Failure) as told:
        broken.call(opened(folder))

    def correct(started: list[books_verb.processes.Process]) -> None:
        """A person's work in the page: Fava has the file, and saves it."""
        (fava,) = started
        with httpx.Client(trust_env=False, follow_redirects=True) as person:
            start = str(person.get(fava.url).url).rsplit("/income_statement", 1)[0]
            source = person.get(f"{start}/api/source", params={"filename": str(file)}).json()[
                "data"
            ]
            assert source["source"] == broken_text
            saved = person.put(
                f"{start}/api/source",
                json={"file_path": str(file), "source": before, "sha256sum": source["sha256sum"]},
            )
            assert saved.status_code == 200, saved.text

    monkeypatch.setattr(books_verb, "watch", correct)
    fcb(printed(told.value, "fcb books"))
    broken.call(opened(folder))


def test_where_there_are_no_books_setup_is_told_and_makes_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books_verb, "watch", lambda started: None)
    told = fcb("fcb books", code=None)
    ledger = connections.ledger(environment.read(), current())
    with pytest.raises(Failure) as refused:
        ledger.list_moves()
    command = printed(told, "fcb ledger setup")
    assert printed(refused.value, "fcb ledger setup") == command
    fcb(command)
    assert ledger.list_moves() == ()
    assert "http://127.0.0.1" in fcb("fcb books")


def test_setup_says_for_whom_it_waits_and_is_refused_by_that_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    holder = lock.BooksLock(folder)
    holder.writer = Writer(name="fcb run 1234abcd on there")
    with holder.held():
        told = " ".join(fcb("fcb ledger setup", code=Exit.CONNECTION).split())
    assert "waiting for the lock of the books: fcb run 1234abcd on there, process" in told
    assert told.count("fcb run 1234abcd on there") == 2
    fcb("fcb ledger setup")


def test_an_account_that_a_person_took_out_comes_back_by_setup(little: Little) -> None:
    little.ledger.upsert_partners([a_partner()])
    little.take_account("411310")
    with pytest.raises(Failure) as told:
        little.ledger.write_drafts([INVOICE])
    little.command(printed(told.value, "fcb ledger setup"))
    assert little.ledger.write_drafts([INVOICE])


def test_a_document_that_is_not_posted_yet_names_the_verb_that_writes_or_posts_it(
    little: Little,
) -> None:
    one = little.sell()
    little.run(post=False)
    payment = a_settlement(INVOICE, 11300)
    with pytest.raises(Failure) as draft:
        little.ledger.settle([replace(payment, document=little.ref(one))])
    little.command(printed(draft.value, "fcb post"))
    assert little.gate("residuals_match_source").outcome == "pass"
    two = little.sell(day=date(2026, 5, 9))
    with pytest.raises(Failure) as absent:
        little.ledger.settle([replace(payment, document=little.ref(two))])
    little.command(printed(absent.value, "fcb sync"))
    assert little.gate("residuals_match_source").outcome == "pass"


def test_a_correction_that_waits_for_a_note_names_what_posts_the_note(little: Little) -> None:
    one = little.sell(side="lago", paid=False)
    little.run()
    note = little.credit(one, off=1130)
    one.status, one.void = "void", DAY + timedelta(days=9)
    little.run(post=False)
    (refused,) = planned([little.ref(one)], _Built(little), little._reader())
    assert refused.correction is None
    for command in ("fcb sync", "fcb post"):
        little.command(printed(refused.why, command))
    assert {move.ref for move in little.ledger.read_moves()} > {little.ref(note)}
    (made,) = planned([little.ref(one)], _Built(little), little._reader())
    assert made.correction is not None


def test_a_balance_in_another_currency_gets_the_journal_and_its_money_is_booked(
    tmp_path: Path,
) -> None:
    payout = plain(1, CashKind.PAYOUT, -5000, currency="USD", available_on=date(2026, 4, 3))
    without, named = with_cash(), CASH_SETTINGS
    folder = tmp_path / "books"
    BeancountLedger(folder, without).setup()
    (placed,) = place([payout], a_scope(), without)
    assert placed.reason is CashReason.NO_JOURNAL
    remedy = placed.reason.remedy
    # A person names the journal in cash.balances.
    ledger = BeancountLedger(folder, named)
    assert {part.name for part in ledger.describe().missing if part.cash}
    for command in ("fcb ledger setup", "fcb sync"):
        assert printed(remedy, command)
    ledger.setup()
    assert ledger.describe().missing == ()
    # What a sync does then.
    (entry,) = entries_of(place([payout], a_scope(), named))
    (booked,) = ledger.write_cash([entry])
    assert booked.entry == entry
