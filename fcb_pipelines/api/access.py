"""Who calls: the service by its key, and how often it may."""

import math
import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from fcb_pipelines.api.intake import Intake
from fcb_pipelines.api.problems import Refused
from fcb_pipelines.core.company.services import Origin, Service

# So many wrong keys of one address in a minute are told to be wrong. A valid key passes all the same: behind a
# proxy every service has one address.
WRONG_KEYS_A_MINUTE = 60

_bearer = HTTPBearer(
    auto_error=False, description="The key of a service: `fcb services key new CODE`."
)


class Limits:
    """How many requests this process still answers in this minute, by service and by address."""

    def __init__(self, requests_per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._of_service = RateLimitItemPerMinute(requests_per_minute)
        self._wrong = RateLimitItemPerMinute(WRONG_KEYS_A_MINUTE)

    def count(self, service: str) -> None:
        """Count one request of the service. Raises Refused (429) where it is one too many."""
        self._hit(self._of_service, f"service {service}")

    def wrong_key(self, address: str) -> None:
        """Count one wrong key from this address. Raises Refused (429) where it is one too many."""
        self._hit(self._wrong, f"address {address}")

    def _hit(self, limit: RateLimitItemPerMinute, name: str) -> None:
        if not self._limiter.hit(limit, name):
            wait = self._limiter.get_window_stats(limit, name).reset_time - time.time()
            raise Refused(429, headers={"Retry-After": str(max(1, math.ceil(wait)))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The service that calls, with the id of its request."""

    intake: Intake
    service: Service
    request_id: str

    @property
    def code(self) -> str:
        """The service's key in the configuration."""
        return self.service.key

    def hands_in(self, kind: str) -> None:
        """Raises Refused (409) where these records of the service come from tables."""
        if getattr(self.service.origins, kind) is not Origin.INTAKE:
            raise Refused(
                409,
                f"The {kind} of {self.code} come from tables; services[].origins.{kind} says so.",
                code="comes_from_tables",
            )


def caller(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """The service that the key belongs to. Raises Refused: 401 for a wrong key, 429 for one request too many."""
    intake: Intake = request.app.state.intake
    limits: Limits = request.app.state.limits
    address = request.client.host if request.client else "unknown"
    code = intake.keys.service_of(given.credentials) if given else None
    service = intake.service(code) if code else None
    if service is None:
        if given:
            limits.wrong_key(address)
        raise Refused(401, headers={"WWW-Authenticate": "Bearer"})
    request.state.service = service.key
    limits.count(service.key)
    return Caller(intake=intake, service=service, request_id=request.state.request_id)


Calling = Annotated[Caller, Depends(caller)]
