"""The documents say what the code says: closed lists, fields, variables, verbs, links."""

import ast
import dataclasses
import inspect
import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer
import yaml
from pydantic import BaseModel

from fcb_pipelines.cli.main import app
from fcb_pipelines.config import environment
from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.connectors.nexacloud.tables import SERVICE_TABLES, column_names
from fcb_pipelines.connectors.sources import Source
from fcb_pipelines.core.agreement.policy import FIELD_POLICIES
from fcb_pipelines.core.cash.clearing import ClearingState
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.close.owners import OF_EXCEPTIONS, OF_HOLDS, Owner, owner_of
from fcb_pipelines.core.close.review import (
    LARGE,
    Approval,
    DraftRow,
    DraftTotals,
    Odd,
    Oddity,
    ReviewJson,
)
from fcb_pipelines.core.close.shapes import (
    CurrencyTotals,
    Document,
    GateDetail,
    Line,
    Period,
    QueueJson,
    QueueRow,
    Settled,
    StatusJson,
)
from fcb_pipelines.core.codes import CashReason, ExceptionCode, Method, Reason, Verdict
from fcb_pipelines.core.company.charges import Aggregation, ChargeModel
from fcb_pipelines.core.company.settings import Account, Journal, Settings
from fcb_pipelines.core.metering.dual_run import CAUSES, MeteringVerdict
from fcb_pipelines.core.metering.leaks import LeakKind
from fcb_pipelines.core.metering.shapes import Figures, MeteringStatus
from fcb_pipelines.core.metering.usage import RemarkKind
from fcb_pipelines.core.settlements.routes import route
from fcb_pipelines.defs.sources.entry import SourceEntry
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines.sandbox.dataset import _KNOWN as DATASET_FIELDS
from fcb_pipelines_tests.documents import SETTINGS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md"), *(ROOT / "deploy").glob("*.md")])

GATES_PAGE = (DOCS / "gates.md").read_text()
CONFIGURATION = (DOCS / "configuration.md").read_text()
ACCOUNTING = (DOCS / "accounting.md").read_text()
STATUS = (DOCS / "status.md").read_text()
METERING = (DOCS / "metering.md").read_text()

# Parts that stand in many places of the file and are described once, by their own name.
SHARED_PARTS: Mapping[type[BaseModel], str] = {Account: "account", Journal: "journal"}


def section(page: str, heading: str) -> str:
    """The text under one heading, up to the next of the same or a higher rank."""
    level = heading.index(" ")
    begin = page.index(f"\n{heading}\n") + len(heading) + 2
    after = re.search(rf"^#{{1,{level}}} ", page[begin:], re.MULTILINE)
    return page[begin : begin + after.start()] if after else page[begin:]


def rows(text: str) -> list[list[str]]:
    """The rows of every table whose first cell is one name in backticks, as cells."""
    found = []
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if re.fullmatch(r"`[^`]+`", cells[0]):
                found.append([cells[0].strip("`"), *cells[1:]])
    return found


def names(text: str) -> list[str]:
    """The first cells of those rows."""
    return [row[0] for row in rows(text)]


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("## Gates", list(GATES)),
        ("## Reasons of a skip", [r for r in Reason if r.verdict is Verdict.SKIP]),
        ("## Reasons of a hold", [r for r in Reason if r.verdict is Verdict.HOLD]),
        ("## Exceptions", list(ExceptionCode)),
    ],
)
def test_the_gates_page_has_exactly_the_names_of_the_code(heading: str, known: list[str]) -> None:
    assert names(section(GATES_PAGE, heading)) == known


def test_the_gates_page_tells_whom_each_code_waits_for() -> None:
    told = rows(section(GATES_PAGE, "## Whom it waits for"))
    found = {
        row[0]: (row[1], *(re.findall(r"`([a-z_]+)`", cell) for cell in row[2:])) for row in told
    }
    assert found == {
        owner.value: (
            owner.meaning,
            *([c for c in table if table[c] is owner] for table in (OF_HOLDS, OF_EXCEPTIONS)),  # type: ignore[index]
        )
        for owner in Owner
    }


@pytest.mark.parametrize("name", GATES)
def test_a_gate_is_described_in_the_words_of_the_code(name: str) -> None:
    (row,) = [row for row in rows(section(GATES_PAGE, "## Gates")) if row[0] == name]
    _, scope, seen_on, effect, proves, recovery = row
    gate = GATES[name]
    assert scope == gate.scope
    # `nexacloud/users`, `invoices`: the folder is written once.
    first, *others = re.findall(r"`([a-z_/]+)`", seen_on)
    folder = first.partition("/")[0]
    assert (first, *(f"{folder}/{noun}" for noun in others)) == gate.seen_on
    assert (effect == "stops") is gate.blocking
    assert (proves, recovery.rstrip(" |")) == (gate.proves, gate.recovery)


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        *((f"## Reasons of a {reason.verdict}", reason) for reason in Reason),
        *(("## Exceptions", code) for code in ExceptionCode),
    ],
)
def test_a_reason_is_described_in_the_words_of_the_code(
    heading: str, known: Reason | ExceptionCode
) -> None:
    (row,) = [row for row in rows(section(GATES_PAGE, heading)) if row[0] == known]
    assert [row[1], row[2].rstrip(" |")] == [known.meaning, known.remedy]


def parts_of(hint: Any) -> Iterator[Any]:
    """A type and everything inside it: tuple[Tax, ...] gives Tax."""
    yield hint
    for inner in get_args(hint):
        if inner is not types.NoneType:
            yield from parts_of(inner)


def fields_of(part: type[BaseModel], path: str = "") -> Iterator[str]:
    """Every field of the configuration by its path; members of a list as `taxes[].key`."""
    for name, field in part.model_fields.items():
        models = [
            one
            for one in parts_of(field.annotation)
            if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        listed = "tuple" in str(field.annotation)
        inside = [one for one in models if one not in SHARED_PARTS]
        if not inside or listed or not field.is_required():
            yield f"{path}{name}"
        for one in inside:
            yield from fields_of(one, f"{path}{name}{'[]' if listed else ''}.")


def test_every_field_of_the_configuration_is_described_and_no_other() -> None:
    known = list(fields_of(Settings))
    for part, name in SHARED_PARTS.items():
        known += [f"{name}.{field}" for field in part.model_fields]
    described = names(section(CONFIGURATION, "## The configuration file"))
    assert sorted(described) == sorted(known)


@pytest.mark.parametrize("name", [n for n in fields_of(Settings) if "." not in n])
def test_a_field_is_called_required_just_where_it_has_no_default(name: str) -> None:
    (row,) = [row for row in rows(CONFIGURATION) if row[0] == name]
    assert row[1].startswith("required") is Settings.model_fields[name].is_required()


def test_the_packaged_values_that_are_quoted_are_the_packaged_ones() -> None:
    packaged = yaml.safe_load(PACKAGED.read_text())
    for name, default, *_ in rows(section(CONFIGURATION, "## The configuration file")):
        quoted = re.search(r"packaged `([^`]+)`", default)
        value: Any = packaged
        if quoted and "[]" not in name:
            for step in name.split("."):
                value = value[step]
            assert quoted.group(1) == (value["code"] if isinstance(value, dict) else value), name


def test_every_variable_of_the_environment_is_described_and_no_other() -> None:
    described = names(section(CONFIGURATION, "## Environment variables"))
    assert sorted(described) == sorted(environment.VARIABLES)


def test_every_field_policy_is_told_as_it_is() -> None:
    told = rows(section(ACCOUNTING, "## Field policy: whose word counts"))
    assert [[*row[:-1], row[-1].rstrip(" |")] for row in told] == [
        [name, one.source, one.nexacloud, one.ledger, one.why]
        for name, one in FIELD_POLICIES.items()
    ]


def test_every_supported_case_is_treated_in_the_accounting_page() -> None:
    expected = [
        *(f"A{n}" for n in range(1, 14)),
        *(f"B{n}" for n in range(1, 14)),
        *(f"T{n}" for n in range(1, 8)),
        *(f"S{n}" for n in range(1, 14)),
        *(f"D{n}" for n in range(1, 7)),
    ]
    assert re.findall(r"^\| ([A-Z]\d+) \|", ACCOUNTING, re.MULTILINE) == expected


@pytest.mark.parametrize("method", Method)
def test_the_entry_of_a_method_is_told_as_it_is_booked(method: Method) -> None:
    told = {row[0]: row[2:] for row in rows(section(ACCOUNTING, "### The entry of each method"))}
    assert [*told] == [each.value for each in Method]
    if method is Method.CREDIT_NOTE:
        assert not "".join(told[method.value]).strip(" |")
        return
    taken = route(method, SETTINGS)
    codes = {"receivable": None}
    for name in ("stripe", "off_platform", "customer_credit", "adjustments"):
        journal = getattr(SETTINGS.journals, name)
        codes[f"`journals.{name}`"] = journal.code
        codes[f"`journals.{name}.outstanding`"] = journal.outstanding
    for name in type(SETTINGS.accounts).model_fields:
        codes[f"`accounts.{name}`"] = getattr(SETTINGS.accounts, name)
    journal, debit, credit = (codes[cell.strip(" |")] for cell in told[method.value])
    assert (journal, debit, credit) == (taken.journal, taken.through, taken.against)


def test_every_code_that_the_accounting_page_names_exists() -> None:
    for kind, known in (
        ("skip", [r for r in Reason if r.verdict is Verdict.SKIP]),
        ("hold", [r for r in Reason if r.verdict is Verdict.HOLD]),
        ("exception", list(ExceptionCode)),
        ("gate", GATES),
    ):
        named = set(re.findall(rf"\b{kind} `([a-z_]+)`", ACCOUNTING))
        assert named <= set(known), f"{kind}: {named - set(known)}"


def test_every_reason_and_exception_has_its_case() -> None:
    named = set(re.findall(r"`([a-z_]+)`", ACCOUNTING))
    # What belongs to no accounting case: the copies, and the plumbing.
    plain = {
        "account_missing",
        "after_open_period",
        "not_written",
        "refused_by_ledger",
        "stale_draft",
    }
    assert ({*Reason} | {*ExceptionCode}) - named == plain


def test_the_reasons_and_states_of_cash_are_told_in_the_words_of_the_code() -> None:
    page = (DOCS / "cash.md").read_text()
    assert [[*row[:2], row[2].rstrip(" |")] for row in rows(section(page, "## Reasons"))] == [
        [code.value, code.meaning, code.remedy] for code in CashReason
    ]
    assert names(section(page, "## What proves it")) == list(ClearingState)


def test_every_field_of_a_dataset_is_described() -> None:
    table = section((DOCS / "datasets.md").read_text(), "## The folder")
    named = {field.split(".")[0] for field in re.findall(r"`([a-z_.]+)`", table)}
    assert set(DATASET_FIELDS) <= named


def test_the_page_of_the_dual_run_has_the_causes_and_verdicts_of_the_code() -> None:
    text = section(METERING, "## Verdicts and causes")
    told = {row[0]: [row[1], row[2], row[-1].rstrip(" |")] for row in rows(text) if len(row) == 4}
    assert told == {
        cause.value: [one.verdict.value, "yes" if one.explains else "no", one.meaning]
        for cause, one in CAUSES.items()
    }
    assert [row[0] for row in rows(text) if len(row) == 2] == list(MeteringVerdict)


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("## Charges", [*ChargeModel, *Aggregation]),
        ("## Usage that comes twice, or late", RemarkKind),
        ("## The leak view", LeakKind),
        ("## Several services", SERVICE_TABLES),
    ],
)
def test_the_page_of_the_dual_run_has_the_closed_lists_of_the_code(
    heading: str, known: Iterable[str]
) -> None:
    assert names(section(METERING, heading)) == list(known)


@pytest.mark.parametrize("table", SERVICE_TABLES)
def test_the_tables_of_other_services_are_described_by_their_contract(table: str) -> None:
    (row,) = [row for row in rows(section(METERING, "## Several services")) if row[0] == table]
    # Values that a column may have stand in brackets.
    told = re.findall(r"`([a-z_]+)`", re.sub(r"\(.*?\)", "", row[1]))
    assert tuple(told) == column_names(table)


def test_the_registry_that_the_page_shows_can_be_read() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", METERING, re.DOTALL)
    told = {**yaml.safe_load(PACKAGED.read_text()), **yaml.safe_load(example)}
    services = Settings.model_validate(told).services
    assert [one.key for one in services] == ["nexacloud", "nexadesk", "nexamaps"]


# Each part of the status JSON: the heading of its table, its shape, and where the example has it.
STATUS_PARTS = (
    ("## Top level", StatusJson, ()),
    ("## A period", Period, ("periods", "2026-04")),
    ("## A gate that does not pass", GateDetail, ("gate_details", 0)),
    ("## A document", Document, ("documents", 0)),
    ("## Totals of a currency", CurrencyTotals, ("totals", "CAD")),
    ("## Metering", MeteringStatus, ("metering",)),
    ("## Figures of the dual run", Figures, ("metering", "periods", "2026-04")),
)


@pytest.mark.parametrize(
    ("shape", "path"),
    [
        *((shape, path) for _, shape, path in STATUS_PARTS),
        (Figures, ("metering", "services", "nexacloud")),
        (Line, ("documents", 0, "lines", 0)),
        (Settled, ("documents", 0, "settlements", 0)),
    ],
)
def test_the_example_of_the_status_has_the_shape_that_the_code_gives(
    shape: type[Any], path: Iterable[str | int]
) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", STATUS, re.DOTALL)
    told = json.loads(example)
    for step in path:
        told = told[step]
    assert told.keys() == get_type_hints(shape).keys()


@pytest.mark.parametrize(("heading", "shape"), [part[:2] for part in STATUS_PARTS])
def test_every_field_of_the_status_is_described_and_no_other(
    heading: str, shape: type[Any]
) -> None:
    cells = [line.split(" | ")[0] for line in section(STATUS, heading).splitlines()]
    told = [n for cell in cells if cell.startswith("| `") for n in re.findall("`(.+?)`", cell)]
    assert told == list(get_type_hints(shape))


def test_the_example_of_the_queue_has_the_shape_that_the_code_gives() -> None:
    page = section((DOCS / "commands.md").read_text(), "## `fcb exceptions --json`")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    told = json.loads(example)
    assert told.keys() == get_type_hints(QueueJson).keys()
    (row,) = told["exceptions"]
    assert row.keys() == get_type_hints(QueueRow).keys()
    assert row["owner"] == owner_of(ExceptionCode.of(row["code"]))


def test_the_page_of_commands_shows_a_review_as_it_is() -> None:
    page = (DOCS / "commands.md").read_text()
    (example,) = re.findall(
        r"```json\n(.*?)```", section(page, "## `fcb review --json`"), re.DOTALL
    )
    told = json.loads(example)
    (row,), (odd,) = told["drafts"], told["drafts"][0]["odd"]
    shown = (told, row, odd, row["approval"], told["totals"]["CAD"])
    shapes = (ReviewJson, DraftRow, Odd, Approval, DraftTotals)
    for value, shape in zip(shown, shapes, strict=True):
        assert value.keys() == get_type_hints(shape).keys()
    told_of = section(page, "## Review and approval")
    assert names(told_of) == list(Oddity)
    assert f"more than {LARGE} times" in told_of


def test_the_gates_that_the_status_example_names_exist() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", STATUS, re.DOTALL)
    told = json.loads(example)
    assert {*told["gates"], *told["periods"]["2026-04"]["gates"]} <= set(GATES)


def test_every_message_that_troubleshooting_tells_is_one_of_the_package() -> None:
    page = (DOCS / "troubleshooting.md").read_text()
    package = " ".join(
        text for file in sorted((ROOT / "fcb_pipelines").rglob("*.py")) for text in pieces(file)
    )
    messages = [cell for line in page.splitlines() for cell in re.findall(r"^\| `([^`]+)`", line)]
    assert len(messages) > 20
    for message in messages:
        for piece in filter(None, (each.strip() for each in message.split("…"))):
            assert piece in package, message


def pieces(file: Path) -> Iterator[str]:
    """The texts of a module; what a text is filled with is left out."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else " … " for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_glossary_is_in_order_and_has_each_term_once() -> None:
    page = (DOCS / "glossary.md").read_text()
    terms = re.findall(r"^\| ([a-z][a-z -]+) \|", page, re.MULTILINE)[1:]
    assert len(terms) > 25
    assert terms == sorted({*terms})


def verbs(command: Any, path: str = "fcb") -> Iterator[str]:
    """Every verb of the command, those of a group with the group's name."""
    if not hasattr(command, "commands"):
        yield path
        return
    for name, inner in command.commands.items():
        yield from verbs(inner, f"{path} {name}")


VERBS = list(verbs(typer.main.get_command(app)))
GROUPS = {verb.split()[1] for verb in VERBS if len(verb.split()) == 3}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_page_of_the_command(verb: str) -> None:
    told = (DOCS / "commands.md").read_text() + (ROOT / "README.md").read_text()
    assert re.search(rf"\b{re.escape(verb)}\b", told)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_no_verb_that_does_not_exist(page: Path) -> None:
    first = {verb.split()[1] for verb in VERBS}
    text = re.sub(r"```mermaid.*?```", "", page.read_text(), flags=re.DOTALL)
    code = "\n".join(re.findall(r"`[^`\n]+`|^(?: {4}|\$ ).*$", text, re.MULTILINE))
    for verb, second in re.findall(r"\bfcb ([a-z]+)(?: ([a-z]+))?", code):
        assert verb in first, f"fcb {verb}"
        if verb in GROUPS and second:
            assert f"fcb {verb} {second}" in VERBS, f"fcb {verb} {second}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_a_picture_is_small_shown_on_a_page_and_described() -> None:
    shown = {
        (page.parent / target).resolve(): text
        for page in PAGES
        for text, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text())
    }
    assert set(shown) == {*(DOCS / "images").glob("*.png")}
    assert all(len(text) > 40 for text in shown.values())
    assert {file.name for file in shown if file.stat().st_size > 200_000} == set()


def test_every_module_that_a_page_names_exists() -> None:
    # Those of the source that adding-a-source.md makes up are not there.
    for page in PAGES:
        for named in re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", page.read_text()):
            if "acme" in named:
                continue
            places: Sequence[Path] = (ROOT, ROOT / "fcb_pipelines")
            assert any((place / named).exists() for place in places), f"{page.name}: {named}"


ADDING = (DOCS / "adding-a-source.md").read_text()
THIRD_SOURCE = ROOT / "fcb_pipelines_tests" / "third_source"


def test_the_code_of_the_made_up_source_is_the_code_that_closes_a_month() -> None:
    code = "".join(file.read_text() for file in sorted(THIRD_SOURCE.glob("*.py")))
    shown = re.findall(r"```python\n(.*?)```", ADDING, re.DOTALL)
    assert len(shown) == 4
    for part in shown:
        assert part in code


def test_the_configuration_of_the_made_up_source_can_be_read() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", ADDING, re.DOTALL)
    told = {**yaml.safe_load(PACKAGED.read_text()), **yaml.safe_load(example)}
    assert [one.name for one in registered(Settings.model_validate(told))][2:] == ["acme"]


def test_the_page_tells_every_field_of_an_entry_and_every_method_of_a_client() -> None:
    told = section(ADDING, "## The entry")
    cells = [line.split(" | ")[0] for line in told.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == {one.name for one in dataclasses.fields(SourceEntry)}
    methods = section(ADDING, "## Its client")
    assert set(re.findall(r"^\| `(\w+)\(", methods, re.MULTILINE)) == {
        name for name, one in vars(Source).items() if inspect.isfunction(one) and name[0] != "_"
    }


def test_every_asset_is_in_the_table_of_the_architecture() -> None:
    from fcb_pipelines.definitions import defs
    from fcb_pipelines.defs.cash.assets import balance_assets, cash_assets
    from fcb_pipelines.defs.cash.books import books_assets
    from fcb_pipelines.defs.cash.proof import proof_assets
    from fcb_pipelines.defs.cash.writing import writing_assets

    table = section((DOCS / "architecture.md").read_text(), "## Asset graph")
    told = set()
    for line in table.splitlines():
        if line.startswith("| `"):
            system = ""
            for name in re.findall(r"`([a-z_/]+)`", line.split(" | ")[0]):
                system = name.split("/")[0] if "/" in name else system
                told.add(name if "/" in name else f"{system}/{name}")
    # Those of cash are there only where it is on.
    names = ("stripe",)
    cash = [
        *balance_assets(*names),
        *cash_assets(names),
        *writing_assets(),
        *proof_assets(names),
        *books_assets(names),
    ]
    known = {*defs().resolve_asset_graph().get_all_asset_keys()}
    known |= {key for one in cash for key in one.keys}
    assert told == {key.to_user_string() for key in known}
