"""The months whose dual run has other inputs now than when it was last built, or would come to something else."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import (
    FrameStore,
    read_attrs,
    to_frame,
    to_rows,
    write_frame,
)
from fcb_pipelines.core.digests import digest
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.invoiced import Invoiced, lines_of
from fcb_pipelines.core.metering.usage import Usage, usage
from fcb_pipelines.defs.metering import inputs
from fcb_pipelines.defs.metering.inputs import Metering
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_io import made_of_extracts

_READ = {
    **{
        table: ["nexacloud", table]
        for table in ("usage_records", "subscriptions", *keys.SERVICE_TABLES)
    },
    "invoiced_documents": keys.INVOICED_DOCUMENTS.path,
}


# Of no service that hands in its usage, these have nothing to say.
_HANDED_IN = {
    "intake_subscriptions": keys.INTAKE_SUBSCRIPTIONS.path,
    "intake_received": keys.INTAKE_RECEIVED.path,
}

# What a month's usage is measured by.
_MEASURED_BY = {
    **inputs.SUBSCRIPTIONS, **inputs.CUSTOMERS, **inputs.CATALOGUE, **inputs.DOCUMENTS,
}  # fmt: skip
_OF_MONTH = {**inputs.USAGE, **inputs.EXPECTED}
# A version before this one did not write them.
_LATER = {"intake_subscriptions", "intake_customers"}
EXTRACTS = "extracts"
"""A frame's attr with what decides the extracts that it is made of."""
# The built months that were looked at, each by its file.
_KEPT, _MONTHS = ("kept", "fresh"), "months"


def built_from(this: Metering, rows: Sequence[Usage], period: str) -> str:
    """A digest of the usage (`rows`) and the documents behind the month's rows.

    Of usage that was handed in it has what was received of each subscription, not the records.
    """
    handed_in = this.settings.by_intake("usage")
    rows = [row for row in rows if row.service not in handed_in]
    near = this.documents_of(period)
    linked = {document.ref for document, _ in lines_of(near, period)}
    documents = [one for one in near if one.period == period or one.ref in linked]
    # As frames have them, so that rows read back and rows just made are the same text.
    text = to_frame(rows, Usage).to_csv() + to_frame(documents, Invoiced).to_csv()
    if handed_in:
        text += repr(this.received(period))
    return digest(text)


def made_of(store: FrameStore, snapshot: object, before: Iterable[pd.DataFrame] = ()) -> str | None:
    """What decides a frame of the dual run, made now of the extracts of this `snapshot` and of the frames `before` it.

    None where one of those was made by other rules: of another configuration or version, or of other extracts.
    """
    now = made_of_extracts(store, snapshot)
    return now if all(one.attrs.get(EXTRACTS) == now for one in before) else None


def changed_months(frames: FrameStore, periods: Sequence[str]) -> frozenset[str]:
    """The built months whose usage or documents have changed since.

    Usage comes late, and the invoice for one month's service may be dated in the next.
    """
    if not all(frames.signature(key) for key in _READ.values()):
        return frozenset()
    extracts = made_of_extracts(frames)
    built = {period: frames.signature(keys.METERING_DELTAS.path, period) for period in periods}
    known = _known_fresh(frames, extracts)
    now = _Now(frames)
    fresh = {
        period: signature
        for period, signature in built.items()
        if signature
        and (known.get(period) == signature or _is_fresh(frames, period, now, extracts))
    }
    # An extract that ended meanwhile may be what some of them were measured against.
    if extracts is not None and fresh != known and made_of_extracts(frames) == extracts:
        kept = pd.DataFrame()
        kept.attrs.update({EXTRACTS: extracts, _MONTHS: fresh})
        write_frame(kept, frames.path(_KEPT))
    return frozenset(periods) - fresh.keys()


class _Now:
    """What the months come to now; the frames are read where a month is measured anew."""

    def __init__(self, frames: FrameStore) -> None:
        self._frames = frames

    def of(self, period: str) -> str:
        """The digest of what is behind the month's rows now."""
        return _now(self._metering, period)

    @cached_property
    def _metering(self) -> Metering:
        read = {name: self._frames.read(key) for name, key in (_READ | _HANDED_IN).items()}
        return Metering({name: frame for name, frame in read.items() if frame is not None})


def _known_fresh(frames: FrameStore, extracts: str | None) -> dict[str, str]:
    """The months, each by its file, that were found to be made of what these extracts come to."""
    kept = frames.read(_KEPT)
    if kept is None or extracts is None or kept.attrs.get(EXTRACTS) != extracts:
        return {}
    found: dict[str, str] = kept.attrs[_MONTHS]
    return found


def as_measured(frames: FrameStore, periods: Sequence[str]) -> frozenset[str]:
    """Of these built months those whose usage, measured against the present extracts, comes to the same once more."""
    shared = _read(frames, _MEASURED_BY)
    return frozenset(period for period in periods if _is_as_measured(frames, period, shared))


def _is_as_measured(frames: FrameStore, period: str, shared: Mapping[str, pd.DataFrame]) -> bool:
    this = Metering({**shared, **_read(frames, _OF_MONTH, period)})
    if not this.frames.keys() >= {*_MEASURED_BY, *_OF_MONTH} - _LATER:
        return False
    before = frames.read(keys.METERING_DELTAS.path, period)
    return (
        before is not None
        and this.charges(period) == this.expected
        and this.compared(period) == to_rows(before, MeteringDelta)
    )


def _read(
    frames: FrameStore, wanted: Mapping[str, dg.AssetIn], period: str | None = None
) -> dict[str, pd.DataFrame]:
    """The frames of these inputs that are there."""
    read = {name: frames.read(one.key.path, period) for name, one in wanted.items() if one.key}
    return {name: frame for name, frame in read.items() if frame is not None}


def _is_fresh(frames: FrameStore, period: str, now: _Now, extracts: str | None) -> bool:
    try:
        last = read_attrs(frames.path(keys.METERING_DELTAS.path, period))
    except FileNotFoundError:
        return False
    # Of the same extracts the inputs of a month are the same.
    if extracts is not None and last.get(EXTRACTS) == extracts:
        return True
    return last.get("built_from") == now.of(period)


def _now(this: Metering, period: str) -> str:
    settings = this.settings
    rows = usage(
        this.readings(period),
        this.subscriptions,
        this.metrics,
        period=period,
        timezone=settings.timezone,
        late_after_hours=settings.metering.late_after_hours,
        unread=this.unread_readings,
    )
    return built_from(this, rows, period)
