"""What only the real Odoo can show; what every ledger must do is in test_ledger_contract."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.connectors.failures import (
    EntriesRefused,
    NotAllowed,
    NotPrepared,
    PermanentFailure,
    TransientFailure,
    Unreachable,
)
from fcb_pipelines.connectors.ledger import Writer
from fcb_pipelines.connectors.odoo.action import NAME, READING_NAME, xml_name
from fcb_pipelines.connectors.odoo.action_code import MODULE, READING_CODE, WRITING_CODE
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Row
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.connectors.odoo.notes import Notes
from fcb_pipelines.core.close.links import Pages
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.company.settings import OdooSettings, Settings
from fcb_pipelines.core.documents.build import intended_document
from fcb_pipelines.core.facts.stripe.documents import document_facts
from fcb_pipelines.core.ledger.description import SetupStep
from fcb_pipelines.core.ledger.entries import DocumentTax, LedgerDocument
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState
from fcb_pipelines_tests.documents import (
    DAY,
    PARTNER,
    SETTINGS,
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import assert_settled, balances
from fcb_pipelines_tests.source_shapes import Json
from fcb_pipelines_tests.taxed_bodies import GST_5, QST_9975, Sold, taxed_body

pytestmark = pytest.mark.odoo

Lock = Callable[[date], object]


@pytest.fixture
def books(odoo_ledger: OdooLedger) -> OdooLedger:
    """Prepared books with the usual partner."""
    odoo_ledger.upsert_partners([a_partner()])
    return odoo_ledger


def posted(books: OdooLedger, *documents: LedgerDocument) -> None:
    """Write and post these documents."""
    books.write_drafts(documents)
    books.post([document.ref for document in documents])


def record(books: OdooLedger, document: LedgerDocument, *fields: str) -> Row:
    """The move of a document, as Odoo has it."""
    (row,) = books.connection.rows(
        "account.move", [("x_fc_source_ref", "=", document.ref)], [*fields, "line_ids"]
    )
    return row


def test_a_partner_changed_in_the_second_of_the_last_look_is_seen(
    books: OdooLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = OdooConnection.call

    def in_one_second(self: OdooConnection, *arguments: Any, **options: Any) -> Any:
        answer = call(self, *arguments, **options)
        if arguments[:2] == ("res.partner", "search_read"):
            answer = [row | {"write_date": "2026-05-01 12:00:00"} for row in answer]
        return answer

    monkeypatch.setattr(OdooConnection, "call", in_one_second)
    before = books.partners_digest()
    assert books.partners_digest() == before
    [partner] = books.connection.rows("res.partner", [("email", "=", a_partner().email)], ["id"])
    books.connection.call("res.partner", "write", [partner["id"]], {"city": "Guelph"})
    assert books.partners_digest() != before


def tax_lines(books: OdooLedger, document: LedgerDocument) -> list[tuple[str, str]]:
    """(tax, amount) of the tax lines of a document's move."""
    rows = books.connection.rows(
        "account.move.line",
        [("move_id", "=", record(books, document)["id"]), ("tax_line_id", "!=", False)],
        ["tax_line_id", "amount_currency"],
    )
    return sorted((row["tax_line_id"][1], str(row["amount_currency"])) for row in rows)


def outcomes(steps: tuple[SetupStep, ...]) -> dict[str, set[str]]:
    """What was looked at -> how it came out."""
    found: dict[str, set[str]] = {}
    for step in steps:
        found.setdefault(step.what, set()).add(step.outcome)
    return found


# --- setup ------------------------------------------------------------------------------------


def test_setup_prepares_a_fresh_chart_and_a_dry_run_writes_nothing(
    odoo_books: OdooConnection,
) -> None:
    ledger = OdooLedger(odoo_books, SETTINGS)
    before = ledger.describe()
    assert {part.what for part in before.missing} == {
        "account", "journal", "currency", "field", "server action",
    }  # fmt: skip
    assert before.identity == ""
    with pytest.raises(NotPrepared, match="x_fc_source_ref"):
        ledger.read_moves()

    would = ledger.setup(dry_run=True)
    assert outcomes(would)["account"] == {"would make"}
    assert ledger.describe() == before

    made = ledger.setup()
    assert [step.name for step in made] == [step.name for step in would]
    found = outcomes(made)
    assert found.pop("tax") == {"found"}
    # The American dollar is active in every new Odoo.
    assert found.pop("currency") == {"found", "made"}
    assert set.union(*found.values()) == {"made"}
    after = ledger.describe()
    assert after.missing == ()
    assert after.identity.startswith("odoo:")
    assert set.union(*outcomes(ledger.setup()).values()) == {"found"}


def test_setup_names_what_it_must_not_make(odoo_books: OdooConnection) -> None:
    taxes = tuple(
        tax.model_copy(update={"odoo_name": "13 % no such tax"}) if tax.key == "hst_13"
        else tax.model_copy(update={"account": "235000"}) if tax.key == "hst_14" else tax
        for tax in SETTINGS.taxes
    )  # fmt: skip
    hosting = SETTINGS.families[0].account.model_copy(update={"code": "111311"})
    families = (
        SETTINGS.families[0].model_copy(update={"account": hosting}),
        *SETTINGS.families[1:],
    )
    settings: Settings = SETTINGS.model_copy(update={"taxes": taxes, "families": families})
    ledger = OdooLedger(odoo_books, settings)
    ledger.setup()
    missing = {part.name: part.remedy for part in ledger.describe().missing}
    assert set(missing) == {
        "13 % no such tax", "14% HST on account 235000", "111311 NexaCloud Hosting Revenue",
    }  # fmt: skip
    assert "it posts to 234000" in missing["14% HST on account 235000"]
    assert "asset_cash" in missing["111311 NexaCloud Hosting Revenue"]
    ledger.upsert_partners([a_partner()])
    with pytest.raises(NotPrepared, match="hst_13"):
        ledger.write_drafts([an_invoice("in_1", a_line(account="411320", family="managed"))])
    assert ledger.read_moves() == ()


def test_a_person_s_outstanding_account_stays_and_is_told(odoo_ledger: OdooLedger) -> None:
    odoo = odoo_ledger.connection
    (other,) = odoo.rows("account.account", [("code", "=", "111313")], ["id"])
    lines = odoo.rows("account.payment.method.line", [("journal_id.code", "=", "NCSTR")], ["id"])
    ids = [line["id"] for line in lines]
    odoo.call("account.payment.method.line", "write", ids, {"payment_account_id": other["id"]})
    assert set.union(*outcomes(odoo_ledger.setup()).values()) == {"found"}
    assert {part.name for part in odoo_ledger.describe().missing} == {
        "outstanding account 111321 of NCSTR"
    }


def test_the_server_action_is_brought_up_to_date(odoo_ledger: OdooLedger) -> None:
    odoo = odoo_ledger.connection
    fields = [("model", "=", "account.move"), ("name", "=", "x_fc_source_ref")]
    (field,) = odoo.rows("ir.model.fields", fields, ["help"])
    told = field["help"].rsplit("version", 1)[0] + "version 0ld."
    odoo.call("ir.model.fields", "write", [field["id"]], {"help": told})
    fresh = OdooLedger(odoo, SETTINGS)
    assert [part.what for part in fresh.describe().missing] == ["server action"]
    assert outcomes(fresh.setup())["server action"] == {"made"}
    assert fresh.describe().missing == ()
    assert len(odoo.rows("ir.actions.server", [("name", "ilike", MODULE)], ["id"])) == 2


@pytest.mark.parametrize("name", [NAME, READING_NAME])
def test_a_server_action_that_is_gone_is_told_and_made_again(
    odoo_ledger: OdooLedger, name: str
) -> None:
    odoo = odoo_ledger.connection
    odoo_ledger.describe()
    ours = odoo.rows("ir.actions.server", [("name", "=", name)], ["id"])
    odoo.call("ir.actions.server", "unlink", [each["id"] for each in ours])
    with pytest.raises(NotPrepared, match="server action") as failure:
        odoo_ledger.upsert_partners([a_partner()])
    assert failure.value.remedy == "fcb ledger setup"
    (missing,) = odoo_ledger.describe().missing
    assert missing.what == "server action"
    assert outcomes(odoo_ledger.setup())["server action"] == {"made"}
    assert odoo_ledger.describe().missing == ()


@pytest.mark.parametrize(
    ("name", "changed", "by", "told"),
    [
        (
            NAME,
            "if move.state != 'posted' or str(move.date) != row[1]:",
            "if False:",
            "was changed in Odoo",
        ),
        (READING_NAME, "('module', '=', MODULE), ", "", "was changed in Odoo"),
        (READING_NAME, "verb = task['verb']", "verb = tasks['verb']", "does not run"),
        (READING_NAME, "action = answer", "action = {}", "does not run"),
    ],
)
def test_the_server_action_is_known_by_its_code_before_anything_is_written(
    odoo_ledger: OdooLedger, name: str, changed: str, by: str, told: str
) -> None:
    odoo, before = odoo_ledger.connection, odoo_ledger
    assert before.read_moves() == ()
    (action,) = odoo.rows("ir.actions.server", [("name", "=", name)], ["code"])
    edited = action["code"].replace(changed, by)
    assert edited != action["code"]
    odoo.call("ir.actions.server", "write", [action["id"]], {"code": edited})
    fresh = OdooLedger(odoo, SETTINGS)
    (missing,) = fresh.describe().missing
    assert missing.what == "server action"
    assert told in missing.name
    assert missing.remedy == "fcb ledger setup"
    for opened in (fresh, before):
        with pytest.raises(NotPrepared, match="server action") as failure:
            opened.upsert_partners([a_partner()])
        assert failure.value.remedy == "fcb ledger setup"
    assert odoo.rows("res.partner", [("email", "=", a_partner().email)], ["id"]) == []
    assert outcomes(fresh.setup())["server action"] == {"made"}
    mended = OdooLedger(odoo, SETTINGS)
    assert mended.describe().missing == ()
    ours = odoo.rows("ir.actions.server", [("name", "in", [NAME, READING_NAME])], ["name", "code"])
    codes = {action["name"]: action["code"] for action in ours}
    assert codes == {NAME: WRITING_CODE, READING_NAME: READING_CODE}


NOTES = Notes(
    pages=Pages(sources={"stripe:acct_nexacloud": "https://dashboard.example/{kind}/{id}?a=1&b=2"}),
    dagster="https://dagster.example/",
)


@pytest.mark.parametrize(
    ("audited", "tracking", "logged"),
    [(False, False, False), (False, True, True), (True, False, True)],
)
def test_odoo_logs_our_changes_where_the_setting_or_its_audit_trail_asks_for_it(
    odoo_ledger: OdooLedger, audited: bool, tracking: bool, logged: bool
) -> None:
    odoo = odoo_ledger.connection
    values = {"restrictive_audit_trail": audited}
    odoo.call("res.company", "write", [odoo.company], values)
    settings = SETTINGS.model_copy(update={"odoo": OdooSettings(tracking=tracking)})
    ledger = OdooLedger(odoo, settings, NOTES)
    assert ledger.describe().tracking is logged
    ledger.upsert_partners([a_partner()])
    invoice = an_invoice()
    assert not ledger.begin_writing(Writer(run="run-1"))
    posted(ledger, invoice)
    (entry,) = ledger.settle([a_settlement(invoice)])
    move = record(ledger, invoice)["id"]
    fields = ["body", "author_id", "tracking_value_ids"]
    of_invoice, of_payment = (
        odoo.rows(
            "mail.message", [("model", "=", "account.move"), ("res_id", "=", int(each))], fields
        )
        for each in (move, entry.move_id)
    )
    assert any(message["tracking_value_ids"] for message in of_invoice) is logged
    if not logged:
        for ref, notes in ((invoice.ref, of_invoice), (entry.ref, of_payment)):
            (note,) = notes
            assert f"Posted by fcb_pipelines as {ref}," in note["body"]
            assert re.findall('href="([^"]+)"', note["body"]) == [
                "https://dashboard.example/invoices/in_1?a=1&amp;b=2",
                "https://dagster.example/runs/run-1",
            ]
            assert note["author_id"]
    assert balances(ledger) == expected_balances([invoice], [a_settlement(invoice)])


def test_wrong_access_is_told_as_such(odoo_ledger: OdooLedger) -> None:
    odoo = odoo_ledger.connection
    cases: list[tuple[OdooConnection, type[Exception]]] = [
        (OdooConnection(odoo.url, odoo.database, "admin", "wrong"), NotAllowed),
        (OdooConnection(odoo.url, "no_such_database", "admin", "admin"), PermanentFailure),
        (OdooConnection("http://127.0.0.1:9", odoo.database, "admin", "admin"), Unreachable),
        (OdooConnection("odoo.example", odoo.database, "admin", "admin"), NotPrepared),
    ]
    for connection, failure in cases:
        with pytest.raises(failure):
            OdooLedger(connection, SETTINGS).describe()


def test_a_bookkeeper_without_settings_rights_can_do_the_daily_work(
    odoo_ledger: OdooLedger,
) -> None:
    odoo = odoo_ledger.connection
    groups = [
        odoo.call("ir.model.data", "check_object_reference", module, name)[1]
        for module, name in (
            ("base", "group_user"), ("base", "group_partner_manager"),
            ("account", "group_account_invoice"),
        )
    ]  # fmt: skip
    odoo.call(
        "res.users", "create",
        [{"name": "Robot", "login": "robot", "password": "robot-1", "group_ids": [[6, 0, groups]]}],
    )  # fmt: skip
    robot = OdooLedger(OdooConnection(odoo.url, odoo.database, "robot", "robot-1"), SETTINGS)
    assert robot.describe() == odoo_ledger.describe()
    robot.upsert_partners([a_partner()])
    assert robot.partners_digest() == odoo_ledger.partners_digest()
    document = an_invoice()
    posted(robot, document)
    robot.settle([a_settlement(document)])
    (move,) = robot.read_moves()
    assert move.payment_state is PaymentState.PAID
    assert robot.trial_balance() == odoo_ledger.trial_balance()
    with pytest.raises(NotAllowed):
        robot.connection.rows("ir.model.data", [], ["name"])


# --- what a document looks like ---------------------------------------------------------------


def test_a_posted_invoice_carries_its_ids_and_its_own_date(books: OdooLedger) -> None:
    document = an_invoice(nexacloud_invoice_id="3f0e-1")
    posted(books, document)
    row = record(
        books, document, "move_type", "ref", "invoice_date", "date", "invoice_date_due",
        "x_fc_nexacloud_invoice_id", "x_fc_stripe_invoice_id", "x_fc_content_hash",
        "fiscal_position_id", "journal_id",
    )  # fmt: skip
    assert (row["move_type"], row["ref"]) == ("out_invoice", "NC-in_1")
    assert {row[name] for name in ("invoice_date", "date", "invoice_date_due")} == {str(DAY)}
    assert row["x_fc_nexacloud_invoice_id"] == "3f0e-1"
    assert row["x_fc_stripe_invoice_id"] == "in_1"
    assert row["x_fc_content_hash"] == document.content_hash
    assert row["fiscal_position_id"] is False
    (external,) = books.connection.rows(
        "ir.model.data", [("module", "=", MODULE), ("model", "=", "account.move")],
        ["name", "res_id"],
    )  # fmt: skip
    assert (external["name"], external["res_id"]) == (xml_name(document.ref), row["id"])


def test_a_partner_who_moved_does_not_change_what_was_billed(books: OdooLedger) -> None:
    key = "nexacloud:users:quebec"
    books.upsert_partners([a_partner(key, email="q@x.example", state="QC", country="CA")])
    document = an_invoice(partner=key)
    (draft,) = books.write_drafts([document])
    assert draft.document.content_hash == document.content_hash
    assert tax_lines(books, document) == [("13% HST", "-26.0")]


@pytest.mark.parametrize("amount", [2601, 2599])
def test_a_residue_is_written_on_the_tax_line(books: OdooLedger, amount: int) -> None:
    document = an_invoice(
        "in_1", a_line(20000), taxes=[DocumentTax(key="hst_13", base=20000, amount=amount)]
    )
    posted(books, document)
    assert tax_lines(books, document) == [("13% HST", f"-{amount / 100}")]
    row = record(books, document, "amount_total", "amount_residual", "amount_tax")
    assert str(row["amount_total"]) == str(row["amount_residual"]) == f"{(20000 + amount) / 100}"


@pytest.mark.parametrize("currency", ["CAD", "USD"])
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("taxes", "lines"),
    [(("hst_13",), (2689, -2688)), (("gst_5", "qst_9975"), (10, -9)), (("gst_5", "pst_7_bc"), (10, -9))],
    ids=["alone", "in a group", "beside another"],
)  # fmt: skip
def test_a_tax_line_that_odoo_leaves_out_is_as_those_that_it_makes(
    books: OdooLedger, kind: Kind, taxes: tuple[str, ...], lines: tuple[int, ...], currency: str
) -> None:
    nothing = an_invoice(
        "in_1",
        *(a_line(net, taxes=taxes, currency=currency) for net in lines),
        taxes=[DocumentTax(key=taxes[0], base=1, amount=1)],
        currency=currency,
    )
    usual = an_invoice("in_2", a_line(10000, taxes=taxes, currency=currency), currency=currency)
    posted(books, replace(nothing, kind=kind), replace(usual, kind=kind))
    (made,) = _tax_entries(books, nothing)
    assert made in _tax_entries(books, usual)


def _tax_entries(books: OdooLedger, document: LedgerDocument) -> list[dict[str, Any]]:
    """All but the amounts of the tax lines of a document's move."""
    rows = books.connection.rows(
        "account.move.line",
        [("move_id", "=", record(books, document)["id"]), ("tax_line_id", "!=", False)],
        ["account_id", "currency_id", "display_type", "group_tax_id", "name", "partner_id",
         "tax_ids", "tax_line_id", "tax_repartition_line_id", "tax_tag_ids"],
    )  # fmt: skip
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


SIX = [Sold(net=1997)] * 6


@pytest.mark.parametrize(
    ("case", "body", "taxes", "total"),
    [
        ("rounded line by line", taxed_body(SIX), [("13% HST", "-15.6")], "135.42"),
        ("half taxable", taxed_body([Sold(net=10000, parts=(5000,))]), [("13% HST", "-6.5")], "106.5"),
        ("shipping with its tax", taxed_body([Sold(net=10000)], shipping=Sold(net=500)), [("13% HST", "-13.65")], "118.65"),
        ("all of it", taxed_body([*SIX, Sold(net=10000, parts=(3000, 2000))], shipping=Sold(net=500)), [("13% HST", "-22.75")], "247.57"),
        ("GST and QST rounded line by line", taxed_body([Sold(net=1010)] * 8, rates=(GST_5, QST_9975)), [("5% GST", "-4.08"), ("9.975% QST", "-8.08")], "92.96"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_t7_odoo_computes_on_the_source_s_base_and_carries_its_rounding(
    books: OdooLedger, case: str, body: Json, taxes: list[tuple[str, str]], total: str
) -> None:
    facts = document_facts(body, account="acct_test", timezone=SETTINGS.timezone)
    document = intended_document(facts, SETTINGS, partner=PARTNER, nexacloud_invoice_id=None)
    assert isinstance(document, LedgerDocument), document
    posted(books, document)
    assert tax_lines(books, document) == taxes, case
    row = record(books, document, "amount_total", "amount_residual")
    assert str(row["amount_total"]) == str(row["amount_residual"]) == total
    (move,) = books.read_moves([document.ref])
    assert move.document.content_hash == document.content_hash


def test_a_tax_further_off_than_its_lines_round_is_refused(books: OdooLedger) -> None:
    lines = [a_line(1997) for _ in range(6)]
    taxes = [DocumentTax(key="hst_13", base=11982, amount=1562)]
    with pytest.raises(EntriesRefused, match="tax_mismatch") as refused:
        books.write_drafts([an_invoice("in_1", *lines, taxes=taxes)])
    (refusal,) = refused.value.refusals
    assert refusal.detail == "hst_13 billed 1562, Odoo computes 1558"


def test_a_tax_beyond_the_residue_is_refused_and_the_rest_is_written(books: OdooLedger) -> None:
    wrong = an_invoice(
        "in_1", a_line(20000), taxes=[DocumentTax(key="hst_13", base=20000, amount=2602)]
    )
    right = an_invoice("in_2")
    with pytest.raises(EntriesRefused, match="tax_mismatch") as refused:
        books.write_drafts([wrong, right])
    (refusal,) = refused.value.refusals
    assert (refusal.ref, refusal.code) == (wrong.ref, "tax_mismatch")
    assert refusal.detail == "hst_13 billed 2602, Odoo computes 2600"
    assert [move.ref for move in books.read_moves()] == [right.ref]
    assert len(books.connection.rows("account.move", [], ["id"])) == 1


def test_a_group_tax_makes_a_tax_line_for_each_of_its_taxes(books: OdooLedger) -> None:
    document = an_invoice("in_1", a_line(10007, taxes=("gst_5", "qst_9975")))
    posted(books, document)
    assert tax_lines(books, document) == [("5% GST", "-5.0"), ("9.975% QST", "-9.98")]
    (product,) = books.connection.rows(
        "account.move.line",
        [("move_id", "=", record(books, document)["id"]), ("display_type", "=", "product")],
        ["tax_ids"],
    )
    (group,) = books.connection.rows(
        "account.tax", [("name", "=", "14.975% GST+QST"), ("type_tax_use", "=", "sale")], ["id"]
    )
    assert product["tax_ids"] == [group["id"]]


EDITS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "another number": ("account.move", {"ref": "X"}, "number"),
    "another date": ("account.move", {"invoice_date": "2026-04-04"}, "date"),
    "another description": ("account.move.line", {"name": "Something else"}, "lines"),
    "one cent more": ("account.move.line", {"price_unit": 200.01}, "lines"),
    "another quantity": ("account.move.line", {"quantity": 2}, "lines"),
    "no taxes": ("account.move.line", {"tax_ids": [[5]]}, "taxes"),
    "another id of NexaCloud's": ("account.move", {"x_fc_nexacloud_invoice_id": "Z"},
                                  "nexacloud_invoice_id"),
}  # fmt: skip


@pytest.mark.parametrize(("model", "values", "field"), EDITS.values(), ids=EDITS.keys())
def test_a_person_s_edit_of_a_draft_is_read_back(
    books: OdooLedger, model: str, values: dict[str, Any], field: str
) -> None:
    document = an_invoice()
    (before,) = books.write_drafts([document])
    move = int(before.move_id)
    if model == "account.move.line":
        (line,) = books.connection.rows(
            model, [("move_id", "=", move), ("display_type", "=", "product")], ["id"]
        )
        values = {"invoice_line_ids": [[1, line["id"], values]]}
    books.connection.call("account.move", "write", [move], values)
    (after,) = books.read_moves([document.ref])
    assert after.document.content_hash != document.content_hash
    assert getattr(after.document, field) != getattr(document, field)
    assert after.stored_hash == document.content_hash
    # A rebuild on request is what was meant again.
    books.write_drafts([document])
    assert books.read_moves([document.ref]) == (after,)
    (rebuilt,) = books.write_drafts([document], replace=[document.ref])
    assert rebuilt.document.content_hash == document.content_hash


# What a bookkeeper puts between the lines: it is on no account and worth nothing.
REMARKS = ("line_note", "line_section", "line_subsection")


def remark(books: OdooLedger, document: LedgerDocument) -> None:
    """Put one of each kind on the document's move, as a person does."""
    added = [[0, 0, {"display_type": kind, "name": f"seen by A. ({kind})"}] for kind in REMARKS]
    move = record(books, document)["id"]
    books.connection.call("account.move", "write", [move], {"invoice_line_ids": added})


@pytest.mark.parametrize("when", ["draft", "posted"])
def test_a_note_between_the_lines_is_no_edit_and_stops_nothing(
    books: OdooLedger, when: str
) -> None:
    document = an_invoice()
    if when == "draft":
        books.write_drafts([document])
        remark(books, document)
        assert books.write_drafts([document]) == books.read_moves([document.ref])
        books.post([document.ref])
    else:
        # Odoo lets nobody write on a posted move: it goes back to draft for it.
        posted(books, document)
        move = [record(books, document)["id"]]
        books.connection.call("account.move", "button_draft", move)
        remark(books, document)
        books.connection.call("account.move", "action_post", move)
    settlement = a_settlement(document)
    books.settle([settlement])
    (move,) = books.read_moves()
    assert move.document.content_hash == document.content_hash == move.stored_hash
    assert (move.state, move.payment_state) == (MoveState.POSTED, PaymentState.PAID)
    (entry,) = books.read_settlements()
    assert entry.reconciled == entry.settlement.amount
    assert [each.ref for each in books.list_moves()] == [document.ref]
    assert balances(books) == expected_balances([document], [settlement])
    kinds = books.connection.rows(
        "account.move.line", [("display_type", "in", REMARKS)], ["account_id"]
    )
    assert [row["account_id"] for row in kinds] == [False] * len(REMARKS)


# --- payments ---------------------------------------------------------------------------------


def test_a_payment_has_a_move_in_the_stripe_journal_with_the_source_s_id(
    books: OdooLedger,
) -> None:
    document = an_invoice()
    posted(books, document)
    settlement = a_settlement(document, day=date(2026, 4, 5))
    books.settle([settlement])
    (payment,) = books.connection.rows(
        "account.payment", [], ["memo", "date", "journal_id", "move_id", "amount", "state"]
    )
    assert payment["memo"] == settlement.memo
    assert payment["date"] == "2026-04-05"
    assert payment["journal_id"][1].startswith("NexaCloud Stripe")
    lines = books.connection.rows(
        "account.move.line", [("move_id", "=", payment["move_id"][0])], ["account_id", "balance"]
    )
    sides = {row["account_id"][1]: str(row["balance"]) for row in lines}
    assert sides == {
        "NexaCloud Stripe Outstanding Receipts": "226.0",
        "Trade Accounts Receivable": "-226.0",
    }
    assert record(books, document, "payment_state")["payment_state"] in ("paid", "in_payment")


def test_an_unmatched_payment_is_matched_again_and_not_paid_twice(books: OdooLedger) -> None:
    document = an_invoice()
    posted(books, document)
    settlement = a_settlement(document)
    books.settle([settlement])
    lines = record(books, document)["line_ids"]
    books.connection.call("account.move.line", "remove_move_reconcile", lines)
    (loose,) = books.read_settlements()
    assert loose.reconciled == 0
    assert books.read_moves()[0].residual == document.total
    (again,) = books.settle([settlement])
    assert again.reconciled == settlement.amount
    assert books.read_moves()[0].residual == 0
    assert len(books.connection.rows("account.payment", [], ["id"])) == 1


def test_a_document_that_is_not_posted_is_not_settled(books: OdooLedger) -> None:
    document = an_invoice()
    books.write_drafts([document])
    with pytest.raises(NotPrepared, match="draft"):
        books.settle([a_settlement(document)])
    with pytest.raises(NotPrepared, match="not in the ledger"):
        books.settle([a_settlement(an_invoice("in_2"))])
    assert books.read_settlements() == ()


@pytest.mark.parametrize(
    "method", [Method.CUSTOMER_BALANCE, Method.OVERPAYMENT, Method.PREPAID_CREDIT]
)
def test_credit_settles_by_an_entry_and_keeps_its_method(books: OdooLedger, method: Method) -> None:
    invoice, note = an_invoice(), a_credit_note("cn_1", a_line(5000))
    posted(books, invoice, note)
    parts = [a_settlement(invoice, 600, method=method), a_settlement(note, 500, method=method)]
    for ledger_state, part in zip(books.settle(parts), parts, strict=True):
        assert ledger_state.settlement == part
        assert ledger_state.reconciled == part.amount
    assert books.connection.rows("account.payment", [], ["id"]) == []


# --- locks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lock", "invoices", "entries"),
    [
        ("fiscalyear_lock_date", True, True),
        ("sale_lock_date", True, False),
        ("tax_lock_date", True, False),
        ("hard_lock_date", True, True),
    ],
)
def test_each_lock_date_holds_for_what_it_locks(
    books: OdooLedger, lock: str, invoices: bool, entries: bool
) -> None:
    day = date(2026, 3, 31)
    odoo = books.connection
    odoo.call("res.company", "write", [odoo.company], {lock: str(day)})
    found = books.describe()
    assert found.invoice_lock == (day if invoices else None)
    assert found.entry_lock == (day if entries else None)
    with pytest.raises(NotAllowed, match="locked to 2026-03-31"):
        books.write_drafts([an_invoice(day=day)])
    assert books.read_moves() == ()


def test_a_payment_in_a_locked_period_is_not_moved_to_another(
    books: OdooLedger, odoo_lock: Lock
) -> None:
    document = an_invoice()
    posted(books, document)
    odoo_lock(date(2026, 4, 30))
    with pytest.raises(NotAllowed, match="2026-04-30"):
        books.settle([a_settlement(document)])
    assert books.read_settlements() == ()
    (later,) = books.settle([a_settlement(document, day=date(2026, 5, 1))])
    assert later.settlement.date == date(2026, 5, 1)


def test_odoo_itself_cannot_redate_what_is_posted(books: OdooLedger, odoo_lock: Lock) -> None:
    """Between the look at the lock dates and the posting somebody locks the period."""
    document = an_invoice()
    (draft,) = books.write_drafts([document])
    odoo_lock(date(2026, 4, 30))
    with pytest.raises(PermanentFailure, match="see the lock dates"):
        books._moves().post({int(draft.move_id): str(DAY)}, {document.ref: document.kind})
    assert books.read_moves() == (draft,)


# --- partners ---------------------------------------------------------------------------------


def test_a_partner_has_its_address_and_a_bad_tax_number_stops_nothing(books: OdooLedger) -> None:
    (ledger_state,) = books.upsert_partners(
        [a_partner(vat="not a number", street=None, zip=None, city=None)]
    )
    (row,) = books.connection.rows(
        "res.partner", [("id", "=", int(ledger_state.partner_id))],
        ["vat", "city", "state_id", "country_id"],
    )  # fmt: skip
    assert (row["vat"], row["city"]) == ("not a number", "Toronto")
    assert row["state_id"][1].startswith("Ontario")
    assert row["country_id"][1] == "Canada"


def test_a_partner_whom_a_person_made_is_joined_and_kept(odoo_ledger: OdooLedger) -> None:
    (made,) = odoo_ledger.connection.call(
        "res.partner", "create", [{"name": "By hand", "email": "Books@Maple.example"}]
    )
    (ledger_state,) = odoo_ledger.upsert_partners([a_partner(email="books@maple.example")])
    assert ledger_state.partner_id == str(made)
    assert (ledger_state.name, ledger_state.email) == ("By hand", "Books@Maple.example")
    assert ledger_state.links == (PARTNER,)


def by_hand(ledger: OdooLedger, **values: Any) -> int:
    """A contact that a person makes, with the usual partner's email."""
    told = {"name": "By hand", "email": "books@maple.example", **values}
    (made,) = ledger.connection.call("res.partner", "create", [told])
    return int(made)


MAPLE = "Maple Bakery Inc."
CONTACTS: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "a person": ([{}], True),
    "the company by another spelling": ([{"name": "MAPLE bakery, Inc", "is_company": True}], True),
    "another company": ([{"name": "Other Ltd.", "is_company": True}], False),
    "a person of that company": ([{"company_name": "Maple Bakery Inc"}], True),
    "a person of another company": ([{"company_name": "Other Ltd."}], False),
    "two contacts": ([{}, {"name": "Second"}], False),
    "an archived one": ([{"active": False}], False),
}


@pytest.mark.parametrize("contacts", CONTACTS)
def test_a_contact_is_joined_only_where_it_can_be_no_other_company(
    odoo_ledger: OdooLedger, contacts: str
) -> None:
    made, joins = CONTACTS[contacts]
    ids = [by_hand(odoo_ledger, **values) for values in made]
    account = a_partner(company=MAPLE)
    (ledger_state,) = odoo_ledger.upsert_partners([account])
    assert (int(ledger_state.partner_id) in ids) is joins
    # An archived contact is put away: it neither joins nor is it told of.
    assert bool(ledger_state.shared_emails) is (not joins and contacts != "an archived one")
    assert odoo_ledger.upsert_partners([account]) == (ledger_state,)


def test_contacts_beneath_a_partner_are_that_partner(books: OdooLedger) -> None:
    (ledger_state,) = books.upsert_partners([a_partner()])
    by_hand(books, name="Her accountant", parent_id=int(ledger_state.partner_id))
    assert books.upsert_partners([a_partner()]) == (ledger_state,)


def test_partners_of_one_company_that_a_person_merges_are_one_and_not_told_again(
    odoo_ledger: OdooLedger,
) -> None:
    both = [a_partner("nexacloud:a", company=MAPLE), a_partner("nexacloud:b", company=MAPLE)]
    apart = odoo_ledger.upsert_partners(both)
    assert all(one.shared_emails for one in apart)
    draft = an_invoice(partner="nexacloud:b")
    posted(odoo_ledger, draft)
    kept, merged = (int(one.partner_id) for one in apart)
    odoo = odoo_ledger.connection
    model = "base.partner.merge.automatic.wizard"
    (wizard,) = odoo.call(
        model, "create", [{"partner_ids": [(6, 0, [kept, merged])], "dst_partner_id": kept,
                           "state": "selection"}],
    )  # fmt: skip
    odoo.call(model, "action_merge", [wizard])
    one, same = odoo_ledger.upsert_partners(both)
    assert one == same
    assert (one.partner_id, one.shared_emails) == (str(kept), ())
    assert set(one.links) == {"nexacloud:a", "nexacloud:b"}
    (move,) = odoo_ledger.read_moves([draft.ref])
    assert set(move.partner_links) == set(one.links)
    assert move.document.content_hash == draft.content_hash


# --- what is broken off -----------------------------------------------------------------------


class LosesAnswers(OdooConnection):
    """Does what it is asked and then loses the answer of the writes whose turn it is."""

    lost: int = 0
    turn: int = 0

    def call(self, model: str, method: str, *arguments: Any, **options: Any) -> Any:
        answer = super().call(model, method, *arguments, **options)
        verb = options.get("context", {}).get("fcb", {}).get("verb", "")
        if verb in ("partners", "drafts", "post", "settle"):
            self.turn += 1
            if self.turn == self.lost:
                raise Unreachable(verb, "the answer was lost")
        return answer


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_a_lost_answer_neither_duplicates_nor_loses(odoo_ledger: OdooLedger, lost: int) -> None:
    odoo = odoo_ledger.connection
    flaky = LosesAnswers(odoo.url, odoo.database, "admin", "admin")
    flaky.lost = lost
    documents = [an_invoice(f"in_{index}") for index in range(3)]
    settlements = [a_settlement(document) for document in documents]

    def run(ledger: OdooLedger) -> None:
        ledger.upsert_partners([a_partner()])
        posted(ledger, *documents)
        ledger.settle(settlements)

    with pytest.raises(Unreachable):
        run(OdooLedger(flaky, SETTINGS))
    run(odoo_ledger)
    assert len(odoo.rows("res.partner", [("email", "=", "books@maple.example")], ["id"])) == 1
    assert len(odoo.rows("account.move", [("move_type", "=", "out_invoice")], ["id"])) == 3
    assert len(odoo.rows("account.payment", [], ["id"])) == 3
    assert balances(odoo_ledger) == expected_balances(documents, settlements)


class Overtaken(OdooConnection):
    """Before the write whose turn it is, another deployment does all of its own."""

    at: int = 0
    turn: int = 0
    other: Callable[[], None]

    def call(self, model: str, method: str, *arguments: Any, **options: Any) -> Any:
        verb = options.get("context", {}).get("fcb", {}).get("verb", "")
        if verb in ("partners", "drafts", "post", "settle"):
            self.turn += 1
            if self.turn == self.at:
                self.other()
        return super().call(model, method, *arguments, **options)


@pytest.mark.parametrize("at", [1, *(pytest.param(at, marks=pytest.mark.long) for at in (2, 3)), 4])
def test_two_deployments_without_a_common_lock_double_nothing(
    odoo_ledger: OdooLedger, at: int
) -> None:
    """Each has a Postgres of its own; the second writes between the first's look and its write."""
    odoo = odoo_ledger.connection
    documents = [an_invoice(f"in_{index}") for index in range(3)]
    settlements = [a_settlement(document) for document in documents]

    def run(ledger: OdooLedger) -> None:
        ledger.upsert_partners([a_partner()])
        posted(ledger, *documents)
        ledger.settle(settlements)

    overtaken = Overtaken(odoo.url, odoo.database, "admin", "admin")
    overtaken.at, overtaken.other = at, lambda: run(odoo_ledger)
    first = OdooLedger(overtaken, SETTINGS)
    # What was written meanwhile is found, or the whole batch is refused; a rerun goes on.
    with suppress(TransientFailure):
        run(first)
    run(first)
    assert len(odoo.rows("res.partner", [("email", "=", "books@maple.example")], ["id"])) == 1
    assert len(odoo.rows("account.move", [("move_type", "=", "out_invoice")], ["id"])) == 3
    assert len(odoo.rows("account.payment", [], ["id"])) == 3
    assert balances(odoo_ledger) == expected_balances(documents, settlements)
    for settlement in settlements:
        assert_settled(odoo_ledger, settlement)


def test_two_writers_at_once_leave_one_move(books: OdooLedger) -> None:
    """The second looked before the first had written: the external id decides."""
    document = an_invoice()
    books.write_drafts([document])
    with pytest.raises(TransientFailure, match="already"):
        books._moves().write([document], books._partners([PARTNER]), [])
    assert len(books.connection.rows("account.move", [], ["id"])) == 1


def test_a_move_that_was_deleted_may_be_written_again(books: OdooLedger) -> None:
    document = an_invoice()
    (draft,) = books.write_drafts([document])
    books.connection.call("account.move", "unlink", [int(draft.move_id)])
    assert books.read_moves() == ()
    (again,) = books.write_drafts([document])
    assert again.move_id != draft.move_id
    assert again.state is MoveState.DRAFT


def test_describing_prepared_books_costs_three_calls(odoo_ledger: OdooLedger) -> None:
    described = odoo_ledger.describe()
    before = odoo_ledger.connection.calls
    assert odoo_ledger.describe() == described
    assert odoo_ledger.connection.calls - before == 3


def test_a_batch_costs_a_constant_number_of_calls(books: OdooLedger) -> None:
    def calls(*documents: LedgerDocument) -> int:
        before = books.connection.calls
        posted(books, *documents)
        books.settle([a_settlement(document) for document in documents])
        return books.connection.calls - before

    one = calls(an_invoice("in_0"))
    several = calls(*(an_invoice(f"in_{index}") for index in range(1, 13)))
    assert several <= one
