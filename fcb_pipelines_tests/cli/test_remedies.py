"""Every command that a message of the package tells a person to run is there, and a test carries it out."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

import fcb_pipelines
from fcb_pipelines.cli.main import app

PACKAGE = Path(fcb_pipelines.__file__).parent
NAMES = {"fcb work", "fcb leases", "fcb ledger"}  # of threads, connections and writers
COMMAND = re.compile(r"(?<![\w/.])fcb ((?:[a-z]+ ?)+)((?: ?--[a-z]+)*)")

CODES = "remedies/test_codes.py::test_the_remedy_mends_it"
GATES = "remedies/test_gates.py::test_the_remedy_mends_it"
SETUP = "connectors/odoo/test_setup.py"
SYNC = "remedies/test_printed_by_a_sync.py"
DOCTOR = "remedies/test_printed_doctor.py"
REVIEW = "remedies/test_printed_by_a_review.py"
SECOND = f"{REVIEW}::test_where_another_person_has_to_approve_the_verb_that_is_named_posts_what_one_approved"
BOOKS = "remedies/test_printed_books.py"
VERBS = "remedies/test_printed_verbs.py"
WRITERS = "connectors/test_ledger_writers.py::test_each_write_is_refused_by_the_name_of_the_other_and_goes_on_once_that_is_done"
NOTHING_YET = f"{SYNC}::test_where_nothing_was_extracted_a_sync_is_told_and_mends_it"
CONNECTION = (
    f"{DOCTOR}::test_the_doctor_finds_the_connection_that_is_broken_and_no_fault_once_it_is_mended"
)
FAVA = f"{BOOKS}::test_fava_shows_the_file_in_which_a_person_corrects_it"
RELEASED = f"{BOOKS}::test_a_correction_that_waits_for_a_note_names_what_posts_the_note"
NOT_POSTED = (
    f"{BOOKS}::test_a_document_that_is_not_posted_yet_names_the_verb_that_writes_or_posts_it"
)
HANGING = "cli/test_dead_runs.py::test_the_doctor_names_a_run_that_hangs_and_fix_ends_it"
DEAD_EVENT = "cli/test_events.py::test_the_verbs_that_show_what_is_dead_lead_to_it"
KEYS = "cli/test_intake.py::test_the_verbs_that_are_told_make_and_list_the_keys"
# Whose own test runs every command of every remedy in them, whichever they are.
WHOLE = {"core/codes.py::Reason": CODES, "core/codes.py::ExceptionCode": CODES,
         "core/close/gates.py": GATES, "core/close/cash_gates.py": GATES}  # fmt: skip
# Command and the place that tells it -> the test that takes it out of the message in the state in which it is
# printed, runs it, and sees that it mends that or shows what it is said to show. A further message has its own
# line: of several in one place each is counted.
RUN = {
    ("fcb alerts test", "cli/alerts.py::try_out"): f"{VERBS}::test_a_file_without_a_destination_gets_one_and_the_test_that_is_named_arrives",
    ("fcb alerts test", "cli/checkups.py::_alerts"): f"{VERBS}::test_a_file_without_a_destination_gets_one_and_the_test_that_is_named_arrives",
    ("fcb books", "connectors/beancount/entries.py::_breach"): FAVA,
    ("fcb books", "connectors/beancount/loading.py::_loaded"): FAVA,
    ("fcb books", "connectors/beancount/settling.py::_Batch._receive"): FAVA,
    ("fcb demo", "cli/main.py"): "cli/test_demo.py::test_a_demo_proves_the_published_figures_and_a_second_one_posts_nothing",
    ("fcb doctor", "cli/storage.py::lost_storage"): CONNECTION,
    ("fcb doctor", "config/environment.py::_problem"): f"{DOCTOR}::test_a_variable_that_is_wrong_is_named_by_the_doctor_too",
    ("fcb doctor", "connectors/beancount/chart.py::tax_account"): f"{DOCTOR}::test_the_doctor_finds_the_tax_that_has_no_account",
    ("fcb doctor", "connectors/lago/client.py"): CONNECTION,
    ("fcb doctor", "connectors/lago/client.py::LagoReader.get.once"): CONNECTION,
    ("fcb doctor", "connectors/lago/client.py::_body"): CONNECTION,
    ("fcb doctor", "connectors/nexacloud/source.py::_no_connection"): CONNECTION,
    ("fcb doctor", "connectors/retry.py::redirected"): CONNECTION,
    ("fcb doctor", "connectors/store/own_postgres.py::transaction"): CONNECTION,
    ("fcb doctor", "connectors/store/writer.py::_lost"): CONNECTION,
    ("fcb doctor", "connectors/store/writer.py::_take"): f"{SYNC}::test_a_ledger_that_another_writes_names_what_to_look_at_and_what_to_run_then",
    ("fcb doctor", "connectors/stripe/client.py::_failure", 2): CONNECTION,
    ("fcb doctor", "core/close/alerts.py::alert_of_run"): f"{DOCTOR}::test_the_alert_of_a_run_that_failed_names_the_doctor_who_finds_why",
    ("fcb doctor", "core/dispositions/decide.py::_hold"): f"{DOCTOR}::test_the_doctor_finds_the_tax_that_has_no_account",
    ("fcb doctor --fix", "cli/checkups.py::_dagster"): HANGING,
    ("fcb doctor --fix", "core/close/alerts.py::alert_of_hanging"): HANGING,
    ("fcb doctor --fix", "defs/automation/sensors.py::dead_runs"): HANGING,
    ("fcb events deliver", "cli/events.py::replay"): "cli/test_events.py::test_a_dead_event_is_sent_again_once_a_person_says_so",
    ("fcb events list", "cli/checkups.py::_events"): DEAD_EVENT,
    ("fcb events list", "connectors/events/queue.py::EventQueue.find"): DEAD_EVENT,
    ("fcb exceptions --all", "defs/reconciliation/queue.py::_not_found"): f"{SYNC}::test_an_exception_that_is_not_there_names_the_verb_that_lists_them_all",
    ("fcb ledger correct", "core/close/options.py::alternatives"): CODES,
    ("fcb ledger setup", "connectors/beancount/books.py::BooksFolder.assert_there"): f"{BOOKS}::test_where_there_are_no_books_setup_is_told_and_makes_them",
    ("fcb ledger setup", "connectors/beancount/chart.py::Chart.name"): f"{BOOKS}::test_an_account_that_a_person_took_out_comes_back_by_setup",
    ("fcb ledger setup", "connectors/beancount/setup.py"): CODES,
    ("fcb ledger setup", "connectors/odoo/action.py::Batches.run"): f"{SETUP}::test_a_renamed_server_action_is_brought_up_to_date_and_not_doubled",
    ("fcb ledger setup", "connectors/odoo/action_code.py"): f"{SETUP}::test_a_renamed_server_action_is_brought_up_to_date_and_not_doubled",
    ("fcb ledger setup", "connectors/odoo/fields.py"): "connectors/odoo/test_life.py::test_books_of_an_older_version_get_the_fields_that_are_new",
    ("fcb ledger setup", "core/codes.py::CashReason"): f"{BOOKS}::test_a_balance_in_another_currency_gets_the_journal_and_its_money_is_booked",
    ("fcb ledger setup", "sandbox/books.py::open_books"): f"{BOOKS}::test_where_there_are_no_books_setup_is_told_and_makes_them",
    ("fcb ledger setup --unarchive", "connectors/odoo/chart.py"): f"{SETUP}::test_an_archived_part_is_told_and_brought_back_by_the_printed_command_alone",
    ("fcb post", "core/corrections/plan.py::_refused"): RELEASED,
    ("fcb post", "core/settlements/requirements.py::_posted"): NOT_POSTED,
    ("fcb post --approved", "cli/post.py::post"): SECOND,
    ("fcb post --approved", "defs/ledger/posting.py::posts"): SECOND,
    ("fcb post --approved", "cli/review.py::review"): "defs/test_month_end.py::test_every_command_of_the_page_does_what_the_page_says",
    ("fcb report", "cli/report.py::report"): f"{SYNC}::test_a_file_that_is_no_report_names_the_verb_that_writes_one",
    ("fcb report --period", "cli/report.py::_verify"): f"{SYNC}::test_a_file_that_is_no_report_names_the_verb_that_writes_one",
    ("fcb review", "cli/review.py::_check"): f"{REVIEW}::test_a_list_is_approved_by_what_the_verb_that_is_named_ends_with",
    ("fcb review", "defs/reconciliation/review.py::Review.refs"): f"{SYNC}::test_a_name_that_is_no_draft_s_names_the_verb_that_lists_the_drafts",
    ("fcb sandbox up", "cli/sandbox.py::status"): f"{VERBS}::test_without_a_sandbox_the_verb_that_starts_one_is_named",
    ("fcb sandbox up", "cli/work.py::running_sandbox"): f"{VERBS}::test_without_a_sandbox_the_verb_that_starts_one_is_named",
    ("fcb serve", "connectors/intake/health.py::ask", 2): "cli/test_intake.py::test_the_command_serves_until_it_is_asked_to_end",
    ("fcb services key list", "connectors/intake/service_keys.py::ServiceKeys.revoke"): KEYS,
    ("fcb services key new", "cli/checkups.py::_intake"): KEYS,
    ("fcb services key new", "cli/services.py::list_keys"): KEYS,
    ("fcb status", "cli/sync.py::sync"): f"{SYNC}::test_a_sync_that_is_not_complete_names_the_verb_that_shows_what_is_missing",
    ("fcb status", "connectors/store/readback_log.py::ReadBackLog.release"): f"{SYNC}::test_an_id_that_was_never_read_back_names_the_verb_that_shows_the_right_one",
    ("fcb status", "core/close/alerts.py::alert_of_proof"): f"{SYNC}::test_an_alert_of_a_proof_names_the_verb_that_shows_its_gates",
    ("fcb sync", "cli/explain.py::_payout"): NOTHING_YET,
    ("fcb sync", "cli/status.py::as_of"): NOTHING_YET,
    ("fcb sync", "connectors/beancount/checks.py::payee"): f"{SYNC}::test_a_partner_that_the_books_lost_comes_back_by_the_sync_that_is_named",
    ("fcb sync", "connectors/beancount/lock.py::BooksLock._take"): f"{SYNC}::test_books_that_another_process_holds_name_it_and_the_sync_that_goes_on",
    ("fcb sync", "connectors/nexacloud/contracts.py"): f"{SYNC}::test_a_row_that_breaks_its_contract_is_corrected_before_the_sync_that_is_named",
    ("fcb sync", "connectors/odoo/connection.py"): WRITERS,
    ("fcb sync", "connectors/odoo/ledger.py::OdooLedger._partners"): "connectors/test_ledger_writers.py::test_a_partner_that_is_not_there_is_written_by_what_a_sync_does_first",
    ("fcb sync", "connectors/store/evidence.py::EvidenceStore.get"): f"{SYNC}::test_a_kept_answer_that_is_gone_names_the_sync_that_reads_it_anew",
    ("fcb sync", "connectors/store/writer.py::_take"): f"{SYNC}::test_a_ledger_that_another_writes_names_what_to_look_at_and_what_to_run_then",
    ("fcb sync", "core/codes.py::CashReason"): f"{BOOKS}::test_a_balance_in_another_currency_gets_the_journal_and_its_money_is_booked",
    ("fcb sync", "core/close/alerts.py::alert_of_overdue"): "defs/test_alerts.py::test_after_a_sync_the_watchdog_tells_nothing",
    ("fcb sync", "core/close/gates.py::listing_gate"): GATES,
    ("fcb sync", "core/corrections/plan.py::_refused"): RELEASED,
    ("fcb sync", "core/settlements/requirements.py::_posted"): NOT_POSTED,
    ("fcb sync", "defs/automation/window.py::_extracted"): NOTHING_YET,
    ("fcb sync", "defs/runtime/reading.py::_read"): NOTHING_YET,
    ("fcb sync", "defs/runtime/snapshots.py::one_snapshot"): f"{SYNC}::test_extracts_of_two_snapshots_name_the_sync_that_reads_one",
    ("fcb sync --full", "cli/erase.py::erase"): f"{SYNC}::test_an_answer_in_use_is_erased_after_the_sync_that_is_named",
    ("fcb sync --period", "core/close/cash_gates.py::balance_gate"): GATES,
    ("fcb sync --period", "core/close/options.py::alternatives", 2): CODES,
    ("fcb sync --period", "defs/close/assets.py::report"): f"{SYNC}::test_a_month_that_was_never_built_names_the_sync_that_builds_it",
}  # fmt: skip
HELP = "It says what an argument or a field takes; it is no remedy."
# Those that no test runs in the state in which they are told, each with the reason.
NOT_RUN = {
    ("fcb books", "connectors/beancount/cash_calls.py::CashCalls.state_balances"):
        "Beancount would have to deny a sum that our own reading of the same postings has: no edit of a person leads there.",
    ("fcb doctor", "connectors/store/own_postgres.py::_failed"):
        "The connection is lost within a statement; the same row of the doctor is run for one that does not come about.",
    ("fcb doctor", "connectors/store/places.py::_asking", 2):
        "Of an object store that refuses; one that does not answer is run (test_the_doctor_finds_a_store_that_does_not_answer).",
    ("fcb events list", "cli/events.py"): HELP,
    ("fcb review", "cli/post.py::post"): HELP,
    ("fcb services key new", "api/access.py"): HELP,
    ("fcb status", "cli/ledger.py::correct"): HELP,
    ("fcb status", "cli/ledger.py::release"): HELP,
    ("fcb status", "defs/ledger/correcting.py::CorrectionConfig"): HELP,
}  # fmt: skip


@cache
def told() -> Counter[tuple[str, str]]:
    """Command and place (file, and what it is in) -> how many texts there tell it; help and docstrings left out."""
    found: Counter[tuple[str, str]] = Counter()
    for file in sorted(PACKAGE.rglob("*.py")):
        if "sandbox/scenarios" in str(file):
            continue
        for scope, text in texts(ast.parse(file.read_text("utf-8"))):
            if text in NAMES:
                continue
            place = "::".join((str(file.relative_to(PACKAGE)), *([scope] if scope else ())))
            for verbs, options in COMMAND.findall(text):
                named = " ".join(["fcb", *known_verbs(verbs.split()), *options.split()])
                found[named, place] += 1
    return found


def texts(tree: ast.AST, scope: str = "") -> Iterator[tuple[str, str]]:
    """The strings of a module with what they are in, those written in pieces whole; no docstring."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from texts(node, f"{scope}.{node.name}".removeprefix("."))
        elif isinstance(node, ast.JoinedStr):
            yield scope, "".join(map(piece, node.values))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield scope, node.value
        else:
            yield from texts(node, scope)


def piece(node: ast.expr) -> str:
    """A part of a string that is written in pieces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    is_setup = isinstance(node, ast.FormattedValue) and ast.unparse(node.value) == "SETUP"
    return "fcb ledger setup" if is_setup else "…"


def known_verbs(words: list[str]) -> list[str]:
    """The words that are verbs; what follows in a sentence is none. The first must be one."""
    command: Any = typer.main.get_command(app)
    verbs: list[str] = []
    for word in words:
        if not hasattr(command, "commands"):
            break
        assert word in command.commands, f"no verb {word!r} in fcb {' '.join(words)}"
        command = command.commands[word]
        verbs.append(word)
    return verbs


def options_of(verbs: list[str]) -> set[str]:
    """The options of a verb."""
    command: Any = typer.main.get_command(app)
    for verb in verbs:
        command = command.commands[verb]
    return {option for each in command.params for option in each.opts}


def counted(table: Iterable[tuple[Any, ...]]) -> Counter[tuple[str, str]]:
    """How many texts of a place the lines of a table are of: one, unless a line says more."""
    return Counter({(line[0], line[1]): line[2] if len(line) > 2 else 1 for line in table})


def test_every_command_that_is_told_is_run_in_the_state_in_which_it_is_told() -> None:
    named = counted([*RUN, *NOT_RUN])
    assert not counted(RUN).keys() & counted(NOT_RUN).keys()
    assert {line: times for line, times in told().items() if line[1] not in WHOLE} == named


@pytest.mark.parametrize("test", sorted({*RUN.values(), *WHOLE.values()}))
def test_the_test_that_runs_a_command_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (Path(__file__).parents[1] / file).read_text("utf-8")


def test_every_option_that_is_told_is_one_of_its_command() -> None:
    for command, _ in told():
        verbs = [word for word in command.split()[1:] if not word.startswith("--")]
        given = {word for word in command.split() if word.startswith("--")}
        assert given <= options_of(verbs), command
