"""What a person reads has words where the configuration and the code have keys."""

import pytest

from fcb_pipelines.core.close.words import method_name, naming_taxes, words
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.proof.tax_witness import Address, witness
from fcb_pipelines_tests.core.close.test_report import PAID, a_month, report
from fcb_pipelines_tests.documents import SETTINGS

NAMES = {tax.key: tax.odoo_name for tax in SETTINGS.taxes}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("expected hst_13 3.25, billed no tax", f"expected {NAMES['hst_13']} 3.25, billed no tax"),
        ("gst_5 1.95 + qst_9975 3.89", f"{NAMES['gst_5']} 1.95 + {NAMES['qst_9975']} 3.89"),
        ("hst_134 and a_hst_13", "hst_134 and a_hst_13"),
        ("", ""),
    ],
)
def test_a_tax_has_its_name_in_a_text_and_what_only_resembles_its_key_stays(
    text: str, named: str
) -> None:
    assert naming_taxes(SETTINGS.taxes)(text) == named


def test_without_taxes_a_text_stays_as_it_is() -> None:
    assert naming_taxes(())("hst_13") == "hst_13"


def test_every_method_has_a_name_and_an_unknown_one_its_words() -> None:
    assert all("_" not in method_name(each) for each in Method)
    assert method_name(Method.CHARGEBACK) == "Lost disputes"
    assert method_name("barter_deal") == words("barter_deal") == "barter deal"


def test_no_key_of_a_tax_is_in_the_texts_of_a_report() -> None:
    quebec = Address(country="CA", state="QC", taken_from="document")
    rows = [witness(PAID.facts, quebec, None, SETTINGS)]
    told = report(a_month(witness=rows))
    [row] = told["tax_witness"]["rows"]
    assert NAMES["qst_9975"] in row["detail"]
    assert not any(key in row["detail"] for key in NAMES)
