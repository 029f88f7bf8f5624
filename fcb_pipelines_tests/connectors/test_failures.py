"""A failure says what a person needs, however much another program said."""

from fcb_pipelines.connectors.failures import LONGEST, PermanentFailure


def test_a_long_answer_is_cut_and_its_length_is_told() -> None:
    failure = PermanentFailure("reading", "Ada Lovelace, " * 4000, remedy="fcb doctor")
    assert len(str(failure)) < LONGEST + 200
    assert "(56,000 characters in all)" in str(failure)
    assert str(failure).endswith("Mend it with: fcb doctor")


def test_what_no_screen_takes_is_escaped() -> None:
    failure = PermanentFailure("reading A\ud800", "B\x00")
    assert str(failure) == "reading A\\ud800: B\\x00. A rerun alone will not help."
