"""A month of usage handed in over HTTP, and read again: seconds and CPU, with as much in the months around.

    python -m benchmarks.intake --records 190000 --json

Serves the intake over an embedded Postgres, which is thrown away, and hands in the records of three months by
batches, as a service does: a record an hour of each subscription. Then all of one month once more, which changes
nothing, and the reading of that month.
"""

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
import yaml

from benchmarks.measure import Usage, measured, own, show, tree
from fcb_pipelines.api.app import create_app
from fcb_pipelines.api.intake import Intake
from fcb_pipelines.api.verified import Verified
from fcb_pipelines.config.settings import PACKAGED
from fcb_pipelines.connectors.intake.handed import HandedStore
from fcb_pipelines.connectors.intake.received import ReceivedStore
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, to_rows
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.intake.usage import ReceivedUsage
from fcb_pipelines.core.metering.cycles import cycle_of
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.pushing import push

MONTHS = ("2026-04", "2026-05", "2026-03")
READ = MONTHS[0]
HOURS = 24 * 30
SERVICES = [
    {"key": "nexacloud", "metrics": []},
    {
        "key": "nexamaps",
        "metrics": [{"key": "api_calls"}],
        "origins": {"usage": "intake", "customers": "intake", "subscriptions": "intake"},
    },
]


def records(month: str, count: int) -> list[dict[str, Any]]:
    """So many records of a month: an hour each, of as many subscriptions as it takes."""
    begin = datetime.fromisoformat(f"{month}-01T06:00:00+00:00")
    made = []
    for number in range(count):
        subscription, hour = divmod(number, HOURS)
        start = begin + timedelta(hours=hour)
        made.append(
            {
                "key": f"{month}.{number}", "subscription_id": f"sub_{subscription}", "metric": "api_calls",
                "period_start": start.isoformat(), "period_end": (start + timedelta(hours=1)).isoformat(),
                "quantity": number % 5000, "recorded_at": start.isoformat(),
            }
        )  # fmt: skip
    return made


def company() -> Settings:
    """A company with one service that hands in its usage, without a limit of requests."""
    told = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))
    told |= {"services": SERVICES, "as_of": date(2026, 5, 31)}
    return Settings.model_validate({**told, "intake": {"requests_per_minute": 1_000_000}})


@contextmanager
def served(intake: Intake) -> Iterator[str]:
    """The address of the intake, served by a thread until the block ends."""
    port = processes.free_port()
    config = uvicorn.Config(create_app(intake), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)


def measure(count: int) -> dict[str, Any]:
    """The figures for so many records a month."""
    home = Path(tempfile.mkdtemp(prefix="fcb-bench-intake-"))
    postgres = EmbeddedPostgres(home)
    postgres.start()
    try:
        postgres.create_database("intake")
        url = postgres.sqlalchemy_url("intake")
        intake = Intake(
            settings=company(),
            keys=ServiceKeys(url),
            received=ReceivedStore(url),
            handed=HandedStore(url),
            verified=Verified(FrameStore(home / "frames"), company()),
            clock=lambda: datetime(2026, 6, 1, tzinfo=UTC),
        )
        _, key = intake.keys.new("nexamaps", "bench")
        with served(intake) as address:
            return _measured(intake, address, key, count, postgres)
    finally:
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def _measured(
    intake: Intake, address: str, key: str, count: int, postgres: EmbeddedPostgres
) -> dict[str, Any]:
    clocks = {"process": own, "postgres": tree(postgres.pid or 0)}
    found: dict[str, Any] = {"records": count}

    def stage(name: str, work: Callable[[], Any]) -> Any:
        with measured(clocks) as taken:
            result = work()
        found[name] = _figures(taken)
        return result

    sent = {month: records(month, count) for month in MONTHS}
    for month in MONTHS:
        outcomes = stage(
            f"received {month}", lambda m=month: push(address, key, {"usage": sent[m]})
        )
        _proved(outcomes["accepted"], count, month)
    again = stage("received again", lambda: push(address, key, {"usage": sent[READ]}))
    _proved(again["unchanged"], count, "again")
    zone = intake.settings.timezone
    rows = stage(
        "read", lambda: intake.received.within(["nexamaps"], cycle_of(READ, None, zone), {})
    )
    found["read records"] = len(rows)
    frame = stage("as a frame", lambda: to_frame(rows, ReceivedUsage))
    stage("as values", lambda: to_rows(frame, ReceivedUsage))
    months, newest = stage("counted", lambda: intake.received.months(["nexamaps"]))
    _proved(sum(one.records for one in months), len(MONTHS) * count, "counted")
    _proved(newest, len(MONTHS) * count, "numbered")
    return found


def _proved(found: int, wanted: int, what: str) -> None:
    """Raise SystemExit where the intake did something else than it was measured for."""
    if found != wanted:
        raise SystemExit(f"{what}: {found} instead of {wanted} records")


def _figures(taken: Usage) -> dict[str, float]:
    return {"wall": round(taken.wall, 2), "cpu": round(taken.total, 2)}


def main() -> None:
    """Read the command line, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=190_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    show(measure(chosen.records), as_json=chosen.json)


if __name__ == "__main__":
    main()
