"""The report before is kept where the new one is compared with it, and only there."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from fcb_pipelines.core.close.shapes import ReportJson
from fcb_pipelines.defs.close.before import keep, report_before


def a_report(digest: str, since: str | None = None) -> ReportJson:
    told: dict[str, Any] = {
        "generated_from": {"digest": digest},
        "documents": [],
        "changes": {"since": since and {"digest": since}},
    }
    return cast(ReportJson, told)


@pytest.mark.parametrize(
    ("since", "kept"),
    [(None, False), ("d1", True), ("an older one", False)],
)
def test_only_the_report_that_the_new_one_is_compared_with_is_kept(
    tmp_path: Path, since: str | None, kept: bool
) -> None:
    file = tmp_path / "2026-04.json"
    file.write_text(json.dumps(a_report("d1")))
    keep(file, report_before(file), a_report("d2", since))
    aside = tmp_path / "before" / "2026-04.json"
    assert aside.exists() is kept
    assert not kept or aside.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"documents": []}', "no json"])
def test_what_is_no_report_is_none(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "2026-04.json"
    if text is not None:
        file.write_text(text)
    assert report_before(file) is None
    keep(file, report_before(file), a_report("d2", "d1"))
    assert not (tmp_path / "before").exists()
