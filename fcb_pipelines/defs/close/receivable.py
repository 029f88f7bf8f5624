"""The receivable as the page shows it: one column a currency, one line a kind of entry."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

from fcb_pipelines.core.close.ageing import BUCKETS
from fcb_pipelines.core.close.report_shapes import AgeingRow, ByHand, RollForward
from fcb_pipelines.core.close.rollforward import LABELS


class Line(TypedDict):
    """One line, with an amount for each currency; None where nothing was booked."""

    label: str
    note: str
    amounts: list[int | None]
    is_sum: bool


class Differing(ByHand):
    """A document that differs, with its currency."""

    currency: str


class Rolled(TypedDict):
    """The roll-forwards of all currencies side by side."""

    currencies: list[str]
    lines: list[Line]
    differing: list[Differing]


def rolled(rows: Sequence[RollForward]) -> Rolled:
    """The roll-forwards as one table; what is by hand or unexplained is a line only where there is some."""
    moved = [{each["part"]: each["amount"] for each in row["movements"]} for row in rows]
    lines = [_line("Opening", (row["opening"] for row in rows), is_sum=True)]
    lines += [
        _line(label, (each.get(part) for each in moved))
        for part, label in LABELS.items()
        if any(part in each for each in moved)
    ]
    lines.append(_line("Closing", (row["closing"] for row in rows), is_sum=True))
    further: tuple[tuple[str, str, Callable[[RollForward], int]], ...] = (
        (
            "Settled by entries that are not ours",
            "Of documents that are listed for it; without a date of their own, they count with the document.",
            lambda row: row["by_hand"],
        ),
        ("Unexplained", "", lambda row: row["unexplained"]),
    )
    lines += [
        _line(label, map(amount, rows), note=note)
        for label, note, amount in further
        if any(map(amount, rows))
    ]
    lines.append(_line("Open in the ledger", (row["open"] for row in rows), is_sum=True))
    return {
        "currencies": [row["currency"] for row in rows],
        "lines": lines,
        "differing": [
            {**each, "currency": row["currency"]} for row in rows for each in row["differing"]
        ],
    }


def age_sums(rows: Iterable[AgeingRow]) -> dict[str, list[int]]:
    """The sum of each column and the total, by currency."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        own = [*(int(row[name]) for name in BUCKETS), row["total"]]  # type: ignore[literal-required]
        before = sums.get(row["currency"], [0] * len(own))
        sums[row["currency"]] = [one + other for one, other in zip(before, own, strict=True)]
    return sums


def _line(
    label: str, amounts: Iterable[int | None], *, note: str = "", is_sum: bool = False
) -> Line:
    return {"label": label, "note": note, "amounts": [*amounts], "is_sum": is_sum}
