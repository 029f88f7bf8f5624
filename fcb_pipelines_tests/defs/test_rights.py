"""A sync by a user without the rights of the day; with them, every accounting case is closed (test_edge_cases)."""

from pathlib import Path

import pytest

from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.world import running, why
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = pytest.mark.odoo


def test_a_user_who_may_only_read_is_stopped_before_anything_is_written(
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
