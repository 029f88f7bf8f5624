"""A receiver of events, as the applications of a dataset have one: it verifies, keeps the id, answers.

    POST /nexamaps      204 for a signed event, also one that came before; 401 for any other request
    GET /               what it was told so far: an array of the bodies, in the order they came

    python -m fcb_pipelines.sandbox.receiver --port 12121 --told told.jsonl     the secret: FCB_SANDBOX_EVENTS_SECRET

What it takes is a line of the file before it answers, so that a receiver that died knows it again.
"""

import argparse
import json
from pathlib import Path

import uvicorn
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fcb_pipelines.config import environment
from fcb_pipelines.sandbox.told import SECRET, told


def create_receiver(file: Path, secret: str) -> Starlette:
    """The application of a receiver that keeps what it takes in `file`."""
    webhook = Webhook(secret)
    known = {one["id"]: one for one in told(file)}
    _end_with_whole_lines(file)

    async def receive(request: Request) -> Response:
        body = await request.body()
        try:
            webhook.verify(body, dict(request.headers))
        except WebhookVerificationError as error:
            return Response(f"not ours, or altered: {error}", 401)
        event = json.loads(body)
        if event["id"] not in known:
            with file.open("ab") as lines:
                lines.write(body + b"\n")
            known[event["id"]] = event
        return Response(status_code=204)

    async def show(_: Request) -> Response:
        return JSONResponse([*known.values()])

    return Starlette(
        routes=[
            Route("/", show, methods=["GET"]),
            Route("/{service}", receive, methods=["POST"]),
        ]
    )


def _end_with_whole_lines(file: Path) -> None:
    if file.exists():
        content = file.read_bytes()
        file.write_bytes(content[: content.rfind(b"\n") + 1])


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fcb_pipelines.sandbox.receiver")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--told", type=Path, required=True)
    chosen = parser.parse_args()
    app = create_receiver(
        chosen.told, environment.read().given({SECRET: "what signs the events"})[SECRET]
    )
    uvicorn.run(app, host="127.0.0.1", port=chosen.port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    _main()
