"""Agreement: two sides' facts of one document, compared field by field.

Everything is flattened to `{field: value}` first, so one `compare` serves every pair of sides. Lines
are matched before they are compared, because no two sides promise the same order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from fcb_pipelines.core.agreement.policy import FIELD_POLICIES, Policy
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts

Value = int | str | Decimal | None
Line = TypeVar("Line")


class Agreement(StrEnum):
    """What a comparison of one field says."""

    MATCH = "match"
    DIFFERS = "differs"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """One field of one document on two sides.

    `expected` is the authoritative side's word, `actual` the other's, both as text; `difference` is
    actual less expected in minor units where the field is an amount. `policy` is the row of
    `core.agreement.policy` that decided to compare it.
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
    """One row for each field that either side has; amounts carry their signed difference."""
    rows = []
    for field in dict.fromkeys((*expected, *actual)):
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


def policy_of(field: str) -> str:
    """The row of the policy table that a flattened field belongs to: line[2].net -> line.net."""
    if field.startswith("line["):
        return "line" + field[field.index("]") + 1 :]
    return field


def copy_against_source(
    source: InvoiceFacts, copy: InvoiceFacts, *, customer: str | None
) -> tuple[AgreementRow, ...]:
    """NexaCloud's copy compared with its source, on every field the policy compares there.

    `customer` is the source's customer that NexaCloud's user stands for. A copy without any items
    is one row, `lines` missing: that habit of the copies is listed apart from a lost line.
    """
    expected, actual = _header(source, source.payer), _header(copy, customer)
    if copy.lines or not source.lines:
        pairs = match_lines(source.lines, copy.lines, _likeness)
        expected |= {"lines": len(source.lines)} | _flat_lines([pair[0] for pair in pairs])
        actual |= {"lines": len(copy.lines)} | _flat_lines([pair[1] for pair in pairs])
    else:
        expected["lines"] = len(source.lines)
    compared = {name for name, row in FIELD_POLICIES.items() if row.nexacloud is Policy.COMPARED}
    return compare(
        source.ref,
        copy.ref,
        {field: value for field, value in expected.items() if policy_of(field) in compared},
        {field: value for field, value in actual.items() if policy_of(field) in compared},
    )


def match_lines(
    expected: Sequence[Line],
    actual: Sequence[Line],
    likeness: Sequence[Callable[[Line], object]],
) -> tuple[tuple[Line | None, Line | None], ...]:
    """Pair lines by the first likeness that agrees, then the next; what is left stays unpaired.

    Each round pairs lines whose key under that likeness is equal, in order. The pairs come in the
    order of `expected`, then the extra lines of `actual`.
    """
    partner: dict[int, int] = {}
    free = set(range(len(actual)))
    for key in likeness:
        by_key: dict[object, list[int]] = {}
        for j in sorted(free):
            by_key.setdefault(key(actual[j]), []).append(j)
        for i, line in enumerate(expected):
            candidates = by_key.get(key(line), [])
            if i not in partner and candidates:
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


def _header(facts: InvoiceFacts, customer: str | None) -> dict[str, Value]:
    return {
        "kind": facts.kind.value,
        "number": facts.number,
        "status": facts.status.value,
        "currency": facts.currency,
        "net": facts.net,
        "tax": facts.tax,
        "total": facts.total,
        "paid": facts.paid,
        "partner": customer,
    }


def _flat_lines(lines: Iterable[LineFacts | None]) -> dict[str, Value]:
    flat: dict[str, Value] = {}
    for i, line in enumerate(lines, start=1):
        if line is not None:
            flat[f"line[{i}].description"] = line.description
            flat[f"line[{i}].quantity"] = line.quantity
            flat[f"line[{i}].net"] = line.net
    return flat


def _text(value: Value) -> str | None:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return None if value is None else str(value)
