"""A compared value is an amount for people where its field is one, and else what it is."""

import pytest

from fcb_pipelines.core.agreement.words import in_words


@pytest.mark.parametrize(("field", "value", "currency", "shown"), [
    ("total", "22600", "CAD", "226.00 CAD"),
    ("paid", "-730", "CAD", "-7.30 CAD"),
    ("line[2].net", "5000", "CAD", "50.00 CAD"),
    ("settlement.amount", "500", "JPY", "500 JPY"),
    ("taxes", "gst_5 1000 on 20000, qst 1995 on 20000", "CAD",
     "gst_5 10.00 CAD on 200.00 CAD, qst 19.95 CAD on 200.00 CAD"),
    ("lines", "2", "CAD", "2"),
    ("number", "22600", "CAD", "22600"),
    ("date", "2026-04-03", "CAD", "2026-04-03"),
    ("total", None, "CAD", "nothing"),
    ("number", "", "CAD", "nothing"),
    # A frame of an earlier version does not name the currency.
    ("total", "22600", "", "22600"),
])  # fmt: skip
def test_a_compared_value_is_told_as_people_write_it(
    field: str, value: str | None, currency: str, shown: str
) -> None:
    assert in_words(field, value, currency) == shown
