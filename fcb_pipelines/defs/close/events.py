"""What services were told, read back from the frames, for the close report."""

from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.events.proof import DeliveryRow, EventsSection, events_section
from fcb_pipelines.defs.runtime import keys


def events_of(frames: FrameStore, period: str) -> EventsSection | None:
    """The month's section; None where nothing was told of it."""
    outbox, deliveries = frames.read(keys.OUTBOX.path, period), frames.read(keys.DELIVERIES.path)
    if outbox is None or outbox.empty:
        return None
    rows = () if deliveries is None else to_rows(deliveries, DeliveryRow)
    return events_section(to_rows(outbox, Event), rows)
