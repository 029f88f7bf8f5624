"""What the endpoints work on: the configuration, our own tables, and the frames of the last runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fcb_pipelines.api.verified import Verified
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.intake.handed import HandedStore
from fcb_pipelines.connectors.intake.received import ReceivedStore
from fcb_pipelines.connectors.intake.service_keys import ServiceKeys
from fcb_pipelines.core.company.services import Service
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.intake.usage import Calendar
from fcb_pipelines.defs.runtime import connections


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One company's intake. `clock` gives this moment; a dataset's `as_of` is the day that counts as today."""

    settings: Settings
    keys: ServiceKeys
    received: ReceivedStore
    handed: HandedStore
    verified: Verified
    clock: Callable[[], datetime] = now

    def service(self, code: str) -> Service | None:
        """The configured service of this key."""
        return next((one for one in self.settings.services if one.key == code), None)

    @property
    def calendar(self) -> Calendar:
        """The months of usage that are open now."""
        settings = self.settings
        today = settings.as_of or self.clock().astimezone(ZoneInfo(settings.timezone)).date()
        return Calendar(
            today=today,
            timezone=settings.timezone,
            closes_after_days=settings.intake.closes_after_days,
        )


def open_intake(found: Environment, settings: Settings) -> Intake:
    """The intake over the connections of the environment."""
    return Intake(
        settings=settings,
        keys=connections.service_keys(found),
        received=connections.received_usage(found),
        handed=connections.handed_in(found),
        verified=Verified(connections.frames(found), settings),
    )
