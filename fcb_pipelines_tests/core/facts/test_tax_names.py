"""Tax names and codes, as people and vendors write them."""

from decimal import Decimal

import pytest

from fcb_pipelines.core.facts.tax_names import country_code, province, tax_type


@pytest.mark.parametrize(
    ("text", "percentage", "expected"),
    [
        ("hst", 13, "hst"),
        ("HST (13%)", 13, "hst"),
        ("hst_on", 13, "hst"),
        ("TVH", 13, "hst"),
        ("GST/HST", 13, "hst"),
        ("GST/HST", 5, "gst"),
        ("TPS/GST", 5, "gst"),
        ("QST", "9.975", "qst"),
        ("TVQ", "9.975", "qst"),
        ("pst_bc", 7, "pst"),
        ("RST", 7, "pst"),
        ("VAT", 20, "vat"),
        ("sales_tax", 8, "sales tax"),
        ("GST+QST", "14.975", "gst qst"),
        ("", 13, "unknown"),
        (None, 13, "unknown"),
    ],
)
def test_a_name_gives_its_type(text: str | None, percentage: object, expected: str) -> None:
    assert tax_type(text, Decimal(str(percentage))) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("ON",), "ON"),
        (("on",), "ON"),
        (("Ontario",), "ON"),
        (("CA-ON",), "ON"),
        (("ca_on",), "ON"),
        (("CA - ON",), "ON"),
        (("hst_on",), "ON"),
        (("Québec",), "QC"),
        (("Newfoundland and Labrador",), "NL"),
        ((None, "Ontario"), "ON"),
        (("Canada", "HST ON"), "ON"),
        (("Canada",), None),
        (("CA",), None),
        (("tax on hosting",), None),
        (("Ontario, Quebec",), None),
        ((None,), None),
        ((), None),
    ],
)
def test_the_first_telling_text_gives_the_province(
    texts: tuple[str | None, ...], expected: str | None
) -> None:
    assert province(*texts) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [("CA", "CA"), ("ca", "CA"), ("Canada", "CA"), (" CAN ", "CA"), ("US", "US"),
     ("Germany", "GERMANY"), ("", None), ("  ", None), (None, None)],
)  # fmt: skip
def test_canada_is_one_country_however_it_is_written(text: str | None, code: str | None) -> None:
    assert country_code(text) == code
