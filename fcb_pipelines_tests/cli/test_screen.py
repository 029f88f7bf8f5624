"""Money is printed in its currency's decimals, from integers alone."""

import pytest

from fcb_pipelines.cli.screen import money


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (340346, "CAD", "3,403.46 CAD"),
        (-5, "CAD", "-0.05 CAD"),
        (0, "CAD", "0.00 CAD"),
        (1234567, "JPY", "1,234,567 JPY"),
        (1234, "KWD", "1.234 KWD"),
        (99999999999999999999, "CAD", "999,999,999,999,999,999.99 CAD"),
    ],
)
def test_minor_units_are_shown_as_people_write_them(minor: int, currency: str, shown: str) -> None:
    assert money(minor, currency) == shown
