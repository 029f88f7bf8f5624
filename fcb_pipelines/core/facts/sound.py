"""Facts that every later step can hold: each value of its type, and within bounds that frames keep.

A body may have any value in any place. Its reader refuses what it computes with; all the rest is looked
at here, once, whatever the source.

    sound(facts)                                            # the same facts
    sound(replace(facts, total=10**30)).problem             # Reason.UNREADABLE, and no amounts
    sound(replace(facts, number="NXC-\\ud800")).problem      # Reason.UNREADABLE, with all amounts
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.facts.arithmetic import unreadable
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts

# No document is of more minor units: ninety thousand such amounts still add up in 64 bits.
MOST = 10**14
# The places of a price or a quantity, before and after its point.
_PLACES = 30
# No source has a document of before, and none of after is one of ours.
_DAYS = (dt.date(1990, 1, 1), dt.date(2199, 12, 31))


# How bad a value is; the worst counts.
_FINE, _TEXT, _VALUE = 0, 1, 2

_Check = Callable[[Any], int]


def sound(facts: InvoiceFacts) -> InvoiceFacts:
    """The facts; with the problem `unreadable` where a value is none that can be kept.

    A text with a lone surrogate or a NUL is shown with escapes, and a date out of all range is left out:
    the amounts stay. With any other fault nothing is known but ref, kind and customer.
    """
    fault = _check(facts)
    if fault == _FINE and all(map(_in_range, _days(facts))):
        return facts
    known = _text(facts.payer) != _VALUE
    if fault == _VALUE or not _is_currency(facts.currency):
        return unreadable(
            facts.side, _escaped(facts.ref), facts.kind, _escaped(facts.payer) if known else None
        )
    if not _in_range(facts.date):
        facts = replace(facts, date=None)
    mended: InvoiceFacts = _mended(facts)
    return replace(mended, problem=Reason.UNREADABLE)


def _days(facts: InvoiceFacts) -> Iterator[dt.date | None]:
    """The days on which something is booked."""
    yield from (facts.date, facts.voided_on)
    yield from (each.date for each in facts.settlements)
    yield from (day for _, day in facts.withdrawn)


def _in_range(day: dt.date | None) -> bool:
    return day is None or _DAYS[0] <= day <= _DAYS[1]


def _is_currency(code: Any) -> bool:
    return isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha()


def _text(value: Any) -> int:
    if not isinstance(value, str):
        return _VALUE
    if "\0" in value:
        return _TEXT
    if value.isascii():
        return _FINE
    try:
        value.encode()
    except UnicodeEncodeError:
        return _TEXT
    return _FINE


def _integer(value: Any) -> int:
    return _FINE if type(value) is int and -MOST <= value <= MOST else _VALUE


def _decimal(value: Any) -> int:
    fits = isinstance(value, Decimal) and value.is_finite()
    return _FINE if fits and (not value or abs(value.adjusted()) <= _PLACES) else _VALUE


def _date(value: Any) -> int:
    return _FINE if type(value) is dt.date else _VALUE


_LEAVES: dict[Any, _Check] = {str: _text, int: _integer, Decimal: _decimal, dt.date: _date}


def _check_of(hint: Any) -> _Check:
    """The check of values of a type: a plain one, a union with None, a tuple or a dataclass."""
    if hint in _LEAVES:
        return _LEAVES[hint]
    if is_dataclass(hint):
        return _record(hint)
    given = get_args(hint)
    if isinstance(hint, UnionType):
        (kind,) = (each for each in given if each is not NoneType)
        check = _check_of(kind)
        return lambda value: _FINE if value is None else check(value)
    if get_origin(hint) is tuple and given[1:] == (...,):
        each = _check_of(given[0])
        return lambda value: max(map(each, value), default=_FINE)
    if get_origin(hint) is tuple:
        checks = [_check_of(kind) for kind in given]
        return lambda value: max(check(part) for check, part in zip(checks, value, strict=True))
    return lambda value: _FINE if isinstance(value, hint) else _VALUE


def _record(kind: Any) -> _Check:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    checks = [_check_of(hints[name]) for name in names]
    if kind is SettlementFacts:
        checks[names.index("currency")] = lambda value: _FINE if _is_currency(value) else _VALUE
    values_of = attrgetter(*names)

    def check(value: Any) -> int:
        worst = _FINE
        for of, each in zip(checks, values_of(value), strict=True):
            fault = of(each)
            if fault > worst:
                worst = fault
        return worst

    return check


_check = _record(InvoiceFacts)


def _mended(value: Any) -> Any:
    """The value with its texts escaped."""
    if type(value) is str:
        return _escaped(value)
    if isinstance(value, tuple):
        return tuple(map(_mended, value))
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return replace(value, **{name: _mended(getattr(value, name)) for name in names})
    return value


def _escaped(text: str | None) -> str:
    return (text or "").encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
