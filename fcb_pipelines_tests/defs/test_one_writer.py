"""Another deployment writes the same ledger: a month waits for it, and says whom it waits for."""

from contextlib import ExitStack

from fcb_pipelines.config import environment
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.instance.waiting import Waiting, listening
from fcb_pipelines_tests.connectors.store.test_writer import writing
from fcb_pipelines_tests.defs.world import PERIODS, World


def test_a_month_waits_for_the_writer_of_another_deployment(fresh: World) -> None:
    assert fresh.extract().success
    told: list[Waiting] = []
    url = environment.read().postgres_url()
    with ExitStack() as stack:
        other = stack.enter_context(writing(url, fresh.ledger.describe().identity))

        def ended_while_waited_for(waiting: Waiting) -> None:
            told.append(waiting)
            assert not fresh.ledger.list_moves()
            other.kill()

        with listening(ended_while_waited_for):
            assert fresh.month(PERIODS[0], post=True).success
    assert told[0].pool == keys.LEDGER_POOL
    said = str(told[0])
    assert said.startswith(
        f"waiting for the lock of the one writer of {fresh.ledger.describe().identity}: fcb run 1234abcd on "
    )
    assert said.endswith(" UTC, has it")
    assert fresh.ledger.list_moves()
