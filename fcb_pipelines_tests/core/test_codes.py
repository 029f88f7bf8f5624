"""Reasons and exceptions are closed lists: every code that a rule uses is in them."""

import ast
from functools import cache
from pathlib import Path

import pytest

import fcb_pipelines
from fcb_pipelines.core.codes import ExceptionCode, Reason

PACKAGE = Path(fcb_pipelines.__file__).parent

# What a ledger may say of an entry it would not take (connectors.failures.Refusal).
LEDGERS_OWN = {ExceptionCode.REFUSED_BY_LEDGER}
# Modules that may write a word that is also a code: the vendors' own statuses, and gates.
OWN_WORDS = {
    "api/problems.py",
    "core/close/gates.py",
    "core/codes.py",
    "core/company/settings.py",
    "core/documents/families.py",
    "core/facts/index.py",
    "core/facts/nexacloud.py",
    "core/facts/stripe/settlements.py",
    "core/metering/usage.py",
    "core/refs.py",
    "connectors/retry.py",
    "connectors/sources.py",
}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def texts(path: Path) -> frozenset[str]:
    """Every string in a module."""
    constants = (node.value for node in nodes(path) if isinstance(node, ast.Constant))
    return frozenset(value for value in constants if isinstance(value, str))


@cache
def members(path: Path) -> frozenset[Reason | ExceptionCode]:
    """Every member of the two lists that a module names."""
    found = [
        (node.value.id, node.attr)
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    return frozenset(
        codes[name]
        for codes in (Reason, ExceptionCode)
        for claimant, name in found
        if claimant == codes.__name__ and name in codes.__members__
    )


# The table of whom each code waits for names every code, and decides nothing.
TABLE = PACKAGE / "core/close/owners.py"
# The stand-ins answer with the vendors' words, and the authors of datasets say what must come out.
OURS = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts]


def test_no_rule_writes_a_code_as_text() -> None:
    for path in OURS:
        if path.relative_to(PACKAGE).as_posix() not in OWN_WORDS:
            assert not texts(path) & {*Reason, *ExceptionCode}, path


@pytest.mark.parametrize("code", [*Reason, *ExceptionCode], ids=lambda c: f"{type(c).__name__}.{c}")
def test_no_code_is_listed_that_no_rule_uses(code: Reason | ExceptionCode) -> None:
    used = (
        each for path in OURS if path != TABLE for each in members(path) if type(each) is type(code)
    )
    assert code in LEDGERS_OWN or code in set(used)


def test_a_code_of_an_earlier_version_can_still_be_read_and_counts_as_unknown() -> None:
    former = Reason.of("credit_note_unsupported")
    assert (former, former.verdict) == ("credit_note_unsupported", None)
    assert former not in {*Reason}
    assert ExceptionCode.of("long_gone").meaning == "A code of an earlier version."


def test_a_code_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="13 is not a valid Reason"):
        Reason.of(13)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [*Reason, *ExceptionCode], ids=lambda c: f"{type(c).__name__}.{c}")
def test_a_code_says_what_it_means_and_what_mends_it(code: Reason | ExceptionCode) -> None:
    assert code.meaning.endswith(".")
    assert code.remedy.endswith((".", ")."))
