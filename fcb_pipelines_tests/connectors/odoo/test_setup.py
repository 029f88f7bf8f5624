"""What a person does to the parts that setup made, in a real Odoo; each printed remedy is run as printed."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fcb_pipelines.cli.ledger import assert_gone
from fcb_pipelines.cli.main import app
from fcb_pipelines.connectors.failures import NotAllowed, PermanentFailure
from fcb_pipelines.connectors.odoo.action_code import MODULE
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.connectors.odoo.views import VIEWS
from fcb_pipelines_tests.documents import SETTINGS, a_partner, a_settlement, an_invoice
from fcb_pipelines_tests.ledgers import assert_settled, assert_stands, written
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = pytest.mark.odoo

INCOME, OUTSTANDING, STRIPE = SETTINGS.families[0].account.code, "111321", "NCSTR"
Run = Callable[[str], int]


@pytest.fixture
def run(prepared_books: OdooBooks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a printed command against these books; its exit code."""
    # Setup opens the ledger alone; some connection must be named for it to be an operator's.
    lent = {**prepared_books.environment, "FCB_HOME": str(tmp_path), "FCB_LEDGER": "odoo",
            "FCB_POSTGRES_URL": "postgresql+psycopg2://nobody@127.0.0.1:9/none"}  # fmt: skip
    for name, value in lent.items():
        monkeypatch.setenv(name, value)

    def command(remedy: str) -> int:
        program, *arguments = shlex.split(remedy)
        assert program == "fcb"
        return CliRunner().invoke(app, arguments).exit_code

    return command


def told(ledger: OdooLedger) -> dict[str, str]:
    """What is missing -> its remedy."""
    return {f"{part.what} {part.name}": part.remedy for part in ledger.describe().missing}


def count(odoo: OdooConnection, model: str, code: str) -> int:
    """How many records have this code, archived ones too."""
    return len(odoo.rows(model, [("code", "=", code)], ["id"], archived=True))


def change(odoo: OdooConnection, model: str, code: str, /, **values: object) -> int:
    """A person's change of the record with this code; its id."""
    (row,) = odoo.rows(model, [("code", "=", code)], ["id"], archived=True)
    odoo.call(model, "write", [row["id"]], values)
    return int(row["id"])


def works(ledger: OdooLedger) -> None:
    """An invoice is written, posted and paid."""
    ledger.upsert_partners([a_partner()])
    document = an_invoice()
    payment = a_settlement(document)
    written(ledger, document)
    ledger.settle([payment])
    assert_stands(ledger, document)
    assert_settled(ledger, payment)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("account.account", INCOME),
        pytest.param("account.account", OUTSTANDING, marks=pytest.mark.long),
        ("account.journal", STRIPE),
    ],
)
def test_an_archived_part_is_told_and_brought_back_by_the_printed_command_alone(
    odoo_ledger: OdooLedger, run: Run, model: str, code: str
) -> None:
    odoo = odoo_ledger.connection
    change(odoo, model, code, active=False)
    (remedy,) = told(odoo_ledger).values()
    assert remedy == "fcb ledger setup --unarchive"
    with pytest.raises(PermanentFailure, match="archived"):
        works(odoo_ledger)
    assert {step.outcome for step in odoo_ledger.setup()} == {"found"}
    assert (count(odoo, model, code), set(told(odoo_ledger).values())) == (1, {remedy})
    assert run(remedy) == 0
    assert (count(odoo, model, code), told(odoo_ledger)) == (1, {})
    works(OdooLedger(odoo, SETTINGS))


def test_an_archived_part_that_a_person_brings_back_is_the_only_one_of_its_code(
    odoo_ledger: OdooLedger,
) -> None:
    odoo = odoo_ledger.connection
    change(odoo, "account.account", INCOME, active=False)
    odoo_ledger.setup()
    change(odoo, "account.account", INCOME, active=True)
    assert (count(odoo, "account.account", INCOME), told(odoo_ledger)) == (1, {})


def test_a_journal_with_another_code_and_name_goes_on_working(odoo_ledger: OdooLedger) -> None:
    odoo = odoo_ledger.connection
    change(odoo, "account.journal", STRIPE, code="CARDS", name="Cards")
    assert told(odoo_ledger) == {}
    steps = odoo_ledger.setup()
    assert {step.outcome for step in steps} == {"found"}
    assert f"{STRIPE} Cards (now CARDS)" in {step.name for step in steps}
    assert (count(odoo, "account.journal", STRIPE), count(odoo, "account.journal", "CARDS")) == (
        0,
        1,
    )
    works(OdooLedger(odoo, SETTINGS))


def test_an_account_with_another_code_is_told_and_no_second_one_is_made(
    odoo_ledger: OdooLedger,
) -> None:
    odoo = odoo_ledger.connection
    account = change(odoo, "account.account", INCOME, code="499999")
    ((name, remedy),) = told(odoo_ledger).items()
    assert INCOME in name
    assert f"has the code 499999 in Odoo now: give it {INCOME} again" in remedy
    assert {step.outcome for step in odoo_ledger.setup()} == {"found"}
    assert count(odoo, "account.account", INCOME) == 0
    odoo.call("account.account", "write", [account], {"code": INCOME})
    assert told(odoo_ledger) == {}
    works(OdooLedger(odoo, SETTINGS))


def test_two_accounts_of_one_code_are_told_until_one_is_archived(odoo_ledger: OdooLedger) -> None:
    """Setup of an earlier version made a second one beside an archived one."""
    odoo = odoo_ledger.connection
    first = change(odoo, "account.account", INCOME, active=False)
    values = {"code": INCOME, "name": "Hosting again", "account_type": "income"}
    (second,) = odoo.call("account.account", "create", [values])
    assert told(odoo_ledger) == {}
    odoo.call("account.account", "write", [first], {"active": True})
    (remedy,) = told(odoo_ledger).values()
    assert "archive one of them in Odoo" in remedy
    assert f"(id {first})" in remedy
    odoo.call("account.account", "write", [second], {"active": False})
    assert told(odoo_ledger) == {}
    assert {step.outcome for step in odoo_ledger.setup()} <= {"found", "made"}
    works(OdooLedger(odoo, SETTINGS))


def test_books_of_an_earlier_version_get_their_external_ids_once(odoo_ledger: OdooLedger) -> None:
    odoo = odoo_ledger.connection
    ours = [("module", "=", MODULE), ("name", "=like", "setup:%")]
    before = odoo.rows("ir.model.data", ours, ["name", "model", "res_id"])
    assert len({row["name"] for row in before}) > 12
    odoo.call("ir.model.data", "unlink", [row["id"] for row in before])
    # A view is known by its external id alone.
    assert set(told(odoo_ledger)) == {f"view {view.name}" for view in VIEWS}
    fresh = OdooLedger(odoo, SETTINGS)
    dry = {step.what: step.outcome for step in fresh.setup(dry_run=True)}
    assert dry["external ids"] == "would make"
    assert odoo.rows("ir.model.data", ours, ["id"]) == []
    made = [step.what for step in fresh.setup() if step.outcome == "made"]
    assert made == ["external ids", "view", "view", "view"]
    after = odoo.rows("ir.model.data", ours, ["name", "model", "res_id"])
    key = [{**row, "id": 0} for row in before]
    assert sorted(map(str, key)) == sorted(str({**row, "id": 0}) for row in after)
    assert {step.outcome for step in fresh.setup()} == {"found"}


def test_a_renamed_server_action_is_brought_up_to_date_and_not_doubled(
    odoo_ledger: OdooLedger,
) -> None:
    odoo = odoo_ledger.connection
    actions = odoo.rows("ir.actions.server", [("name", "ilike", MODULE)], ["id"])
    odoo.call("ir.actions.server", "write", [each["id"] for each in actions], {"name": "Ours"})
    field = [("model", "=", "account.move"), ("name", "=", "x_fc_source_ref")]
    (helped,) = odoo.rows("ir.model.fields", field, ["id"])
    odoo.call("ir.model.fields", "write", [helped["id"]], {"help": "Nothing."})
    fresh = OdooLedger(odoo, SETTINGS)
    assert set(told(fresh).values()) == {"fcb ledger setup"}
    fresh.setup()
    assert told(fresh) == {}
    assert len(actions) == 2
    assert odoo.rows("ir.actions.server", [("name", "ilike", MODULE)], ["id"]) == actions


# --- rights -----------------------------------------------------------------------------------


def as_user(books: OdooBooks, *groups: str) -> OdooLedger:
    """The ledger as a user with these groups alone."""
    return OdooLedger(books.as_user(*groups).connection(), SETTINGS)


@pytest.mark.parametrize(
    ("groups", "lacking", "grant"),
    [
        (("invoicing",), {"create res.partner"}, "'Contact Creation'"),
        (("read only",), {
            "create account.move", "unlink account.move", "create account.payment",
            "write account.partial.reconcile", "create res.partner",
        }, "'Accounting: Invoicing'"),
        (("invoicing", "contacts"), set(), ""),
    ],
    ids=["invoicing alone", "read only", "the least that suffices"],
)  # fmt: skip
def test_what_a_user_may_not_do_is_told_before_anything_is_written(
    prepared_books: OdooBooks, groups: tuple[str, ...], lacking: set[str], grant: str
) -> None:
    missing = as_user(prepared_books, *groups).describe().missing
    assert {(part.what, part.name) for part in missing} == {("right", name) for name in lacking}
    assert all(part.is_needed for part in missing)
    assert grant in "; ".join(part.remedy for part in missing)


def test_a_user_without_any_right_in_accounting_is_told_which_to_grant(
    prepared_books: OdooBooks,
) -> None:
    with pytest.raises(NotAllowed) as refused:
        as_user(prepared_books, "contacts").describe()
    assert "'Accounting: Invoicing'" in str(refused.value.remedy)


def test_setup_names_what_its_user_lacks_and_makes_nothing(odoo_books: OdooConnection) -> None:
    books = OdooBooks(url=odoo_books.url, database=odoo_books.database)
    daily = as_user(books, "invoicing", "contacts")
    before = daily.describe().missing
    assert before
    with pytest.raises(NotAllowed, match=r"may not create account\.account") as refused:
        daily.setup()
    assert "'Administration: Settings'" in str(refused.value.remedy)
    assert daily.describe().missing == before
    setter = as_user(books, "accountant", "settings")
    setter.setup()
    assert daily.describe().missing == ()


@pytest.mark.parametrize("what", ["document", "payment"])
def test_an_id_that_a_cancelled_entry_still_has_is_not_released(
    odoo_ledger: OdooLedger, what: str
) -> None:
    works(odoo_ledger)
    ref = an_invoice().ref if what == "document" else a_settlement(an_invoice()).ref
    (row,) = odoo_ledger.connection.rows("account.move", [("x_fc_source_ref", "=", ref)], ["id"])
    odoo_ledger.connection.call("account.move", "button_draft", [row["id"]])
    odoo_ledger.connection.call("account.move", "button_cancel", [row["id"]])
    with pytest.raises(NotAllowed, match="still in the ledger, cancelled"):
        assert_gone(odoo_ledger, ref)
    odoo_ledger.connection.call("account.move", "button_draft", [row["id"]])
    odoo_ledger.connection.call("account.move", "unlink", [row["id"]])
    assert_gone(odoo_ledger, ref)
