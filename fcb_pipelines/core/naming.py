"""Texts by which a person recognises a document or an amount in a message."""

from fcb_pipelines.core.money import exponent, to_major


def named(ref: str, number: str) -> str:
    """A document's ref, with its printed number where it has one: `stripe:acct_1:in_7 (NXC-0007)`."""
    return f"{ref} ({number})" if number else ref


def amount(minor: int, currency: str) -> str:
    """Minor units as people write them, without the currency: 340346 is `3,403.46`."""
    return f"{to_major(minor, currency):,.{exponent(currency)}f}"


def money(minor: int, currency: str) -> str:
    """Minor units as text: 22600 is `226.00 CAD`."""
    return f"{to_major(minor, currency)} {currency}"
