"""`fcb serve`: the intake over HTTP, until it is stopped."""

import logging
from typing import Annotated

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.screen import say
from fcb_pipelines.cli.work import connections
from fcb_pipelines.config.environment import LOOPBACK, EnvironmentProblem
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import NotPrepared


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8620,
    dataset: options.OnDataset = None,
) -> None:
    """Take in what services hand in over HTTP, until Ctrl-C or SIGTERM.

    Under /api/billing/v1: usage, customers, subscriptions in; plans, invoices and received usage out. Its
    description is /api/billing/v1/openapi.json. It speaks plain HTTP: put it behind a proxy with TLS, or on
    loopback. It writes to FCB_POSTGRES_URL and nowhere else.

    Examples:

        fcb services key new nexamaps
        fcb serve
        fcb serve --host 10.0.0.5 --port 8620      (FCB_ALLOW_HTTP=1: a network of your own)
    """
    with connections(dataset) as found:
        if not LOOPBACK.match(host) and found.values.get("FCB_ALLOW_HTTP") != "1":
            raise EnvironmentProblem(
                f"--host {host} would take keys over plain http: listen on 127.0.0.1 behind a proxy with "
                "TLS, or set FCB_ALLOW_HTTP=1 where the network in between is your own"
            )
        # An optional extra.
        try:
            import uvicorn

            from fcb_pipelines.api.app import create_app
            from fcb_pipelines.api.intake import open_intake
        except ModuleNotFoundError as missing:
            raise NotPrepared(
                "starting the intake",
                f"{missing.name} is not installed",
                remedy="pip install 'fcb_pipelines[intake]'",
            ) from missing
        if not current().has_intake:
            say("no service hands in anything: see services[].origins (docs/intake.md)")
        intake = open_intake(found, current())
        # Says at once where Postgres does not answer, and makes the tables.
        intake.keys.service_of("")
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        say(f"the intake listens on http://{host}:{port}")
        uvicorn.run(
            create_app(intake), host=host, port=port, log_level="warning", access_log=False,
            server_header=False, proxy_headers=False, timeout_graceful_shutdown=20,
        )  # fmt: skip
