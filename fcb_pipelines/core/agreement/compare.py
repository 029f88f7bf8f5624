"""Agreement: one document on two sides, compared field by field.

Both sides are flattened to `{field: value}` first, so one `compare` serves every pair of sides. Only the
fields that the policy table compares with that side are flattened; the others are never read. Lines are
matched before they are compared, because the order of the lines may differ between sides.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from fcb_pipelines.core.agreement.policy import compared_with
from fcb_pipelines.core.codes import System
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts, TaxFacts

Value = int | str | Decimal | None
Line = TypeVar("Line")
Thing = TypeVar("Thing")


class Agreement(StrEnum):
    """The result of comparing one field."""

    MATCH = "match"
    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """One field of one document on two sides.

    `expected` is the value on the authoritative side, `actual` that on the other, both as text;
    `difference` is actual less expected in minor units where the field is an amount. `policy` names the
    row of `core.agreement.policy` that compares the field.
    """

    ref: str
    other_ref: str
    field: str
    kind: Agreement
    expected: str | None
    actual: str | None
    difference: int | None
    policy: str


def compare(
    ref: str, other_ref: str, expected: Mapping[str, Value], actual: Mapping[str, Value]
) -> tuple[AgreementRow, ...]:
    """One row for each field of either side; amounts carry their signed difference in minor units."""
    rows = []
    for field in {**expected, **actual}:
        left, right = expected.get(field), actual.get(field)
        if field not in actual:
            kind = Agreement.MISSING
        elif field not in expected:
            kind = Agreement.EXTRA
        else:
            kind = Agreement.MATCH if left == right else Agreement.DIFFERS
        amounts = isinstance(left, int) and isinstance(right, int)
        rows.append(
            AgreementRow(
                ref=ref,
                other_ref=other_ref,
                field=field,
                kind=kind,
                expected=_text(left),
                actual=_text(right),
                difference=int(right) - int(left) if amounts else None,  # type: ignore[arg-type]
                policy=policy_of(field),
            )
        )
    return tuple(rows)


def flattened(
    thing: Thing, readers: Mapping[str, Callable[[Thing], Value]], compared: Container[str]
) -> dict[str, Value]:
    """The compared fields of `thing` by name; `readers` holds a function for each field."""
    return {name: read(thing) for name, read in readers.items() if name in compared}


def flattened_lines(
    lines: Iterable[Line | None],
    readers: Mapping[str, Callable[[Line], Value]],
    compared: Container[str],
) -> dict[str, Value]:
    """The compared fields of matched lines: `line.net` of the second line becomes `line[2].net`.

    A line that is None, because this side lacks it, gives no fields.
    """
    wanted = [
        (name.removeprefix("line"), read) for name, read in readers.items() if name in compared
    ]
    return {
        f"line[{i}]{name}": read(line)
        for i, line in enumerate(lines, start=1)
        if line is not None
        for name, read in wanted
    }


def policy_of(field: str) -> str:
    """The row of the policy table for a flattened field: `line.net` for `line[2].net`."""
    if field.startswith("line["):
        return "line" + field[field.index("]") + 1 :]
    return field


def copy_against_source(
    source: InvoiceFacts,
    copy: InvoiceFacts,
    *,
    customer: str | None,
    compared: Container[str] | None = None,
) -> tuple[AgreementRow, ...]:
    """NexaCloud's copy compared with its source document, one row for each compared field.

    `customer` is the source's customer id of the copy's NexaCloud user. A copy without any items gives
    one row, `lines` missing, so that it is not confused with a copy that lost a line. `compared` are the
    fields to compare, for who compares many documents; without it the policy table is read.
    """
    compared = compared_with(System.NEXACLOUD) if compared is None else compared
    expected, actual = flattened(source, _HEADER, compared), flattened(copy, _HEADER, compared)
    if "partner" in compared:
        expected["partner"], actual["partner"] = source.payer, customer
    expected |= flattened(source.lines, _COUNT, compared)
    if copy.lines or not source.lines:
        pairs = match_lines(source.lines, copy.lines, _likeness)
        actual |= flattened(copy.lines, _COUNT, compared)
        expected |= flattened_lines((pair[0] for pair in pairs), _LINE, compared)
        actual |= flattened_lines((pair[1] for pair in pairs), _LINE, compared)
    return compare(source.ref, copy.ref, expected, actual)


def match_lines(
    expected: Sequence[Line],
    actual: Sequence[Line],
    likeness: Sequence[Callable[[Line], object]],
) -> tuple[tuple[Line | None, Line | None], ...]:
    """Pair the lines of two sides, in one round for each function in `likeness`.

    A round pairs unpaired lines with equal keys, in order; lines without a partner are paired with
    None. The pairs come in the order of `expected`, then the extra lines of `actual`.

        match_lines(["a", "b"], ["b", "c"], [str.lower])     # (("a", None), ("b", "b"), (None, "c"))
    """
    partner: dict[int, int] = {}
    free = set(range(len(actual)))
    for key in likeness:
        if not free or len(partner) == len(expected):
            break
        by_key: dict[object, list[int]] = {}
        for j in sorted(free):
            by_key.setdefault(key(actual[j]), []).append(j)
        for i, line in enumerate(expected):
            if i not in partner and (candidates := by_key.get(key(line))):
                partner[i] = candidates.pop(0)
                free.discard(partner[i])
    paired = [
        (line, actual[partner[i]] if i in partner else None) for i, line in enumerate(expected)
    ]
    return (*paired, *((None, actual[j]) for j in sorted(free)))


def disagreements(rows: Iterable[AgreementRow]) -> tuple[AgreementRow, ...]:
    """The rows that do not match."""
    return tuple(row for row in rows if row.kind is not Agreement.MATCH)


_likeness: tuple[Callable[[LineFacts], object], ...] = (
    lambda line: (line.description, line.net, line.quantity),
    lambda line: (line.description, line.net),
    lambda line: line.description,
    lambda line: line.net,
    lambda line: None,
)


def _taxes(taxes: Iterable[TaxFacts]) -> str:
    return ", ".join(f"{tax.type} {_text(tax.percentage)} {tax.amount}" for tax in taxes)


# A function for each field of the policy table, in the order of the rows of a comparison.
_HEADER: Mapping[str, Callable[[InvoiceFacts], Value]] = {
    "kind": lambda facts: str(facts.kind),
    "number": lambda facts: facts.number,
    "status": lambda facts: str(facts.status),
    "date": lambda facts: facts.date.isoformat() if facts.date else None,
    "currency": lambda facts: facts.currency,
    "net": lambda facts: facts.net,
    "tax": lambda facts: facts.tax,
    "taxes": lambda facts: _taxes(facts.taxes),
    "total": lambda facts: facts.total,
    "paid": lambda facts: facts.paid,
}
_COUNT: Mapping[str, Callable[[Sequence[LineFacts]], Value]] = {"lines": len}
_LINE: Mapping[str, Callable[[LineFacts], Value]] = {
    "line.description": lambda line: line.description,
    "line.quantity": lambda line: line.quantity,
    "line.net": lambda line: line.net,
    "line.taxes": lambda line: _taxes(line.taxes),
}


def _text(value: Value) -> str | None:
    if value is None or type(value) is str:
        return value
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
