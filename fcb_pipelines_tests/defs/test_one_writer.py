"""Another deployment writes the same ledger: a month waits for it, and says whom it waits for."""

from contextlib import ExitStack

import pytest

from fcb_pipelines_tests.defs.world import PERIODS, World

# isort: split
from fcb_pipelines.config import environment
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.connectors.store.readback_log import ReadBackLog
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.ledger_reading import open_writer
from fcb_pipelines.instance.waiting import Waiting, listening
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.connectors.store.test_writer import writing
from fcb_pipelines_tests.documents import SETTINGS, a_partner
from fcb_pipelines_tests.odoo_server import OdooBooks, lapse_lease


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


@pytest.mark.odoo
def test_a_deployment_with_a_postgres_of_its_own_is_waited_for_in_odoo(
    prepared_books: OdooBooks, postgres: EmbeddedPostgres, new_database: NewDatabase
) -> None:
    one, two = (ReadBackLog(postgres.sqlalchemy_url(new_database())) for _ in range(2))
    told: list[str] = []

    def ended_while_waited_for(waiting: Waiting) -> None:
        told.append(str(waiting))
        lapse_lease(prepared_books)

    def write(log: ReadBackLog, run_id: str) -> None:
        ledger = OdooLedger(prepared_books.connection(), SETTINGS)
        with listening(ended_while_waited_for), open_writer(ledger, log, run_id) as reader:
            reader.ledger.upsert_partners([a_partner(f"nexacloud:users:{run_id}", email="")])

    write(one, "11111111")
    # Another run of the same deployment.
    write(one, "22222222")
    assert told == []
    write(two, "33333333")
    assert told[0].startswith("waiting for the lock of the one writer of odoo:")
    assert "fcb run 22222222 on " in told[0]
    assert told[0].endswith(" UTC, has it")
