"""Billed taxes find their configured tax by type, rate and jurisdiction together."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fcb_pipelines.core.company.settings import Tax
from fcb_pipelines.core.documents.taxes import in_force, mismatches, resolve, taxed_lines
from fcb_pipelines.core.facts.arithmetic import computed
from fcb_pipelines.core.facts.model import TaxFacts
from fcb_pipelines_tests.documents import DAY, SETTINGS, a_line


def billed(
    type_: str, percentage: str, state: str | None, *, country: str | None = "CA", **more: str
) -> TaxFacts:
    return TaxFacts(
        type=type_, percentage=Decimal(percentage), amount=1, country=country, state=state, **more
    )


@pytest.mark.parametrize(
    ("tax", "key"),
    [
        (billed("hst", "13", "ON"), "hst_13"),
        (billed("hst", "13.0", "ON"), "hst_13"),
        (billed("hst", "13", None), "hst_13"),
        (billed("hst", "13", None, country=None), "hst_13"),
        (billed("hst", "14", "NS"), "hst_14"),
        (billed("hst", "15", "NS"), "hst_15"),
        (billed("hst", "15", "NB"), "hst_15"),
        (billed("gst", "5", "AB"), "gst_5"),
        (billed("gst", "5", "QC"), "gst_5"),
        (billed("qst", "9.975", "QC"), "qst_9975"),
        (billed("pst", "7", "BC"), "pst_7_bc"),
        (billed("pst", "7", "MB"), "pst_7_mb"),
        (billed("pst", "6", "SK"), "pst_6_sk"),
        (billed("vat", "0", "ON"), "gst_0"),
        (billed("?", "13", None, source_id="hst_on"), "hst_13"),
        # Anything that contradicts, or leaves a choice, is not guessed.
        (billed("hst", "13", "QC"), None),
        (billed("hst", "13", "ON", country="US"), None),
        (billed("gst", "13", "ON"), None),
        (billed("hst", "12", "ON"), None),
        (billed("pst", "7", None), None),
        (billed("?", "15", None, source_id="hst_on"), None),
    ],
)
def test_t2_t3_a_billed_tax_is_chosen_by_type_rate_and_jurisdiction(
    tax: TaxFacts, key: str | None
) -> None:
    found = resolve(tax, SETTINGS.taxes, DAY)
    assert (found.key if found else None) == key


@pytest.mark.parametrize(
    ("base", "percentage", "tax"),
    [(21450, "13", 2789), (50, "13", 7), (-50, "13", -7), (10000, "9.975", 998), (4425, "13", 575)],
)
def test_t2_computed_tax_rounds_half_up(base: int, percentage: str, tax: int) -> None:
    assert computed(base, Decimal(percentage)) == tax


@pytest.mark.parametrize(("amount", "wrong"), [(2600, 0), (2601, 0), (2599, 0), (2602, 1), (0, 1)])
def test_t2_a_billed_tax_may_be_one_minor_unit_off_and_no_more(amount: int, wrong: int) -> None:
    found = mismatches([("hst_13", 20000, amount)], SETTINGS.taxes, 1)
    assert len(found) == wrong
    assert all((one.billed, one.computed) == (amount, 2600) for one in found)


@pytest.mark.parametrize(
    ("amount", "wrong"), [(1560, 0), (1561, 0), (1555, 0), (1562, 1), (1554, 1)]
)
def test_t7_six_roundings_may_be_three_minor_units_off_and_no_more(amount: int, wrong: int) -> None:
    found = mismatches([("hst_13", 11982, amount)], SETTINGS.taxes, 1, {"hst_13": 6})
    assert len(found) == wrong


def test_t7_only_lines_over_something_round() -> None:
    lines = [a_line(100), a_line(0), a_line(-5, taxes=("gst_5", "qst_9975")), a_line(7, taxes=())]
    assert taxed_lines(lines) == {"hst_13": 1, "gst_5": 1, "qst_9975": 1}


def a_tax(key: str, **changes: Any) -> Tax:
    return Tax(**{"key": key, "type": "hst", "percentage": 15, "odoo_name": key, **changes})


SINCE = a_tax("since", valid_from=date(2025, 4, 1))
UNTIL = a_tax("until", valid_to=date(2025, 3, 31))


@pytest.mark.parametrize(
    ("taxes", "on", "key"),
    [
        ((SINCE, UNTIL), date(2025, 3, 31), "until"),
        ((SINCE, UNTIL), date(2025, 4, 1), "since"),
        ((SINCE, a_tax("always")), date(2025, 4, 1), None),
        ((SINCE, a_tax("always")), date(2025, 3, 31), "always"),
        # The only one that fits is what was billed, in force or not.
        ((SINCE,), date(2025, 3, 31), "since"),
        ((SINCE, a_tax("later", valid_from=date(2026, 1, 1))), date(2025, 3, 31), None),
    ],
)
def test_of_several_taxes_that_fit_the_one_in_force_was_billed(
    taxes: tuple[Tax, ...], on: date, key: str | None
) -> None:
    found = resolve(billed("hst", "15", "NS"), taxes, on)
    assert (found.key if found else None) == key
    codes = tuple(tax.model_copy(update={"lago_codes": ("hst",)}) for tax in taxes)
    found = resolve(billed("?", "15", None, source_id="hst"), codes, on)
    assert (found.key if found else None) == key


def test_t4_a_rate_that_ended_is_still_found_where_it_was_billed() -> None:
    found = resolve(billed("hst", "15", "NS"), SETTINGS.taxes, date(2026, 4, 3))
    assert found is not None
    assert found.key == "hst_15"


@pytest.mark.parametrize(
    ("state", "on", "due"),
    [
        ("NS", date(2025, 3, 31), True),
        ("NS", date(2025, 4, 1), False),
        ("NB", date(2025, 4, 1), True),
        ("ON", date(2025, 3, 31), False),
        (None, date(2025, 4, 1), True),
    ],
)
def test_t3_a_tax_may_end_in_one_province_and_go_on_in_others(
    state: str | None, on: date, due: bool
) -> None:
    (hst_15,) = (tax for tax in SETTINGS.taxes if tax.key == "hst_15")
    assert in_force(hst_15, state, on) is due


def test_a_tax_of_no_province_is_every_province_s() -> None:
    assert in_force(SINCE, "QC", date(2025, 4, 1))
    assert not in_force(SINCE, "QC", date(2025, 3, 31))
