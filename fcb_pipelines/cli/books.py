"""`fcb books`: the embedded books in Fava."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from fcb_pipelines.cli.foreground import watch
from fcb_pipelines.cli.screen import out, say
from fcb_pipelines.config import environment
from fcb_pipelines.config.environment import Environment, EnvironmentProblem
from fcb_pipelines.sandbox import processes
from fcb_pipelines.sandbox.books import open_books


def books(
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="Whose books (FCB_DATASET)."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port on loopback. Default: a free one.")
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Show the books without editing.")
    ] = False,
) -> None:
    """Open the embedded books in Fava, a web page on this machine only; Ctrl-C stops it.

    Without --dataset the books of FCB_DATASET; where that is not set and has none, the only ones under FCB_HOME,
    as those of a demo.

    Examples:

        fcb books
        fcb books --dataset nexa-2026-05
    """
    found = environment.read()
    main = _main(found.home, dataset) if dataset else _only_books(found)
    fava = open_books(main, port=port, read_only=read_only)
    try:
        out().print(Text.assemble((fava.url, "bold"), "   (Ctrl-C stops it)"))
        watch([fava])
    finally:
        processes.stop(fava)


def _main(home: Path, dataset: str) -> Path:
    return home / dataset / "books" / "main.beancount"


def _only_books(found: Environment) -> Path:
    """The books of FCB_DATASET; without that and without books of its default, the only ones under FCB_HOME."""
    own = _main(found.home, found.dataset)
    others = sorted(found.home.glob("*/books/main.beancount"))
    if "FCB_DATASET" in found.values or own.is_file() or not others:
        return own
    names = [one.parents[1].name for one in others]
    if len(names) > 1:
        raise EnvironmentProblem(
            f"several books are under {found.home} ({', '.join(names)}): choose with --dataset"
        )
    say(f"the books of {names[0]}")
    return others[0]
