"""Reasons, exceptions and gates are closed lists: every code that a rule uses is in them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import fcb_pipelines
from fcb_pipelines.core.codes import EXCEPTIONS, REASONS, Reason, Verdict
from fcb_pipelines.core.facts.arithmetic import Problem
from fcb_pipelines.core.proof.gates import (
    GATES,
    document_rules_hold,
    documents_balance,
    documents_match_dispositions,
    external_ids_unique,
    ledger_agrees,
    nexacloud_agrees,
    nothing_is_held,
    population_adds_up,
    revenue_in_other,
    unitemised_lines,
)
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import BOOKS, DAY

PACKAGE = Path(fcb_pipelines.__file__).parent
CORE = PACKAGE / "core"
KNOWN = REASONS.keys() | EXCEPTIONS.keys()
CODE = re.compile(r"[a-z]+(_[a-z]+)+")

EVALUATED = (
    population_adds_up((), ()),
    external_ids_unique(()),
    documents_balance(()),
    documents_match_dispositions((), ()),
    document_rules_hold((), {}, SETTINGS, BOOKS, "2026-04"),
    *ledger_agrees(()),
    revenue_in_other(()),
    unitemised_lines(()),
    nothing_is_held((), DAY),
    nexacloud_agrees(()),
)

# The modules whose rules decide, and the words in them that are fields and not codes.
RULES = (
    "dispositions/decide", "documents/build", "settlements/plan", "proof/deltas",
    "proof/settlement_deltas", "proof/completeness", "proof/gates", "dispositions/cases",
    "dispositions/credit_notes", "dispositions/exceptions", "dispositions/opening",
    "corrections/plan", "proof/amounts", "proof/amount_rows",
)  # fmt: skip
FIELDS = {
    "other_service",
    "accounting_date",
    "nexacloud_invoice_id",
    "stripe_invoice_id",
    "read_back",
    "write_off",
    "default_code",
}

# What a ledger may say of an entry it would not take (connectors.failures.Refusal).
LEDGERS_OWN = {"refused_by_ledger"}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def texts(path: Path) -> frozenset[str]:
    """Every string in a module."""
    constants = (node.value for node in nodes(path) if isinstance(node, ast.Constant))
    return frozenset(value for value in constants if isinstance(value, str))


def given_as(name: str, path: Path) -> Iterator[str]:
    """Every literal given as `name=`, the branches of a conditional among them."""
    for node in nodes(path):
        if isinstance(node, ast.keyword) and node.arg == name:
            constants = (one for one in ast.walk(node.value) if isinstance(one, ast.Constant))
            yield from (one.value for one in constants if isinstance(one.value, str))


@pytest.mark.parametrize("module", RULES)
def test_every_code_that_a_rule_uses_is_in_a_closed_list(module: str) -> None:
    found = {text for text in texts(CORE / f"{module}.py") if CODE.fullmatch(text)}
    assert found - FIELDS <= KNOWN | GATES.keys()


def test_every_reason_and_code_given_by_name_is_in_a_closed_list() -> None:
    core = {code for path in CORE.rglob("*.py") for code in given_as("reason", path)}
    # The stand-ins answer with the vendors' codes, which are not ours.
    ours = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts]
    codes = {code for path in ours for code in given_as("code", path)}
    assert core
    assert {code for code in core if CODE.fullmatch(code)} <= REASONS.keys()
    assert {code for code in codes if CODE.fullmatch(code)} - FIELDS <= EXCEPTIONS.keys()


@pytest.mark.parametrize("problem", Problem)
def test_every_problem_of_a_document_is_the_reason_of_a_hold(problem: Problem) -> None:
    assert REASONS[problem].verdict is Verdict.HOLD


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_no_code_is_listed_that_no_rule_uses(code: str) -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if path != CORE / "codes.py"]
    assert code in LEDGERS_OWN or any(code in texts(path) for path in paths)


@pytest.mark.parametrize("gate", GATES)
def test_no_gate_is_listed_that_nothing_evaluates(gate: str) -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if path != CORE / "proof" / "gates.py"]
    evaluated = {one.gate for one in EVALUATED}
    made = gate in evaluated or any(gate in texts(path) for path in paths)
    # One function serves both listings and puts the side before the rest of the name.
    assert made or any("_listing_complete" in texts(path) for path in paths)


@pytest.mark.parametrize("row", [*REASONS.values(), *EXCEPTIONS.values()], ids=lambda r: r.code)
def test_a_code_says_what_it_means_and_what_mends_it(row: Reason) -> None:
    assert row.meaning.endswith(".")
    assert row.remedy.endswith((".", ")."))
    assert (row.verdict is None) is (EXCEPTIONS.get(row.code) is row)
