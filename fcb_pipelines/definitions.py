"""The code location: everything under defs/."""

from pathlib import Path

import dagster as dg

from fcb_pipelines.defs.runtime.collector import collect_rarely


@dg.definitions
def defs() -> dg.Definitions:
    """Loads defs/, and sets how this process looks for dead objects; nothing else."""
    collect_rarely()
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
