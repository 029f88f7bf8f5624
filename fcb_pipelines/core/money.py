"""Exact money: integer minor units of a currency, converted once, at the edge.

The canonical minor unit of a currency is that of ISO 4217. Stripe and Lago differ from it for some
currencies; `from_wire` is the one place that converts their amounts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

DEFAULT_EXPONENT = 2

_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_ISO = dict.fromkeys(_ZERO.split(), 0) | dict.fromkeys(_THREE.split(), 3)


class Wire(StrEnum):
    """The source whose exponent table applies to an amount on the wire."""

    STRIPE = "stripe"
    LAGO = "lago"


_WIRE_OVERRIDES: dict[Wire, dict[str, int]] = {
    # Stripe keeps ISK at two decimals for old integrations and has no minor unit for MGA.
    Wire.STRIPE: {"ISK": 2, "MGA": 0},
    # Lago's *_cents are subunits of the Money gem.
    Wire.LAGO: {"HUF": 2, "ISK": 0, "UGX": 0, "MGA": 1, "MRU": 1, "CLP": 0},
}

# Stripe documents UGX both ways; an amount in it is never guessed.
AMBIGUOUS_ON_WIRE: dict[Wire, frozenset[str]] = {
    Wire.STRIPE: frozenset({"UGX"}),
    Wire.LAGO: frozenset(),
}


class InexactAmount(ValueError):
    """An amount that is no whole number of the currency's minor units."""


def exponent(currency: str) -> int:
    """Number of decimals of the currency's minor unit (ISO 4217)."""
    return _ISO.get(currency.upper(), DEFAULT_EXPONENT)


def wire_exponent(currency: str, wire: Wire) -> int:
    """Number of decimals that `wire` uses for the currency."""
    return _WIRE_OVERRIDES[wire].get(currency.upper(), exponent(currency))


def from_wire(amount: int, currency: str, wire: Wire) -> int:
    """An integer amount as Stripe or Lago sends it, in canonical minor units.

    Raises InexactAmount when the source's unit is finer than the currency's and digits would be
    lost, or when the source's unit for the currency is ambiguous.
    """
    code = currency.upper()
    if code in AMBIGUOUS_ON_WIRE[wire]:
        raise InexactAmount(f"{wire} contradicts itself about the minor unit of {code}")
    return from_major(Decimal(amount).scaleb(-wire_exponent(code, wire)), code)


def from_major(amount: Decimal, currency: str) -> int:
    """A Decimal in major units (214.50) as minor units (21450). Raises InexactAmount."""
    minor = amount.scaleb(exponent(currency))
    whole = minor.to_integral_value()
    if whole != minor:
        raise InexactAmount(f"{amount} is not a whole number of minor units of {currency.upper()}")
    return int(whole)


def to_major(minor: int, currency: str) -> Decimal:
    """Minor units (21450) as a Decimal in major units (214.50)."""
    return Decimal(minor).scaleb(-exponent(currency))


def half_up(amount: Decimal) -> int:
    """The nearest integer, halves away from zero: the project's one rounding rule."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def by_currency(amounts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """The sum of (currency, minor units) pairs for each currency, sorted by code; sums of zero stay."""
    sums: Counter[str] = Counter()
    for currency, amount in amounts:
        sums[currency] += amount
    return tuple(sorted(sums.items()))


def spread(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total` over `weights` by largest remainder; the parts sum to `total` exactly.

    spread(100, [1, 1, 1]) is (34, 33, 33). Weights of one sign are expected; where they sum to zero
    the first part gets the whole. Ties go to the earlier part, so the split is the same on every run.
    Raises ValueError for an amount without weights.
    """
    if not weights:
        if total:
            raise ValueError(f"{total} minor units and no weights to spread them over")
        return ()
    whole = sum(weights)
    if whole == 0:
        return (total, *(0 for _ in weights[1:]))
    exact = [Decimal(total) * weight / whole for weight in weights]
    floors = [int(part.to_integral_value(rounding="ROUND_FLOOR")) for part in exact]
    missing = total - sum(floors)
    by_remainder = sorted(range(len(weights)), key=lambda i: (floors[i] - exact[i], i))
    lucky = set(by_remainder[:missing])
    return tuple(floor + (i in lucky) for i, floor in enumerate(floors))
