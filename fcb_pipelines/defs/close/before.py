"""The report before: read before it is written over, and kept where the new one is compared with it."""

import json
from typing import cast

from fcb_pipelines.connectors.store import places
from fcb_pipelines.connectors.store.places import Place
from fcb_pipelines.core.close.shapes import ReportJson


def report_before(file: Place) -> ReportJson | None:
    """The report in a JSON file as it was left there; None where there is none that can be read."""
    try:
        found = json.loads(places.read_bytes(file))
    except (FileNotFoundError, ValueError):
        return None
    is_report = isinstance(found, dict) and "documents" in found and "generated_from" in found
    return cast(ReportJson, found) if is_report else None


def keep(file: Place, before: ReportJson | None, report: ReportJson) -> None:
    """Keep the file with the report `before` in `before/` where this one is compared with it; an older one there goes."""
    since = report["changes"]["since"]
    if since and before and before["generated_from"].get("digest", "") == since["digest"]:
        places.write_bytes(file.parent / "before" / file.name, places.read_bytes(file))
