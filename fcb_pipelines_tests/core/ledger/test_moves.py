"""What a person took back in the ledger stays remembered until a person releases it."""

import pytest

from fcb_pipelines.core.ledger.moves import remembered


@pytest.mark.parametrize(
    ("seen", "state", "logged"),
    [
        (None, "draft", True),
        (None, "cancelled", True),
        ("draft", "posted", True),
        ("posted", "posted", True),
        ("posted", "reconciled", True),
        ("released", "draft", True),
        ("cancelled", "draft", True),
        ("draft", "cancelled", False),
        ("posted", "draft", False),
        ("posted", "cancelled", False),
        ("reconciled", "posted", False),
        ("released", "cancelled", False),
    ],
)
def test_an_entry_that_went_back_keeps_its_old_place_in_the_log(
    seen: str | None, state: str, logged: bool
) -> None:
    assert remembered(seen, state) is logged
