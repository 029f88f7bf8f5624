"""Dagster's folder on a database of a test's own, as `dagster.yaml` of the project writes it."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def a_dagster_home(folder: Path, url: str, **changes: Any) -> Path:
    """The folder with the project's dagster.yaml over this Postgres; `changes` replace its blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    settings["storage"]["custom"]["config"]["postgres_url"] = url
    (folder / "dagster.yaml").write_text(yaml.safe_dump({**settings, **changes}))
    return folder
