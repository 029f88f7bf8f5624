"""A line's family is decided by configured keywords, in order."""

import pytest

from fcb_pipelines.core.documents.families import family_of
from fcb_pipelines_tests.documents import SETTINGS


@pytest.mark.parametrize(
    ("description", "family"),
    [
        ("Odoo ERP Hosting - Standard", "hosting"),
        ("WordPress Website Hosting - Managed", "hosting"),
        ("Managed Odoo - Standard", "managed"),
        ("Daily Backup Protection", "addons"),
        ("WhatsApp Integration", "addons"),
        ("Forms Builder", "addons"),
        ("White Label", "addons"),
        ("Remaining time on Daily Backup Protection after 27 May 2026", "addons"),
        ("Unused time on Odoo ERP Hosting - Standard after 3 May 2026", "hosting"),
        ("odoo erp hosting", "hosting"),
        ("Domain name", "other"),
        ("", "other"),
    ],
)
def test_t1_a_description_belongs_to_the_first_family_whose_keyword_it_has(
    description: str, family: str
) -> None:
    assert family_of(description, SETTINGS.families) == family
