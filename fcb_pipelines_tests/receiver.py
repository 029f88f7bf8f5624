"""A receiver of events on a loopback port: it keeps what it was sent and answers as a test wants.

with receiving() as receiver:
    receiver.answers = [500, 200]        # to the first two; 204 to all later ones
    ...
    receiver.events                      # what it took, in order
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fcb_pipelines_tests.serving import served


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request: its headers in lower case, and the bytes of its body."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """What it says."""
        told: dict[str, Any] = json.loads(self.body)
        return told


@dataclass(slots=True, kw_only=True)
class Receiver:
    """What one receiver was sent, and the answers that it gives next (an HTTP status each)."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that it took, in order."""
        return [each.event for each in self.taken]

    async def receive(self, request: Request) -> Response:
        """Keep the request, and answer."""
        found = Received(headers=dict(request.headers), body=await request.body())
        self.requests.append(found)
        status = self.answers.pop(0) if self.answers else 204
        if 200 <= status < 300:
            self.taken.append(found)
        headers = {"location": f"{self.url}/elsewhere"} if 300 <= status < 400 else None
        told = "" if status in (204, 304) else f"this is {status}"
        return Response(told, status, headers=headers)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, served until the block ends."""
    receiver = Receiver()
    routes = [Route("/{path:path}", receiver.receive, methods=["POST", "GET"])]
    with served(Starlette(routes=routes)) as base:
        receiver.url = f"{base}/fusion"
        yield receiver
