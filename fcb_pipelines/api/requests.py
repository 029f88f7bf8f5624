"""What holds for every request: its id, its line in the log, the limit of its body.

The id is ours alone, in the answer's header `X-Request-Id` and in each line. A line has the path, which holds
ids, and neither query nor body.
"""

import json
import logging
import time
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fcb_pipelines.api.problems import Refused, body_of

HEADER = "X-Request-Id"
_log = logging.getLogger(__name__)


class Requests:
    """The outermost layer of the application. `largest` is the limit of a body in bytes."""

    def __init__(self, app: ASGIApp, *, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, begun = uuid4().hex, time.monotonic()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        answered: list[int] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                message["headers"] = [
                    *message.get("headers", []),
                    (HEADER.lower().encode(), request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, self._counted(scope, receive), sending)
        except Refused as refused:
            await _answer(refused, request_id, sending, answered)
        except Exception:
            _log.exception("request %s failed", request_id)
            await _answer(Refused(500), request_id, sending, answered)
        failure = state.get("failure")
        _log.info(
            "%s %s %s %s %s %dms%s",
            request_id,
            state.get("service", "-"),
            scope["method"],
            scope["path"].encode("unicode_escape").decode(),
            answered[0] if answered else "-",
            (time.monotonic() - begun) * 1000,
            f" {failure}" if failure else "",
        )

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, which refuses the body once it is larger than the limit."""
        told = dict(scope["headers"]).get(b"content-length", b"")
        announced = int(told) if told.isdigit() and len(told) < 20 else 0
        received = 0

        async def receiving() -> Message:
            nonlocal received
            if announced > self._largest:
                raise Refused(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._largest:
                raise Refused(413)
            return message

        return receiving


async def _answer(refused: Refused, request_id: str, send: Send, answered: list[int]) -> None:
    """Answer the problem, unless an answer has begun."""
    if answered:
        return
    body = json.dumps(body_of(refused, request_id)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # What is left of the body is not read.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
