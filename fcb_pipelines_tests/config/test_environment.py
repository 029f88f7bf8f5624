"""The environment: read in one place, and said the same in .env.example."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fcb_pipelines.config import environment
from fcb_pipelines.config.environment import EnvironmentProblem
from fcb_pipelines.sandbox import told

ROOT = Path(__file__).parents[2]

COMPLETE = {
    "FCB_POSTGRES_URL": "postgresql+psycopg2://fcb@localhost/fcb",
    "FCB_NEXACLOUD_DSN": "postgresql://reader@localhost/nexacloud",
    "FCB_STRIPE_API_KEY": "key-of-stripe",
    "FCB_LAGO_API_URL": "http://127.0.0.1:3000",
    "FCB_LAGO_API_KEY": "key-of-lago",
    "FCB_LEDGER": "odoo",
    "FCB_ODOO_URL": "http://127.0.0.1:8069",
    "FCB_ODOO_DATABASE": "books",
    "FCB_ODOO_USER": "bot",
    "FCB_ODOO_PASSWORD": "key-of-odoo",
}


def test_the_example_lists_exactly_the_variables_that_are_read() -> None:
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == set(environment.VARIABLES)


def test_no_other_module_of_the_package_reads_a_variable_of_its_own() -> None:
    read = {
        name
        for module in (ROOT / "fcb_pipelines").rglob("*.py")
        for name in re.findall(r"\b(?:FCB|DAGSTER)_[A-Z_]+\b", module.read_text())
    }
    # The secret of its receiver is lent by the sandbox; nobody sets it.
    assert read <= {*environment.VARIABLES, "FCB_", told.SECRET}


def test_an_empty_environment_is_enough_to_begin_with() -> None:
    found = environment.read({})
    assert found.home == Path(".fcb").absolute()
    assert found.data_home == found.home / "production"
    assert found.dagster_home == found.data_home / "dagster"
    assert found.ledger == "beancount"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("javascript:alert({id})", "address of a page"),
        ("https://", "address of a page"),
        ("https://dashboard example/{id}", "address of a page"),
        ("https://dashboard.example/invoices", "lacks {id}"),
    ],
)
def test_only_the_address_of_a_page_can_be_linked(url: str, fault: str) -> None:
    found = environment.read({"FCB_STRIPE_DOCUMENT_URL": url})
    with pytest.raises(EnvironmentProblem, match=re.escape(fault)) as raised:
        found.document_url("stripe")
    assert "FCB_STRIPE_DOCUMENT_URL" in str(raised.value)


def test_a_source_has_the_page_of_its_own_variable() -> None:
    found = environment.read({"FCB_LAGO_DOCUMENT_URL": "https://lago.example/invoice/{id}"})
    assert found.document_url("lago") == "https://lago.example/invoice/{id}"
    assert found.document_url("stripe") is None


@pytest.mark.parametrize(
    ("changes", "page"),
    [
        ({}, "http://127.0.0.1:8069"),
        ({"FCB_ODOO_WEB_URL": "https://odoo.example/"}, "https://odoo.example"),
        ({"FCB_LEDGER": "beancount"}, None),
    ],
)
def test_the_page_of_odoo_is_another_address_where_one_is_named(
    changes: dict[str, str], page: str | None
) -> None:
    assert environment.read({**COMPLETE, **changes}).odoo_page() == page


def test_the_close_report_has_a_page_where_something_serves_the_folder() -> None:
    served = environment.read({"FCB_REPORTS_URL": "https://books.example/reports/"})
    assert served.report_page("2026-03.html") == "https://books.example/reports/2026-03.html"
    assert environment.read({}).report_page("2026-03.html") is None
    with pytest.raises(EnvironmentProblem, match="FCB_REPORTS_URL"):
        environment.read({"FCB_REPORTS_URL": "file:///srv/reports"}).report_page("2026-03.html")


def test_the_store_is_the_datas_folder_unless_a_url_says_otherwise(tmp_path: Path) -> None:
    home = {"FCB_HOME": str(tmp_path)}
    assert environment.read({**home, "FCB_DATASET": "trial"}).store == str(tmp_path / "trial")
    elsewhere = environment.read({**home, "FCB_STORE_URL": "s3://bucket/trial"})
    assert elsewhere.store == "s3://bucket/trial"
    assert elsewhere.data_home == tmp_path / "production"


def test_an_empty_value_counts_as_not_set() -> None:
    assert environment.read({"FCB_DATASET": " ", "FCB_CONFIG": ""}) == environment.read({})


def test_a_complete_environment_misses_nothing() -> None:
    found = environment.read(COMPLETE)
    assert found.missing() == ()
    assert found.odoo().company is None


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "FCB_LEDGER"])
def test_each_variable_is_missed_by_name(name: str) -> None:
    found = environment.read({k: v for k, v in COMPLETE.items() if k != name})
    assert found.missing() == (name,)


def test_all_missing_variables_of_a_connection_are_named_at_once() -> None:
    with pytest.raises(EnvironmentProblem) as problem:
        environment.read({"FCB_ODOO_URL": "http://127.0.0.1"}).odoo()
    message = str(problem.value)
    assert "FCB_ODOO_DATABASE, FCB_ODOO_USER, FCB_ODOO_PASSWORD are not set" in message
    assert "fcb doctor" in message


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FCB_LEDGER", "excel", "FCB_LEDGER is one of beancount, odoo"),
        ("FCB_DATASET", "../elsewhere", "FCB_DATASET is the name of one folder"),
        ("FCB_ODOO_COMPANY", "NexaCloud", "FCB_ODOO_COMPANY is an id"),
        ("FCB_POSTGRES_URL", "mysql://localhost/x", "begins with 'mysql'"),
        ("FCB_POSTGRES_URL", "postgresql+asyncpg://localhost/x", "postgresql+asyncpg"),
    ],
)
def test_a_malformed_value_is_refused_by_name(variable: str, value: str, said: str) -> None:
    def use() -> None:
        found = environment.read(COMPLETE | {variable: value})
        found.odoo()
        found.postgres_url()

    with pytest.raises(EnvironmentProblem, match=re.escape(said)):
        use()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_form_of_a_postgres_url_becomes_the_one_that_names_its_driver(scheme: str) -> None:
    found = environment.read({"FCB_POSTGRES_URL": f"{scheme}://u:p@h:5432/d?sslmode=require"})
    assert found.postgres_url() == "postgresql+psycopg2://u:p@h:5432/d?sslmode=require"
    assert environment.libpq_url(found.postgres_url()).startswith("postgresql://u:p@h:5432/d")


ADDRESSES = {
    "FCB_STRIPE_API_BASE": lambda found: found.given({"FCB_STRIPE_API_BASE": "Stripe"}),
    "FCB_LAGO_API_URL": lambda found: found.given({"FCB_LAGO_API_URL": "Lago"}),
    "FCB_ODOO_URL": environment.Environment.odoo,
}


@pytest.mark.parametrize("variable", ADDRESSES)
@pytest.mark.parametrize(
    "url",
    ["http://lago.example", "HTTP://10.0.0.1:3000", "http://localhost.example", "http://127.1"],
)
def test_a_key_goes_over_plain_http_only_where_it_is_allowed(variable: str, url: str) -> None:
    found = {**COMPLETE, variable: url}
    with pytest.raises(EnvironmentProblem, match=f"{variable} sends a key") as refused:
        ADDRESSES[variable](environment.read(found))
    assert "FCB_ALLOW_HTTP=1" in str(refused.value)
    ADDRESSES[variable](environment.read({**found, "FCB_ALLOW_HTTP": "1"}))


@pytest.mark.parametrize("variable", ADDRESSES)
@pytest.mark.parametrize(
    "url",
    ["https://lago.example", "http://localhost:3000", "http://127.0.0.1", "http://[::1]:8069/"],
)
def test_a_key_goes_over_tls_or_stays_on_this_machine(variable: str, url: str) -> None:
    ADDRESSES[variable](environment.read({**COMPLETE, variable: url}))


def test_no_secret_shows_when_the_environment_is_printed() -> None:
    found = environment.read(COMPLETE)
    shown = f"{found} {found.odoo()}"
    assert "key-of-" not in shown


def test_importing_it_reads_nothing() -> None:
    code = "import os; os.environ.clear(); import fcb_pipelines.config.environment"
    subprocess.run([sys.executable, "-c", code], check=True)
