"""A little company, to bring a document into one state and to do what its remedy says.

What Stripe, Lago and NexaCloud say is the model of the random histories, told in the sources' own shapes; an
answer that no model tells is edited. The pipeline is the project's own over real Beancount books.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dagster import Failure

from fcb_pipelines.config import settings as configuration
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import EntriesRefused, Refusal, Unreachable
from fcb_pipelines.connectors.sweep import Sweep
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.documents.rows import DocumentRow
from fcb_pipelines.core.events.delivery import Logged, Step, answered, due, standings
from fcb_pipelines.core.events.proof import delivery_rows, events_delivered
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice
from fcb_pipelines.core.ledger.moves import RELEASED
from fcb_pipelines.core.ledger.partners import LinkedPartner
from fcb_pipelines.core.proof.amount_rows import AmountRow
from fcb_pipelines.core.proof.credit import drawn_without_origin
from fcb_pipelines.core.proof.gate import Finding, GateResult, Outcome, failing
from fcb_pipelines.core.refs import nexacloud_ref
from fcb_pipelines.defs.runtime.ledger_reading import LedgerReader
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines_tests.events import NOON, queued
from fcb_pipelines_tests.histories.events import HOSTING, World
from fcb_pipelines_tests.histories.model import Invoice, Money, Note, tax_on
from fcb_pipelines_tests.histories.rendering import snapshot
from fcb_pipelines_tests.histories.sync import Json, MemoryLog, Pipeline, Snapshot

BEGIN, END = date(2026, 4, 1), date(2026, 5, 31)
DAY = date(2026, 5, 4)
PACKAGED = configuration.load(configuration.PACKAGED)
Edit = Callable[[Json], None]


class Log(MemoryLog):
    """The log of read-backs, with `fcb ledger release`."""

    def release(self, ref: str) -> None:
        """As the command: the id must have been read back once."""
        self._entries[ref] = replace(self._entries[ref], state=RELEASED)


class Telling:
    """One event of a service and the log of its delivery; `answer` is the receiver's HTTP status."""

    def __init__(self) -> None:
        self.event, self.now, self.answer = queued(), NOON, 204
        self._log: list[Logged] = []

    def mark(self, step: Step) -> None:
        """A row of the log."""
        one = self.event
        row = Logged(event_id=one.id, step=step, at=self.now, service=one.service, endpoint="e")
        self._log.append(row)

    def deliver(self) -> None:
        """A round: `fcb events deliver`, or the sensor."""
        for one in due(standings([self.event], self._log), self.now):
            self.mark(Step.TRIED)
            self.mark(answered(self.answer, one.tries + 1))

    def rounds(self, count: int) -> None:
        """So many rounds, one a day."""
        for _ in range(count):
            self.deliver()
            self.now += timedelta(days=1)

    def gate(self) -> Finding:
        """What `events_delivered` finds."""
        return events_delivered(delivery_rows(standings([self.event], self._log), self.now))


class Little(Pipeline):
    """The pipeline with the world around it; `chosen` are policies."""

    def __init__(self, folder: Path, **chosen: str) -> None:
        policies = PACKAGED.policies.model_copy(update=chosen)
        self.folder = folder
        self.world = World(BEGIN, END)
        self.about = ""
        self.ran: set[str] = set()
        self.silent: set[str] = set()
        self.unlisted: set[str] = set()
        self.told_to_services = Telling()
        self.emails: dict[str, str] = {}
        self.companies: dict[str, str] = {}
        self.linked: tuple[LinkedPartner, ...] = ()
        self.tamper: Callable[[Month], None] | None = None
        self.more_rates: list[Json] = []
        self.more_copies: list[NexaCloudInvoice] = []
        self._edits: dict[str, list[Edit]] = defaultdict(list)
        self._copy_edits: dict[str, Callable[[NexaCloudInvoice], NexaCloudInvoice]] = {}
        self._before: dict[Path, str] = {}
        now = PACKAGED.model_copy(
            update={
                "first_period": "2026-04",
                "cutover": BEGIN,
                "as_of": END,
                "policies": policies,
                "services": (),
            }
        )
        BeancountLedger(folder, now).setup()
        super().__init__(BeancountLedger(folder, now), now)
        self.log: Log = Log()
        self.configure(now)

    def configure(self, now: Settings) -> None:
        """From now on the configuration says so."""
        configuration.load = lambda path: now  # type: ignore[assignment]
        configuration.current.cache_clear()
        before = self.__dict__.get("settings")
        self.settings = now
        self.ledger = BeancountLedger(self.folder, now)
        if before is not None and now.as_of != before.as_of:
            Pipeline.__init__(self, self.ledger, now)

    def policies(self, **chosen: str) -> None:
        """A person sets these policies."""
        policies = self.settings.policies.model_copy(update=chosen)
        self.configure(self.settings.model_copy(update={"policies": policies}))

    # --- what the sources say ---------------------------------------------------------------------

    def sell(
        self, *, side: str = "stripe", day: date = DAY, paid: bool = True, **more: Any
    ) -> Invoice:
        """One more invoice of 100.00 and HST; paid on its day unless it is not."""
        more.setdefault("currency", "CAD")
        more.setdefault("taxed", True)
        one = self.world.bill(side, more.pop("customer", "ada"), day, [(HOSTING, 10000)], **more)
        if paid and one.remaining:
            self.pay(one, day=day)
        return one

    def pay(self, one: Invoice, amount: int | None = None, *, day: date = DAY) -> Money:
        """A payment of all that is left, or of so much."""
        money = Money(
            id=f"m{one.id}{len(one.money)}", day=day, parts={one.id: amount or one.remaining}
        )
        one.money.append(money)
        return money

    def credit(self, one: Invoice, net: int = 1000, *, days: int = 5, **more: Any) -> Note:
        """A credit note over so much and its tax."""
        note = Note(
            id=f"cn_{one.id}_{len(one.notes)}",
            invoice=one,
            day=one.day + timedelta(days=days),
            net=net,
            tax=tax_on(net),
            **more,
        )
        one.notes.append(note)
        return note

    def edit(self, one: Invoice, edit: Edit) -> None:
        """What its source says of a document is otherwise."""
        self._edits[one.id].append(edit)

    def as_it_was(self, one: Invoice) -> None:
        """Source and copy say again what they should."""
        self._edits.pop(one.id, None)
        self._copy_edits.pop(self.ref(one), None)

    def edit_copy(self, one: Invoice, edit: Callable[[NexaCloudInvoice], NexaCloudInvoice]) -> None:
        """NexaCloud's copy of a document is otherwise."""
        self._copy_edits[self.ref(one)] = edit

    def ref(self, one: Invoice | Note) -> str:
        """The ref of a document."""
        side = one.side if isinstance(one, Invoice) else one.invoice.side
        owner = (
            f"stripe:{self.settings.stripe.account}"
            if side == "stripe"
            else f"lago:{self.settings.lago.organization}"
        )
        return f"{owner}:{one.id}"

    def payment_ref(self, one: Invoice) -> str:
        """The ref of the one payment of an invoice at Lago."""
        (money,) = one.money
        return f"lago:{self.settings.lago.organization}:{money.id}"

    def copy_ref(self, one: Invoice) -> str:
        """The ref of NexaCloud's own row of a document."""
        return nexacloud_ref(f"inv-{one.id}")

    # --- what is done -----------------------------------------------------------------------------

    def run(self, *, post: bool = True, everything: bool = True) -> None:
        """`fcb sync`."""
        self.sync(self._now(), post=post, everything=everything)

    def extract(self) -> None:
        """The first part of a sync: what a gate over the lists stops, is not built."""
        self._extract(self._now())

    def _now(self) -> Snapshot:
        now = snapshot(
            self.world.billing,
            account=self.settings.stripe.account,
            organization=self.settings.lago.organization,
        )
        for rows in (*now.stripe.values(), *now.lago.values()):
            for row in rows:
                for edit in self._edits.get(str(row.get("id") or row.get("lago_id")), ()):
                    edit(row)
        for key, user in [*now.users.items()]:
            mail, company = self.emails.get(key, user.email), self.companies.get(key, user.company)
            now.users[key] = replace(user, email=mail, company=company)  # type: ignore[index]
        now.stripe["tax_rates"].extend(self.more_rates)  # type: ignore[attr-defined]
        return now

    def command(self, told: str) -> None:
        """One command of a remedy, as printed, for the document that the row is about."""
        match told:
            case "fcb sync" | "fcb sync --period M":
                self.run()
            case "fcb ledger correct REF":
                self.correct([self.about])
            case "fcb ledger release REF":
                self.log.release(self.about)
            case "fcb ledger setup":
                self.ledger.setup()
            case "fcb post":
                self.run(post=True)
            case "fcb events replay ID":
                self.told_to_services.mark(Step.REPLAYED)
            case _ if told.startswith("fcb events drop ID --reason"):
                self.told_to_services.mark(Step.DROPPED)
            case "fcb events deliver":
                self.told_to_services.deliver()
            case _:
                raise AssertionError(f"nobody knows how to run {told}")
        self.ran.add(told)

    def refuse_once(self, ref: str, code: str) -> None:
        """The ledger refuses a document, once."""
        ledger, write = self.ledger, self.ledger.write_drafts

        def refusing(documents: Sequence[Any], **options: Any) -> Any:
            refused = [each for each in documents if each.ref == ref]
            written = write([each for each in documents if each.ref != ref], **options)
            if not refused:
                return written
            raise EntriesRefused("writing", [Refusal(ref=ref, code=code, detail="by the test")])  # type: ignore[arg-type]

        ledger.write_drafts = refusing  # type: ignore[method-assign]

    def told(self, ref: str) -> set[str]:
        """What is told of a document: its reason, its exceptions, and what lists its amounts."""
        found = {str(code) for code in self.exceptions().get(ref, ())}
        row = self.dispositions.get(ref)
        found |= {str(row.reason)} if row is not None and row.reason else set()
        rows = [*self.amounts, *self.drawn()]
        return found | {str(each.why) for each in rows if each.ref == ref and each.why}

    def drawn(self) -> tuple[AmountRow, ...]:
        """Credit that was drawn without an origin."""
        return drawn_without_origin(self.ledger.read_settlements(), self.dispositions)

    def rows(self) -> list[DocumentRow]:
        """The rows of all intended documents."""
        return [row for month in self.months.values() for row in month.document_rows]

    def stopped_by(self, gate: str, tamper: Callable[[Month], None] | None) -> Finding:
        """Build all months, changed so on the way: what this gate stops, or nothing."""
        self.tamper = tamper
        try:
            self.run()
        except Failure as refused:
            return failing([part for part in str(refused.description).split("; ") if gate in part])
        finally:
            self.tamper = None
        return failing([])

    def failing(self) -> set[str]:
        """The gates that fail."""
        return {gate.gate for gate in self.gates if gate.outcome is Outcome.FAIL}

    def gate(self, name: str) -> GateResult:
        """One gate of the last proof."""
        (found,) = (gate for gate in self.gates if gate.gate == name)
        return found

    # --- a person in the books --------------------------------------------------------------------

    def lock(self, until: date, what: str = "all") -> None:
        """The accountant locks the books."""
        self.write(f'{until.isoformat()} custom "lock_date" "{what}"')

    def write(self, entry: str) -> None:
        """A person writes into the main file of the books."""
        main = self.folder / "main.beancount"
        main.write_text(f"{main.read_text('utf-8')}\n{entry}\n", "utf-8")

    def take_out(self, pattern: str, file: str = "main.beancount") -> None:
        """A person takes an entry out of a file of the books."""
        main = self.folder / file
        before = main.read_text("utf-8")
        after = re.sub(rf"^.*{pattern}.*\n(?:^[ ]+.*\n)*", "", before, flags=re.MULTILINE)
        assert after != before, pattern
        main.write_text(after, "utf-8")

    def change_entry(self, external_id: str, change: Callable[[str], str]) -> None:
        """A person edits one entry; `undo` brings all files back."""
        for file in sorted((self.folder / "journal").glob("*.beancount")):
            text = file.read_text("utf-8")
            entries = text.split("\n\n")
            for place, entry in enumerate(entries):
                if f'external_id: "{external_id}"' in entry:
                    self._before.setdefault(file, text)
                    entries[place] = change(entry)
                    assert entries[place] != entry, external_id
                    file.write_text("\n\n".join(entries), "utf-8")
                    return
        raise AssertionError(f"{external_id} is not in the journal")

    def undo(self) -> None:
        """A person undoes every edit of the journal."""
        for file, text in self._before.items():
            file.write_text(text, "utf-8")
        self._before.clear()

    def post_by_hand(self, one: Invoice) -> None:
        """A person posts a document without us."""
        if one.currency not in self._known():
            self.write(f"1970-01-01 commodity {one.currency}")
        self.by_hand(("112110", one.total), ("411310", -one.total), currency=one.currency)

    def by_hand(
        self,
        *postings: tuple[str, int],
        currency: str = "CAD",
        day: date = DAY,
        settles: str = "",
        partner: str = "",
    ) -> None:
        """A person's entry, which has no id of ours: amounts by account code, minor units."""
        lines = [
            f"  {self._account(code)}  {amount / 100:.2f} {currency}" for code, amount in postings
        ]
        lines += [f'    settles: "{settles}"'] if settles else []
        head = [f'{day} * "by hand"', *([f'  partner: "{partner}"'] if partner else [])]
        self.write("\n".join((*head, *lines)))

    def change_partner(self, user: str, old: str, new: str) -> None:
        """A person changes a text of the partner of a user."""
        own = self._partner(user)
        self._of_partners(
            lambda entry: entry.replace(old, new) if f'"partner" "{own}"' in entry else entry
        )

    def merge_partners(self, one: str, other: str) -> None:
        """A person puts the partner of one user into that of another, as docs/gates.md says."""
        gone, stays = self._partner(one), self._partner(other)
        self._of_partners(
            lambda entry: "" if f'"partner" "{gone}"' in entry else entry.replace(gone, stays)
        )

    def _partner(self, user: str) -> str:
        text = (self.folder / "partners.beancount").read_text("utf-8")
        (found,) = set(re.findall(rf'"partner_link" "(\S+)" "nexacloud:{user}"', text))
        return str(found)

    def _of_partners(self, change: Callable[[str], str]) -> None:
        file = self.folder / "partners.beancount"
        before = file.read_text("utf-8").split("\n\n")
        after = [change(entry) for entry in before]
        assert after != before
        file.write_text("\n\n".join(after), "utf-8")

    def take_account(self, code: str) -> None:
        """A person takes an account out of the chart."""
        self.take_out(f"open \\S*:{code}", "accounts.beancount")

    def post_month(self, period: str) -> None:
        """The drafts of one month are posted, and no others."""
        self._build(period, post=True)
        self._prove()

    def mend_ledger(self) -> None:
        """What the ledger lacked is mended: it takes the document now."""
        self.ledger = BeancountLedger(self.folder, self.settings)

    def _known(self) -> tuple[str, ...]:
        return self.ledger.describe().currencies

    def _account(self, code: str) -> str:
        chart = (self.folder / "accounts.beancount").read_text("utf-8")
        (found,) = set(re.findall(rf"open (\S*:{code}\S*)", chart))
        return str(found)

    def settlement_of(self, one: Invoice) -> str:
        """The external id of the one settlement of a document."""
        (entry,) = self.ledger.read_settlements([], of=[self.ref(one)])
        return entry.ref

    # --- the parts of the pipeline that a state needs ---------------------------------------------

    def _source(self, source: Any) -> Any:
        get = source._reader.get

        def asked(path: str, params: object = None) -> Json:
            if path.rsplit("/", 1)[-1] in self.silent:
                raise Unreachable(f"GET {path}", "no answer")
            answer: Json = get(path, params)
            return answer

        sweep = source._reader.sweep

        def listed(*what: Any, **options: Any) -> Sweep:
            found: Sweep = sweep(*what, **options)
            own = (each for each in found.items if each.get("id") not in self.unlisted)
            return replace(
                found, items=tuple(each for each in own if each.get("lago_id") not in self.unlisted)
            )

        source._reader.get = asked
        source._reader.sweep = listed
        return super()._source(source)

    def _write(self, this: Month, reader: LedgerReader, *, post: bool) -> dict[str, str]:
        if self.tamper is not None and this.document_rows:
            self.tamper(this)
        upsert = self.ledger.upsert_partners

        def noted(*partners: Any, **others: Any) -> tuple[LinkedPartner, ...]:
            self.linked = upsert(*partners, **others)
            return self.linked

        with patch.object(self.ledger, "upsert_partners", noted):
            return super()._write(this, reader, post=post)

    def _copies(self, now: Snapshot) -> tuple[NexaCloudInvoice, ...]:
        edited = [
            self._copy_edits.get(each.claims or "", lambda copy: copy)(each)
            for each in super()._copies(now)
        ]
        return (*edited, *self.more_copies)


def without(text: str) -> str:
    """The entry is deleted."""
    return ""
