"""Names that others know: each list of the version before is a part of today's."""

import pytest

from fcb_pipelines_tests.compatibility.before import LOST, names_before
from fcb_pipelines_tests.compatibility.names import names

BEFORE, NOW = names_before(), names()


@pytest.mark.parametrize("what", BEFORE)
def test_no_name_that_others_know_is_gone(what: str) -> None:
    gone = sorted(set(BEFORE[what]) - set(NOW.get(what, ())))
    assert gone == [], f"{len(gone)} of {what} are gone or called otherwise: {LOST}"


def test_every_list_is_kept_and_none_is_empty() -> None:
    assert BEFORE.keys() == NOW.keys()
    assert all(BEFORE.values())
