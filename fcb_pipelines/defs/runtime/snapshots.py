"""A month is built from one snapshot: the one its sync extracted."""

from collections.abc import Iterable

import dagster as dg
import pandas as pd

from fcb_pipelines.defs.runtime.keys import SNAPSHOT_TAG


def one_snapshot(context: dg.AssetExecutionContext, frames: Iterable[pd.DataFrame]) -> str:
    """The snapshot that all these frames come from.

    Raises dg.Failure where they come from several, or from another one than this run's sync extracted:
    a later extract has replaced it, and its own months will follow.
    """
    # A frame that the month was built without has no columns, and is of no snapshot.
    built = (frame for frame in frames if not frame.columns.empty)
    found = {str(frame.attrs.get("snapshot", "")) for frame in built}
    wanted = context.run.tags.get(SNAPSHOT_TAG)
    if len(found) != 1 or (wanted and found != {wanted}):
        raise dg.Failure(
            f"the extracts are of snapshot {', '.join(sorted(found))}, and this run is of "
            f"{wanted or 'one snapshot'}: an extract ran or failed in between. A rerun of this run "
            "alone will not help. Mend it with: fcb sync",
            allow_retries=False,
        )
    return found.pop()
