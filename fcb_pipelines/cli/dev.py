"""`fcb dev`: Dagster's web page and daemon over a sandbox, or over the operator's connections."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from fcb_pipelines.cli import options
from fcb_pipelines.cli.foreground import watch
from fcb_pipelines.cli.screen import out, say
from fcb_pipelines.cli.work import connections, prepare_ledger, project_file
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.processes import LOOPBACK, Process
from fcb_pipelines.sandbox.session import DEFAULT_DATASET, open_dataset


def dev(
    dataset: Annotated[
        str,
        typer.Option("--dataset", metavar="DIR|NAME", help="A dataset folder, or a packaged name."),
    ] = DEFAULT_DATASET,
    ledger: options.Ledger = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Use the connections of the environment as it is.")
    ] = False,
    port: Annotated[int, typer.Option("--port", help="Port on loopback; 0 finds one.")] = 0,
) -> None:
    """Start the webserver and the daemon on loopback and print the address; Ctrl-C stops all.

    The webserver has no login: it listens on this machine only.

    Examples:

        fcb dev
        fcb dev --no-sandbox --port 3000
    """
    with ExitStack() as stack:
        chosen = None if no_sandbox else dataset
        found = stack.enter_context(connections(chosen, ledger))
        if chosen is not None:
            prepare_ledger(found, open_dataset(chosen, found.home))
        webserver, daemon = stack.enter_context(dagster(found, port=port or processes.free_port()))
        out().print(Text.assemble("\n", (webserver.url, "bold"), "   (Ctrl-C stops it)"))
        watch([webserver, daemon])


@contextmanager
def dagster(found: Environment, *, port: int) -> Iterator[tuple[Process, Process]]:
    """Webserver and daemon on this process's environment, ready to use, stopped after the block.

    Raises TransientFailure with the end of its log when one does not come up.
    """
    _make_pools()
    workspace = _workspace()
    # Not DAGSTER_HOME/logs: Dagster empties that folder.
    logs = found.data_home / "logs"
    started: list[Process] = []
    try:
        for name, port_of, extra in (
            ("dagster-webserver", port, ["-h", LOOPBACK, "-p", str(port)]),
            ("dagster-daemon", 0, ["run"]),
        ):
            say(f"starting {name}")
            argv = [str(Path(sys.executable).with_name(name)), *extra, *workspace]
            log = logs / f"{name}.log"
            started.append(processes.start(name, argv, port=port_of, log=log, environment={}))
        webserver, daemon = started
        webserver_log = logs / "dagster-webserver.log"
        processes.wait_until_it_answers(
            webserver, log=webserver_log, path="/server_info", patience=120
        )
        yield webserver, daemon
    finally:
        for process in reversed(started):
            processes.stop(process, patience=30)


def _make_pools() -> None:
    """Create each pool with its one slot before any run asks for it.

    Two runs that start together would both insert it, and on Postgres Dagster fails the second.
    """
    from fcb_pipelines.defs.runtime import keys
    from fcb_pipelines.instance.storage import open_instance

    with open_instance() as instance:
        storage = instance.event_log_storage
        known = {pool.name for pool in storage.get_pool_limits()}
        for pool in (keys.LEDGER_POOL, *keys.SOURCES):
            if pool not in known:
                storage.set_concurrency_slots(pool, 1)


def _workspace() -> list[str]:
    """The project's workspace.yaml, or the module alone where the package is installed without."""
    file = project_file("workspace.yaml")
    return ["-w", str(file)] if file.exists() else ["-m", "fcb_pipelines.definitions"]
