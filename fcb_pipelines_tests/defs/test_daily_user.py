"""The whole daily sync as the user of each day: Invoicing and Contact Creation, and no other right."""

from pathlib import Path

import pytest

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.world import running, why
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = pytest.mark.odoo


def test_the_daily_user_closes_every_month_and_a_read_only_one_is_stopped_before_it_writes(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    prepared_books: OdooBooks,
) -> None:
    reader = prepared_books.as_user("read only")
    with running(tmp_path / "reader", postgres, new_database, odoo=reader) as world:
        (stopped,) = why(world.extract())
        assert "it lacks right create account.move" in stopped
        assert "'Accounting: Invoicing'" in stopped
    assert prepared_books.do("account.move", "search_count", []) == 0
    assert prepared_books.do("res.partner", "search_count", [("email", "!=", False)]) <= 2

    daily = prepared_books.as_user("invoicing", "contacts")
    with running(tmp_path / "daily", postgres, new_database, odoo=daily) as world:
        status = world.close()
        assert status["totals"]["CAD"]["posted_count"] == 23
        assert status["totals"]["CAD"]["posted_total"] == 340346
        assert world.again() == status
