"""Faults in the books after a clean close: what a person or a connector can do to an entry."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fcb_pipelines.sandbox.scenarios.builders.sales import stripe_id
from fcb_pipelines_tests.defs.journal import Edit, both, removed, replacing
from fcb_pipelines_tests.mutation.bench import Bench
from fcb_pipelines_tests.mutation.fault import BOOKS, Fault, Layer

READ, DATES, OPEN, TIED, LOST = (
    "read_back_equals_intent",
    "dates_as_intended",
    "residuals_match_source",
    "receivable_ties_out",
    "nothing_is_lost",
)
NOTE_OF_HELD = stripe_id("cn", "edge/B12-3-CN1")
_ID = re.compile(r'^  external_id: "(.*)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal as text, entry by entry; documents are named by their number."""

    folder: Path

    def edit(self, wanted: str, change: Edit) -> None:
        """Change the one entry with this line in it; a new text of none removes it."""
        for file in sorted(self.folder.glob("*.beancount")):
            entries = file.read_text("utf-8").split("\n\n")
            for place, entry in enumerate(entries):
                if wanted in entry:
                    entries[place] = change(entry)
                    assert entries[place] != entry, f"{wanted} is as it was:\n{entry}"
                    file.write_text("\n\n".join(entries), "utf-8")
                    return
        raise AssertionError(f"{wanted} is not in the journal")

    def document(self, number: str) -> str:
        """The line that names the document with this number."""
        return f'external_id: "{self.ref(number)}"\n  record: "document"'

    def settlement(self, number: str, method: str = "payment") -> str:
        """The line that names the first settlement of a document by this method."""
        wanted = (f'  document: "{self.ref(number)}"', f'  method: "{method}"')
        for entry in self._entries():
            found = _ID.search(entry)
            if found and all(one in entry for one in wanted):
                return f'external_id: "{found[1]}"\n  record: "settlement"'
        raise AssertionError(f"{number} has no {method}")

    def ref(self, number: str) -> str:
        """The ref of the document with this number."""
        for entry in self._entries():
            found = _ID.search(entry)
            if found and f'\n  number: "{number}"\n' in entry:
                return found[1]
        raise AssertionError(f"{number} is not in the journal")

    def add(self, text: str, month: str) -> None:
        """One more entry."""
        file = self.folder / f"{month}.beancount"
        file.write_text(f"{file.read_text('utf-8')}\n{text}\n", "utf-8")

    def text(self, wanted: str) -> str:
        """The entry with this line in it."""
        (entry,) = (one for one in self._entries() if wanted in one)
        return entry

    def first(self, wanted: str) -> str:
        """The first entry with this line in it."""
        return next(one for one in self._entries() if wanted in one)

    def _entries(self) -> list[str]:
        files = sorted(self.folder.glob("*.beancount"))
        return [entry for file in files for entry in file.read_text("utf-8").split("\n\n")]


Seed = Callable[[Journal], None]


def document(number: str, change: Edit) -> Seed:
    """An edit of a document's entry."""
    return lambda journal: journal.edit(journal.document(number), change)


def settlement(number: str, change: Edit, method: str = "payment") -> Seed:
    """An edit of the first settlement of a document by this method."""
    return lambda journal: journal.edit(journal.settlement(number, method), change)


def _receipt(key: str, change: Edit) -> Seed:
    """An edit of the one receipt that several documents share."""
    wanted = f'{stripe_id("pi", f"edge/{key}")}"\n  record: "receipt"'
    return lambda journal: journal.edit(wanted, change)


def _moved_to(number: str, other: str, method: str = "payment") -> Seed:
    """A settlement that settles another document."""

    def seed(journal: Journal) -> None:
        ref, wrong = journal.ref(number), journal.ref(other)
        wanted = journal.settlement(number, method)
        journal.edit(wanted, lambda entry: entry.replace(f'"{ref}"', f'"{wrong}"'))

    return seed


def _drawn_on(number: str, note: str, other: str) -> Seed:
    """An allocation that draws on another credit note."""

    def seed(journal: Journal) -> None:
        ref, wrong = journal.ref(note), journal.ref(other)
        wanted = journal.settlement(number, "credit_note")
        journal.edit(wanted, lambda entry: entry.replace(f'"{ref}"', f'"{wrong}"'))

    return seed


def copied(number: str, name: str, month: str, *, paid: bool = False) -> Seed:
    """An entry once more, under `name` added to its external id."""

    def seed(journal: Journal) -> None:
        wanted = journal.settlement(number) if paid else journal.document(number)
        text = journal.text(wanted)
        journal.add(_ID.sub(lambda id_: f'  external_id: "{id_[1]}{name}"', text, count=1), month)

    return seed


def _entered_as(source_id: str, month: str, *, flag: str = "*") -> Seed:
    """An open invoice's entry once more, as the document with this id at Stripe."""

    def seed(journal: Journal) -> None:
        text = journal.text(journal.document("EC-A3-1"))
        own = journal.ref("EC-A3-1").rsplit(":", 1)[1]
        text = re.sub(r"^\d{4}-\d\d-\d\d \*", f"{month}-20 {flag}", text.replace(own, source_id))
        journal.add(text, month)

    return seed


def _unknown_payment(number: str, month: str) -> Seed:
    """A payment that a person enters, with no external id, for a document that is open."""

    def seed(journal: Journal) -> None:
        journal.add(
            f'{month}-15 * "By hand"\n'
            "  Assets:111321-NexaCloud-Stripe-Outstanding-Receipts  10.00 CAD\n"
            f'  Assets:112110-Trade-Accounts-Receivable  -10.00 CAD\n    settles: "{journal.ref(number)}"',
            month,
        )

    return seed


def _all(old: str, new: str) -> Edit:
    return lambda entry: entry.replace(old, new)


_DRAFT = replacing(r"^(\d\S+) \*", r"\1 !")
_OUTSTANDING = "Assets:111321-NexaCloud-Stripe-Outstanding-Receipts"
_OFF = "Assets:111322-NexaCloud-Off-Stripe-Outstanding-Receipts"


def _turned(entry: str) -> str:
    """Every amount's sign turned."""
    return re.sub(
        r"(  )(-?)(\d[\d.]* [A-Z]{3})$",
        lambda m: f"{m[1]}{'' if m[2] else '-'}{m[3]}",
        entry,
        flags=re.MULTILINE,
    )


def _unreconciled(entry: str) -> str:
    return re.sub(r'\n    settles: ".*"', "", entry)


def fault(name: str, case: str, seed: Seed, *trips: str) -> Fault:
    """One fault of the books, and the gates of which one must fail."""
    return Fault(
        name=name,
        case=case,
        layer=Layer.LEDGER,
        seed=_on_the_journal(seed),
        trips=frozenset(trips),
    )


def _on_the_journal(seed: Seed) -> Callable[[Bench], None]:
    return lambda bench: seed(Journal(bench.journal))


LEDGER_FAULTS = (
    # Documents.
    fault("Revenue on the account of another family", "T1", document("EC-A1-1", _all("Income:411310-NexaCloud-Hosting-Revenue", "Income:411320-NexaCloud-Managed-Services-Revenue")), READ),
    fault("Dated a day later", "A1", document("EC-A1-1", replacing(r"^2025-03-31", "2025-04-01")), DATES),
    fault("Moved into the next month", "A1", document("EC-T3-2", replacing(r"^2025-03-31", "2025-04-30")), DATES),
    fault("Re-dated out of a locked period", "D4", document("EC-T5-1", replacing(r"^2025-03-25", "2025-07-31")), DATES),
    fault("The amount too high by ten", "B1", document("EC-B2-2", both(replacing("113.00 CAD", "123.00 CAD"), replacing("-100.00 CAD", "-110.00 CAD"))), READ),
    fault("A cent moved from revenue to tax", "T2", document("EC-A1-1", both(replacing("-214.50 CAD", "-214.49 CAD"), replacing("-27.89 CAD", "-27.90 CAD"))), READ),
    fault("Every sign turned", "B5", document("EC-T5-1", _turned), READ),
    fault("An invoice as a credit note", "B5", document("EC-T5-1", replacing('kind: "invoice"', 'kind: "credit_note"')), READ),
    fault("A credit note as an invoice", "T5", document("EC-T5-1-CN1", both(replacing('kind: "credit_note"', 'kind: "invoice"'), _turned)), READ),
    fault("Of another customer", "A9", document("EC-A1-1", replacing(r'  partner: ".*"', '  partner: "nexacloud:df991923-884d-5019-affa-14db9619c5ee"')), READ),
    fault("In another currency", "B10", document("EC-B9-2", _all(" CAD", " USD")), READ),
    fault("The other tax of the same rate", "T3", document("EC-B4-3", replacing('tax: "pst_7_bc"', 'tax: "pst_7_mb"')), READ),
    fault("Two taxes as one lump", "T3", document("EC-B4-3", both(replacing(r"-5.00 CAD", "-12.00 CAD"), replacing(r"\n  Liabilities:\S+  -7.00 CAD\n    tax: .*\n    base: .*", ""))), READ),
    fault("The tax left out, its amount as revenue", "T4", document("EC-A1-1", both(replacing("-214.50 CAD", "-242.39 CAD"), replacing(r"\n  Liabilities:\S+  -27.89 CAD\n    tax: .*\n    base: .*", ""))), READ),
    fault("Another number", "A10", document("EC-A1-1", replacing('number: "EC-A1-1"', 'number: "EC-A1-9"')), READ),
    fault("Entered twice under one id", "D5", copied("EC-A1-1", "", "2025-03"), BOOKS),
    fault("Entered twice under another id of ours", "D5", copied("EC-A1-1", "-again", "2025-03"), TIED),
    fault("Removed after posting", "D3", document("EC-T3-2", removed), READ),
    fault("Set back to draft", "D3", document("EC-T3-2", _DRAFT), READ),
    fault("A line removed, the receivable with it", "B3", document("EC-T1-1", both(replacing("90.40 CAD", "70.40 CAD"), replacing(r"\n  Income:411310\S+  -\S+ CAD\n(    .*\n)+?(?=  \S)", "\n"))), READ, BOOKS),
    fault("A void entered by hand", "A3", _entered_as("in_pshTjtlXLW2Ft5HDGpP8HFVZ", "2025-05"), READ),
    fault("A draft left of a void", "A3", _entered_as("in_pshTjtlXLW2Ft5HDGpP8HFVZ", "2025-05", flag="!"), READ),
    fault("A draft at its source entered by hand", "A3", _entered_as("in_9BD0zVy9m6yGmkhNktw1BNF0", "2025-05"), TIED),
    fault("Test mode entered by hand", "A4", _entered_as("in_OSGWvAhQvmsW3kD4XsPcoNks", "2025-05"), READ),
    fault("The tax of a zero total left out", "B13", document("EC-B13-1", both(replacing("113.00 CAD", "100.00 CAD"), replacing(r"\n  Liabilities:\S+  -13.00 CAD\n    tax: .*\n    base: .*", ""))), READ),
    fault("A credit note of a held invoice entered by hand", "B12", _entered_as(NOTE_OF_HELD, "2025-05"), READ, TIED),
    fault("Another product's invoice entered as ours", "A6", _entered_as("in_OfAnotherProduct00000000", "2025-05"), TIED),
    # Settlements.
    fault("A payment removed", "S1", settlement("EC-T3-2", removed), READ),
    fault("A payment too low", "S2", settlement("EC-T3-2", _all("115.00 CAD", "114.00 CAD")), READ),
    fault("A payment too high", "S3", settlement("EC-T3-2", _all("115.00 CAD", "116.00 CAD")), READ),
    fault("A payment on the wrong side", "S1", settlement("EC-T3-2", _turned), READ),
    fault("A payment on another date", "A2", settlement("EC-A1-1", replacing(r"^2025-04-\d\d", "2025-03-31")), DATES),
    fault("A payment in another currency", "B10", settlement("EC-B8-2", _all(" CAD", " USD")), READ),
    fault("A payment for another invoice", "S1", _moved_to("EC-T3-2", "EC-B2-2"), READ),
    fault("A payment of another customer", "A9", settlement("EC-T3-2", replacing(r'  partner: ".*"', '  partner: "nexacloud:11e7b164-cc93-57c1-8210-eddf66b93e25"')), READ),
    fault("A payment entered twice under one id", "S1", copied("EC-T3-2", "", "2025-03", paid=True), BOOKS),
    fault("A payment entered twice under another id of ours", "S1", copied("EC-T3-2", "-again", "2025-03", paid=True), READ),
    fault("A payment by hand beside ours", "S2", _unknown_payment("EC-A3-1", "2025-03"), OPEN),
    fault("A payment set back to draft", "D3", settlement("EC-T3-2", _DRAFT), READ),
    fault("A payment unreconciled", "D3", settlement("EC-T3-2", _unreconciled), READ),
    fault("Card money in the account for money outside of Stripe", "S4", settlement("EC-T3-2", _all(_OUTSTANDING, _OFF)), READ),
    fault("Card money as revenue", "S1", settlement("EC-T3-2", _all(_OUTSTANDING, "Income:411310-NexaCloud-Hosting-Revenue")), READ),
    fault("Customer balance as a discount", "B9", settlement("EC-B4-3", _all("Liabilities:215500-NexaCloud-Customer-Credit", "Income:411310-NexaCloud-Hosting-Revenue"), "customer_balance"), READ),
    fault("Customer balance called a payment", "B9", settlement("EC-B4-3", replacing('method: "customer_balance"', 'method: "payment"'), "customer_balance"), READ),
    fault("Wallet credit as cash", "B11", settlement("EC-B11-4", _all("Liabilities:215510-NexaCloud-Prepaid-Credit", _OUTSTANDING), "prepaid_credit"), READ),
    fault("Credit that was given away on the account of bought credit", "S12", settlement("EC-S12-1", replacing(r"Expenses:\S+", "Liabilities:215510-NexaCloud-Prepaid-Credit"), "granted_credit"), READ),
    fault("The money of an old invoice's part taken off the receipt", "S11", _receipt("S11-shared", _all("33.90 CAD", "22.60 CAD")), READ, LOST),
    fault("Another payment's reference", "S1", settlement("EC-T3-2", replacing('memo: ".*"', 'memo: "pi_Another"')), READ),
    # Notes, refunds, failures.
    fault("A credit note allocated to another invoice", "S6", _moved_to("EC-T5-1", "EC-B11-5", "credit_note"), READ),
    fault("An invoice settled by another credit note", "S6", _drawn_on("EC-S6-3", "EC-S6-3-CN1", "EC-T5-1-CN1"), OPEN, READ),
    fault("An allocation removed", "S6", settlement("EC-T5-1", removed, "credit_note"), READ),
    fault("An allocation over too much", "S6", settlement("EC-T5-1", _all("23.00 CAD", "24.00 CAD"), "credit_note"), READ),
    fault("A failure removed: the invoice is paid again", "S7", settlement("EC-S7-1", removed, "payment_failure"), READ),
    fault("A failure dated on the payment's day", "S7", settlement("EC-S7-1", replacing(r"^2025-05-27", "2025-05-20"), "payment_failure"), DATES),
    fault("A failure that undoes nothing", "S7", settlement("EC-S7-1", replacing(r'\n  undoes: ".*"', ""), "payment_failure"), READ),
    fault("A refund booked as less revenue", "S6", settlement("EC-S6-2", _all("Liabilities:215520-NexaCloud-Refunds-Pending", "Income:411310-NexaCloud-Hosting-Revenue"), "refund"), READ),
    fault("A refund's amount too high", "S6", settlement("EC-S6-2", _all("22.60 CAD", "26.60 CAD"), "refund"), READ),
    fault("A refund removed", "S6", settlement("EC-S6-2", removed, "refund"), READ),
)  # fmt: skip
