"""Who changed the partners of the books between two proofs: each row is what the builds between them found and left."""

import pytest

from fcb_pipelines.core.proof.basis import led_by_builds


@pytest.mark.parametrize(
    ("case", "known", "now", "builds", "ours"),
    [
        ("nothing was built", "a", "a", [], True),
        ("nobody wrote", "a", "a", [("a", "a"), ("a", "a")], True),
        ("two builds, in whatever order they are told", "a", "c", [("b", "c"), ("a", "b")], True),
        ("a build of long ago", "a", "b", [("x", "y"), ("a", "b")], True),
        ("somebody else before the first", "a", "c", [("b", "c")], False),
        ("between two", "a", "d", [("a", "b"), ("c", "d")], False),
        ("after the last", "a", "c", [("a", "b")], False),
        ("without a build", "a", "b", [], False),
        ("the builds lead in a circle", "a", "c", [("a", "b"), ("b", "a")], False),
        ("and back to what was known", "a", "a", [("a", "b"), ("b", "a")], True),
        ("there was no proof", None, "b", [("a", "b")], False),
        ("a month of an earlier version", "a", "b", [(None, None), ("a", None), ("a", "b")], True),
    ],
)  # fmt: skip
def test_only_what_builds_wrote_leads_from_one_proof_to_the_next(
    case: str,
    known: str | None,
    now: str,
    builds: list[tuple[str | None, str | None]],
    ours: bool,
) -> None:
    for told in (builds, builds[::-1]):
        assert led_by_builds(known, now, told) is ours, case
