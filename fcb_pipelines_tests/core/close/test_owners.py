"""Whom a code waits for: one table over the closed lists."""

from fcb_pipelines.core.close.owners import OF_EXCEPTIONS, OF_HOLDS, Owner, owner_of
from fcb_pipelines.core.codes import ExceptionCode, Reason, Verdict


def test_every_reason_of_a_hold_and_every_exception_waits_for_somebody_and_no_other_code() -> None:
    assert [*OF_HOLDS] == [one for one in Reason if one.verdict is Verdict.HOLD]
    assert [*OF_EXCEPTIONS] == [*ExceptionCode]
    assert {*OF_HOLDS.values(), *OF_EXCEPTIONS.values()} == {*Owner}


def test_a_hold_and_an_exception_of_one_name_may_wait_for_different_people() -> None:
    assert owner_of(Reason.TAX_MISMATCH) is Owner.BILLING
    assert owner_of(ExceptionCode.TAX_MISMATCH) is Owner.ENGINEER


def test_a_code_of_an_earlier_version_waits_for_the_controller() -> None:
    assert owner_of(ExceptionCode.of("long_gone")) is Owner.CONTROLLER
