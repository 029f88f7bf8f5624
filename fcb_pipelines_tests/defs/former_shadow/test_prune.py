"""The job that removes the metered shadow: it lists first, and acts only on the database's name."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from fcb_pipelines.cli.work import working_in
from fcb_pipelines_tests.defs.runs import failures
from fcb_pipelines_tests.defs.world import DEFINITIONS
from fcb_pipelines_tests.odoo_server import OdooBooks

Rows = list[dict[str, str]]
INSTANCE = dg.DagsterInstance.ephemeral()


@contextmanager
def at(home: Path, **variables: str) -> Iterator[None]:
    """The environment of a run whose files lie under `home`."""
    with working_in({"FCB_HOME": str(home), "FCB_DATASET": "test", **variables}):
        yield


def run(**config: Any) -> dg.ExecuteInProcessResult:
    """The job, as it is started in Dagster's page."""
    job = DEFINITIONS.resolve_job_def("prune_metered_shadow")
    return job.execute_in_process(
        instance=INSTANCE,
        run_config={"ops": {"prune_shadow": {"config": config}}} if config else None,
        raise_on_error=False,
    )


def logged(result: dg.ExecuteInProcessResult) -> list[str]:
    """What the run told the person who started it."""
    entries = INSTANCE.all_logs(result.run_id)
    return [entry.user_message for entry in entries if not entry.is_dagster_event]


def listed(home: Path, result: dg.ExecuteInProcessResult) -> Rows:
    """The rows of the file that the run wrote."""
    file = home / "test" / "reports" / f"prune_metered_shadow-{result.run_id}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_embedded_books_hold_no_shadow_and_the_job_says_so(tmp_path: Path) -> None:
    with at(tmp_path, FCB_LEDGER="beancount"):
        result = run(dry_run=False, confirm="anything")
    assert result.success, failures(result)
    assert logged(result) == ["Nothing to prune: the ledger is not Odoo (FCB_LEDGER)."]
    assert not (tmp_path / "test" / "reports").exists()


@pytest.mark.odoo
def test_the_job_lists_refuses_without_the_name_and_removes_with_it(
    tmp_path: Path, selling_books: OdooBooks
) -> None:
    books = selling_books
    with at(tmp_path, FCB_LEDGER="odoo", **books.environment):
        unmarked = run(dry_run=False, confirm=books.database)
        assert unmarked.success, failures(unmarked)
        (told,) = logged(unmarked)
        assert "has no field sale.order.x_fc_shadow" in told
        assert not (tmp_path / "test" / "reports").exists()

        (model,) = books.do("ir.model", "search", [("model", "=", "sale.order")])
        field = {"model_id": model, "name": "x_fc_shadow", "ttype": "boolean"}
        books.do("ir.model.fields", "create", [field | {"field_description": "Shadow"}])
        (customer,) = books.do("res.partner", "create", [{"name": "Acme"}])
        (product,) = books.do(
            "product.product", "create", [{"name": "CPU", "default_code": "NC-CPU"}]
        )
        order = {
            "partner_id": customer,
            "name": "SHADOW-1",
            "x_fc_shadow": True,
            "order_line": [[0, 0, {"product_id": product}]],
        }
        books.do("sale.order", "create", [order])

        dry = run()
        assert dry.success, failures(dry)
        wanted = [
            {"model": "sale.order", "name": "SHADOW-1", "outcome": "would delete", "reason": ""},
            {"model": "product.product", "name": "NC-CPU", "outcome": "would delete", "reason": ""},
        ]
        assert listed(tmp_path, dry) == wanted
        assert logged(dry)[:2] == ["product.product would delete: 1", "sale.order would delete: 1"]

        for confirm in ("", "production"):
            unconfirmed = run(dry_run=False, confirm=confirm)
            assert not unconfirmed.success
            (told,) = failures(unconfirmed)
            assert "not the name of the database; nothing was done" in told
            assert f"confirm: {books.database}" in told
        # A name alone does not make it more than a dry run.
        assert listed(tmp_path, run(confirm=books.database)) == wanted

        done = run(dry_run=False, confirm=books.database)
        assert done.success, failures(done)
        assert [row["outcome"] for row in listed(tmp_path, done)] == ["deleted", "deleted"]
        assert books.do("sale.order", "search_count", []) == 0
        assert listed(tmp_path, run()) == []
