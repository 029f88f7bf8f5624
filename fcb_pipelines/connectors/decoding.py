"""JSON as a source writes it, read so that one odd value spoils nothing but itself.

    decoded('{"total": 9.50, "fee": NaN}')     # {"total": Decimal("9.50"), "fee": Decimal("NaN")}

A number with a fraction, an exponent or too many digits for an integer is a Decimal, as are NaN and
Infinity; one with an exponent that no Decimal has is NaN. Bytes that are no UTF-8 become lone surrogates, and what is nested deeper than DEEPEST is
replaced by a text. What such a value means for its document is decided by the document's facts.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
import simplejson

# A document of Stripe or Lago has fewer than ten levels.
DEEPEST = 100
TOO_DEEP = "(nested too deep to be read)"

# The longest integer that Python reads.
_DIGITS = 4300
# Refuses what is odd and nothing else: NaN, lone surrogates, bytes that are no UTF-8, the longest numbers.
_SOUND = msgspec.json.Decoder(float_hook=Decimal)
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def decoded(text: str | bytes) -> Any:
    """One value of JSON. Raises ValueError for a text that is none, such as one cut off."""
    try:
        return _SOUND.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError, InvalidOperation):
        return _decoded(text)


def _decoded(text: str | bytes) -> Any:
    """The same of any text, a third as fast."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    try:
        return simplejson.loads(text, use_decimal=True, parse_constant=Decimal)
    except (RecursionError, ValueError, InvalidOperation):
        # Rare: once more with what is too deep cut out, and each number looked at before it is read.
        return simplejson.loads(
            "".join(_shallow(text)),
            parse_constant=Decimal,
            parse_int=_integer,
            parse_float=_fraction,
        )


def cut_off(value: Any, levels: int = DEEPEST) -> Any:
    """The value with a short text in place of each part of it that is nested deeper than so many levels."""
    if not isinstance(value, dict | list | tuple):
        return value
    if levels == 0:
        return TOO_DEEP
    if isinstance(value, dict):
        return {name: cut_off(part, levels - 1) for name, part in value.items()}
    return [cut_off(part, levels - 1) for part in value]


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _DIGITS else Decimal(digits)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _shallow(text: str) -> Iterator[str]:
    """The text in pieces, with a short text in place of each value that is nested too deep."""
    depth, kept = 0, 0
    for token in _TOKENS.finditer(text):
        sign = token[0]
        if sign in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                yield text[kept : token.start()]
        elif sign in "]}":
            depth -= 1
            if depth == DEEPEST:
                yield f'"{TOO_DEEP}"'
                kept = token.end()
    if depth <= DEEPEST:
        yield text[kept:]
