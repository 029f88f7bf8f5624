"""Today's code over the home of the version before; and the writing of such a home for the next version.

python -m fcb_pipelines_tests.compatibility close       what closing that home again does, as JSON
python -m fcb_pipelines_tests.compatibility write       `before` made anew with the code at hand
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from fcb_pipelines.connectors.store.frames import read_frame
from fcb_pipelines.core.codes import Reason
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.compatibility.before import (
    BOOKS,
    LOG,
    entries,
    logged,
    lost,
    restore_log,
    rows,
    unpack,
    written,
)


def main() -> None:
    """One of the two, as the module says."""
    if sys.argv[1:] == ["write"]:
        from fcb_pipelines_tests.compatibility.writing import write

        write()
    elif sys.argv[1:] == ["close"]:
        with tempfile.TemporaryDirectory(prefix="fcb-before-", ignore_cleanup_errors=True) as home:
            print(json.dumps(close(Path(home))))  # noqa: T201
    else:
        sys.exit(__doc__)


def close(folder: Path) -> dict[str, Any]:
    """What today's code makes of the home: first of its frames alone, then of one more close of it all.

    `read_otherwise` is where status and reports, told from the old frames, do not say what they said, and
    `told_otherwise` the same after the close. `counted` is what the ledger was asked to do, `changed` the
    files of the books that are not as they were, `logged` how many read-backs were news, `unnamed` the
    refs that a frame had and has no more, `stopped` what ended a month, `corrected` the documents of
    which something would be corrected.
    """
    old = folder / "old"
    unpack(old)
    data = old / "data"
    # The months are those of the dataset under which the definitions load first.
    os.environ["FCB_TEST_DATASET"] = str(data)
    from fcb_pipelines.defs.runtime import keys
    from fcb_pipelines.defs.runtime.partitions import periods
    from fcb_pipelines_tests.defs.world import running
    from fcb_pipelines_tests.mutation.__main__ import databases
    from fcb_pipelines_tests.mutation.bench import Bench, remembered_sources

    home = folder / "world" / "home" / Dataset.open(data).name
    shutil.copytree(BOOKS, home / "books")
    shutil.copytree(old / "frames", home / "frames")
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    try:
        with running(folder / "world", server, databases(server), data=data) as world:
            url = server.sqlalchemy_url(world.own_database)
            restore_log(world.log, url)
            work = Bench(found=world.found, sources=remembered_sources(world.found))

            def otherwise() -> list[str]:
                for period in periods():
                    work.run(keys.REPORT, period)
                status = json.loads((old / "status.json").read_text("utf-8"))
                found = lost(status, json.loads(json.dumps(work.status())), "status")
                for file in sorted((old / "reports").glob("*.json")):
                    before = json.loads(file.read_text("utf-8"))
                    now = json.loads((home / "reports" / file.name).read_text("utf-8"))
                    found += lost(before, now, f"report {file.stem}")
                return found

            read_otherwise = otherwise()
            assert world.extract().success
            work.counted.clear()
            work.close()
            ours = {row["ref"] for row in entries(world.ledger) if row["record"] == "document"}
            plans = work.corrections(
                [
                    one["ref"]
                    for one in work.status()["documents"]
                    # Of what its source lost no correction is made.
                    if one["ref"] in ours and one["reason"] != Reason.MISSING_AT_SOURCE
                ]
            )
            counted, books = dict(work.counted), world.books_text()
            return {
                "read_otherwise": read_otherwise,
                "stopped": work.stopped,
                "counted": {n: counted[n] for n in ("created", "rebuilt", "posted", "settled")},
                "changed": [name for name, text in written().items() if books[name] != text],
                "logged": len(logged(url)) - len(rows(LOG)),
                "unnamed": unnamed(old / "frames", home / "frames"),
                "corrected": [plan.ref for plan in plans if not plan.is_empty],
                "told_otherwise": otherwise(),
            }
    finally:
        server.stop()


def unnamed(before: Path, now: Path) -> list[str]:
    """The refs of the old frames that the same frame, built again, does not have; posted or not."""
    return [
        f"{file.relative_to(before)}: {ref}"
        for file in sorted(before.rglob("*.parquet"))
        for frame in [read_frame(file)]
        if "ref" in frame
        for ref in sorted(
            set(frame["ref"]) - set(read_frame(now / file.relative_to(before))["ref"])
        )
    ]


if __name__ == "__main__":
    main()
