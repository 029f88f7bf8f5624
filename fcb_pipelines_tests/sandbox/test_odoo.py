"""Installing Odoo where it can't be had, and books in it where it can."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from fcb_pipelines.connectors.failures import NotPrepared, TransientFailure
from fcb_pipelines.sandbox import odoo_install, processes
from fcb_pipelines.sandbox.odoo import start_odoo
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.processes import Process
from fcb_pipelines_tests.odoo_server import OdooServer

Fake = Callable[..., None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Makes a program that prints and ends as told; nothing else is on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name: str, says: str = "", *, ends: int = 0) -> None:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{says}'\nexit {ends}\n")
        program.chmod(0o755)

    return make


def test_a_machine_without_apt_is_told_what_else_it_can_do(tmp_path: Path, fake: Fake) -> None:
    with pytest.raises(NotPrepared, match=r"apt-get is not on this machine.*--ledger beancount"):
        odoo_install.install(tmp_path / "odoo")


def test_a_machine_whose_apt_has_no_debian_archive_is_told_so(tmp_path: Path, fake: Fake) -> None:
    for program in ("dpkg-deb", "tar"):
        fake(program)
    fake("apt-get", "Other|Other|main|http://archive.example/")
    with pytest.raises(NotPrepared, match="names no Debian archive"):
        odoo_install.install(tmp_path / "odoo")


def test_a_broken_download_is_worth_another_try(tmp_path: Path, fake: Fake) -> None:
    for program in ("dpkg-deb", "tar"):
        fake(program)
    fake("apt-get", "Could not resolve the archive", ends=100)
    with pytest.raises(TransientFailure, match=r"ended with 100: .*Could not resolve"):
        odoo_install.install(tmp_path / "odoo")


def test_what_is_installed_whole_is_taken_as_it_is(tmp_path: Path, fake: Fake) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    wanted = odoo_install.REQUIREMENTS.read_text("utf-8")
    odoo_install.write_stamp(tmp_path, "19.0.0", wanted)
    assert odoo_install.install(tmp_path).version == "19.0.0"
    odoo_install.write_stamp(tmp_path, "19.0.0", "other libraries")
    with pytest.raises(NotPrepared):
        odoo_install.install(tmp_path)


def test_an_odoo_that_runs_is_not_started_twice(tmp_path: Path) -> None:
    running = Process(name="odoo", pid=1, started=0.0, port=8069)
    server = EmbeddedPostgres(tmp_path)
    process, lent = start_odoo(tmp_path, server, "books", known=running, log=tmp_path / "log")
    assert process is running
    assert lent["FCB_ODOO_URL"] == "http://127.0.0.1:8069"
    assert lent["FCB_ODOO_DATABASE"] == "books"


@pytest.mark.odoo
def test_fresh_books_have_the_canadian_chart_and_an_identity_of_their_own(
    odoo_server: OdooServer, postgres: EmbeddedPostgres
) -> None:
    found = []
    for _ in range(2):
        books = odoo_server.unprepared()
        (company,) = books.do("res.company", "search_read", [], ["chart_template", "currency_id"])
        assert company["chart_template"] == "ca_2023"
        assert company["currency_id"][1] == "CAD"
        # Asked beside Odoo: its server keeps parameters of a database of the same name in mind.
        with postgres.connect(books.database) as connection, connection.cursor() as cursor:
            cursor.execute("select value from ir_config_parameter where key = 'database.uuid'")
            found += cursor.fetchall()
    assert len(set(found)) == 2


@pytest.mark.odoo
def test_odoo_is_started_over_its_books_and_stopped_by_its_pid(
    odoo_server: OdooServer, postgres: EmbeddedPostgres
) -> None:
    log = postgres.data.parent / "odoo-second.log"
    process, lent = odoo_server.start_another("odoo_second", log)
    try:
        processes.wait_until_it_answers(process, log=log, path="/web/health")
        assert lent["FCB_ODOO_URL"] == process.url
    finally:
        assert processes.stop(process)
    assert not processes.alive(process)


def test_the_page_needs_the_fonts_and_scripts_among_the_packages_dependencies() -> None:
    depends = "python3:any, libjs-jquery (>= 3), fonts-a | fonts-b, adduser, fonts-roboto-unhinted"
    assert odoo_install.of_the_page(depends) == ("fonts-a", "fonts-roboto-unhinted", "libjs-jquery")
    assert odoo_install.of_the_page("") == ()


@pytest.mark.odoo
def test_its_web_page_answers_with_every_script_and_style_that_it_names(
    odoo_server: OdooServer,
) -> None:
    books = odoo_server.unprepared()
    session = requests.Session()
    # The database is chosen once; the session keeps it.
    page = session.get(f"{books.url}/web/login", params={"db": books.database}, timeout=120)
    assert page.status_code == 200
    assert 'name="password"' in page.text
    named = re.findall(r'(?:src|href)="(/web/assets/[^"]+\.(?:js|css))"', page.text)
    assert any(each.endswith(".js") for each in named), page.text[:2000]
    assert any(each.endswith(".css") for each in named)
    for each in named:
        answer = session.get(f"{books.url}{each}", timeout=120)
        assert (answer.status_code, each) == (200, each)
        assert len(answer.content) > 1000, each
