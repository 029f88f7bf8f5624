"""The service time of billed lines, to the second, read from the source's own body.

Facts keep only its days, as the books need; the proration witness needs the seconds.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fcb_pipelines.core.facts.arithmetic import UNREADABLE
from fcb_pipelines.core.facts.bodies import Json, objects_in, part_of
from fcb_pipelines.core.facts.lago.parts import instant_of
from fcb_pipelines.core.metering.cycles import Span, instant


def stripe_spans(body: Json, timezone: str) -> dict[str, Span]:
    """The span of each line of a Stripe invoice, by the line's key in its facts.

    A line whose span is missing, empty or unreadable is left out.
    """
    lines = objects_in(part_of(part_of(body, "invoice"), "lines").get("data"))
    return _with_time((line.get("id"), _stripe_span(line)) for line in lines)


def lago_spans(body: Json, timezone: str) -> dict[str, Span]:
    """The same of a Lago invoice; its whole days are those of the company's `timezone`."""
    fees = objects_in(body.get("fees"))
    return _with_time((fee.get("lago_id"), _lago_span(fee, timezone)) for fee in fees)


def no_spans(body: Json, timezone: str) -> dict[str, Span]:
    """No spans, for a source without service times: each line counts in its document's month."""
    return {}


def _with_time(spans: Iterable[tuple[object, Span | None]]) -> dict[str, Span]:
    return {str(key): span for key, span in spans if span and span.seconds > 0}


def _stripe_span(line: Json) -> Span | None:
    try:
        period = line["period"]
        start, end = (datetime.fromtimestamp(period[name], UTC) for name in ("start", "end"))
        return Span(start=start, end=end)
    except (*UNREADABLE, OSError):
        return None


def _lago_span(fee: Json, timezone: str) -> Span | None:
    """The span of a fee. Lago's `to_date` is its last second, so the span ends one second later."""
    try:
        start, end = (_lago_moment(fee[name], timezone) for name in ("from_date", "to_date"))
        return Span(start=start, end=end + timedelta(seconds=1))
    except UNREADABLE:
        return None


def _lago_moment(text: str, timezone: str) -> datetime:
    """The moment in UTC. The bounds of a whole day are of the company's timezone."""
    moment = instant_of(text).replace(microsecond=0)
    if moment.time() in (time(), time(23, 59, 59)):
        return datetime.combine(moment.date(), moment.time(), ZoneInfo(timezone)).astimezone(UTC)
    return instant(moment, timezone)
