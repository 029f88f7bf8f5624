"""Every command that a message of the package tells a person to run is there, with its options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import fcb_pipelines
from fcb_pipelines.cli.main import app

PACKAGE = Path(fcb_pipelines.__file__).parent
NAMES = {"fcb work", "fcb leases"}  # of threads and connections
COMMAND = re.compile(r"(?<![\w/.])fcb ((?:[a-z]+ ?)+)((?: ?--[a-z]+)*)")

CODES = "remedies/test_codes.py::test_the_remedy_mends_it"
GATES = "remedies/test_gates.py::test_the_remedy_mends_it"
SETUP = "connectors/odoo/test_setup.py"
# Command and the file that tells it -> the test that runs it in the state in which it is told, and sees that it
# mends it. A command that is told anew comes here.
RUN = {
    ("fcb doctor --fix", "cli/checkups.py"): "cli/test_dead_runs.py::test_the_doctor_names_a_run_that_hangs_and_fix_ends_it",
    ("fcb events deliver", "core/close/gates.py"): GATES,
    ("fcb ledger release", "core/close/cash_gates.py"): GATES,
    ("fcb sync", "core/close/alerts.py"): "defs/test_alerts.py::test_after_a_sync_the_watchdog_tells_nothing",
    ("fcb sync", "core/close/cash_gates.py"): GATES,
    ("fcb sync --period", "core/close/cash_gates.py"): GATES,
    ("fcb events drop", "core/close/gates.py"): GATES,
    ("fcb events replay", "core/close/gates.py"): GATES,
    ("fcb ledger correct", "core/close/options.py"): CODES,
    ("fcb ledger correct", "core/codes.py"): CODES,
    ("fcb ledger release", "core/codes.py"): CODES,
    ("fcb ledger setup", "connectors/beancount/setup.py"): CODES,
    ("fcb ledger setup", "connectors/odoo/action.py"): f"{SETUP}::test_a_renamed_server_action_is_brought_up_to_date_and_not_doubled",
    ("fcb ledger setup", "connectors/odoo/action_code.py"): f"{SETUP}::test_a_renamed_server_action_is_brought_up_to_date_and_not_doubled",
    ("fcb ledger setup", "connectors/odoo/fields.py"): "connectors/odoo/test_life.py::test_books_of_an_older_version_get_the_fields_that_are_new",
    ("fcb ledger setup", "core/codes.py"): CODES,
    ("fcb ledger setup --unarchive", "connectors/odoo/chart.py"): f"{SETUP}::test_an_archived_part_is_told_and_brought_back_by_the_printed_command_alone",
    ("fcb post --approved", "cli/review.py"): "defs/test_month_end.py::test_every_command_of_the_page_does_what_the_page_says",
    ("fcb status", "core/close/gates.py"): GATES,
    ("fcb sync", "core/close/gates.py"): GATES,
    ("fcb sync", "core/codes.py"): CODES,
    ("fcb sync --period", "core/close/gates.py"): GATES,
    ("fcb sync --period", "core/close/options.py"): CODES,
}  # fmt: skip
# Of these a test holds that command and options are there; none of them says that it mends more than it shows.
NAMED_ONLY = {
    "fcb alerts test": {"cli/alerts.py", "cli/checkups.py"},
    "fcb books": {"connectors/beancount/cash_calls.py", "connectors/beancount/entries.py", "connectors/beancount/loading.py", "connectors/beancount/settling.py"},
    "fcb demo": {"cli/main.py"},
    "fcb doctor": {
        "cli/storage.py", "config/environment.py", "connectors/beancount/chart.py", "connectors/lago/client.py",
        "connectors/nexacloud/source.py", "connectors/retry.py", "connectors/store/places.py",
        "connectors/store/own_postgres.py", "connectors/store/writer.py", "connectors/stripe/client.py",
        "core/close/alerts.py", "core/dispositions/decide.py",
    },
    "fcb doctor --fix": {"core/close/alerts.py", "defs/automation/sensors.py"},
    "fcb events deliver": {"cli/events.py"},
    "fcb events list": {"cli/checkups.py", "cli/events.py", "connectors/events/queue.py"},
    "fcb events show": {"core/close/gates.py"},
    "fcb exceptions --all": {"defs/reconciliation/queue.py"},
    "fcb ledger setup": {"connectors/beancount/books.py", "connectors/beancount/chart.py", "sandbox/books.py"},
    "fcb post": {"core/corrections/plan.py", "core/settlements/requirements.py"},
    "fcb post --approved": {"cli/post.py", "defs/ledger/posting.py"},
    "fcb report": {"cli/report.py"},
    "fcb report --period": {"cli/report.py"},
    "fcb review": {"cli/post.py", "cli/review.py", "defs/reconciliation/review.py"},
    "fcb sandbox up": {"cli/sandbox.py", "cli/work.py"},
    "fcb serve": {"connectors/intake/health.py"},
    "fcb services key list": {"connectors/intake/service_keys.py"},
    "fcb services key new": {"api/access.py", "cli/checkups.py", "cli/services.py"},
    "fcb status": {"cli/ledger.py", "core/close/alerts.py", "cli/sync.py", "connectors/store/readback_log.py", "defs/ledger/correcting.py"},
    "fcb sync": {
        "cli/explain.py", "cli/status.py",
        "connectors/beancount/checks.py", "connectors/nexacloud/contracts.py", "connectors/odoo/ledger.py",
        "connectors/store/evidence.py", "connectors/store/writer.py", "core/corrections/plan.py",
        "core/settlements/requirements.py", "defs/automation/window.py", "defs/runtime/reading.py",
        "defs/runtime/snapshots.py",
    },
    "fcb sync --full": {"cli/erase.py"},
    "fcb sync --period": {"defs/close/assets.py"},
}  # fmt: skip


def told() -> dict[str, set[str]]:
    """Command as told in a text -> the files that tell it; help and docstrings left out."""
    found: dict[str, set[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        if "sandbox/scenarios" in str(file):
            continue
        for text in texts(ast.parse(file.read_text("utf-8"))):
            if text in NAMES:
                continue
            for verbs, options in COMMAND.findall(text):
                named = " ".join(["fcb", *known_verbs(verbs.split()), *options.split()])
                found.setdefault(named, set()).add(str(file.relative_to(PACKAGE)))
    return found


def texts(tree: ast.Module) -> Iterator[str]:
    """The strings of a module, those written in pieces whole; no docstring."""
    docs = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "fcb ledger setup"
                if isinstance(part, ast.FormattedValue) and ast.unparse(part.value) == "SETUP"
                else "…"
                for part in node.values
            )  # fmt: skip
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.value


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


def test_every_command_that_is_told_is_one_of_the_tables() -> None:
    named = {(command, file) for command, files in NAMED_ONLY.items() for file in files}
    assert named.isdisjoint(RUN)
    assert {(command, file) for command, files in told().items() for file in files} == {
        *RUN,
        *named,
    }


@pytest.mark.parametrize("test", sorted({*RUN.values()}))
def test_the_test_that_runs_a_command_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (Path(__file__).parents[1] / file).read_text("utf-8")


def test_every_option_that_is_told_is_one_of_its_command() -> None:
    for command in told():
        verbs = [word for word in command.split()[1:] if not word.startswith("--")]
        given = {word for word in command.split() if word.startswith("--")}
        assert given <= options_of(verbs), command
