"""Where alerts go, and where a sandbox runs: what a verb or the doctor prints for want of it makes it."""

from pathlib import Path

import pytest

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from fcb_pipelines.cli import checkups
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.config import environment
from fcb_pipelines_tests.month_end import a_home
from fcb_pipelines_tests.remedies.printed import fcb, printed
from fcb_pipelines_tests.webhook import taking


def test_a_file_without_a_destination_gets_one_and_the_test_that_is_named_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "alerts.conf"
    file.write_text("# nobody yet\n", "utf-8")
    monkeypatch.setenv("FCB_ALERTS", str(file))
    (row,) = checkups._alerts(environment.read())
    with taking() as (taken, address):
        file.write_text(f"always = json://{address}/", "utf-8")
        fcb(printed(row.remedy, "fcb alerts test"))
    (one,) = taken
    assert printed(one["message"], "fcb alerts test")
    (row,) = checkups._alerts(environment.read())
    assert row.remedy is None


@pytest.mark.slow
def test_without_a_sandbox_the_verb_that_starts_one_is_named() -> None:
    with a_home({}):
        told = [fcb("fcb sandbox status"), fcb("fcb sandbox env", code=Exit.USAGE)]
        (command,) = {printed(each, "fcb sandbox up") for each in told}
        fcb(command)
        assert "nexa-2026-05" in fcb("fcb sandbox status")
        assert "FCB_POSTGRES_URL=" in fcb("fcb sandbox env")
