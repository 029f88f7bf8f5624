"""How a fault names what it is about, so that a person finds it and the sum."""

from fcb_pipelines.core.money import to_major


def named(ref: str, number: str) -> str:
    """A document by its identity and the number that people know."""
    return f"{ref} ({number})" if number else ref


def money(minor: int, currency: str) -> str:
    """An amount in words: 226.00 CAD."""
    return f"{to_major(minor, currency)} {currency}"
