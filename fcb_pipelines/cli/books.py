"""`fcb books`: the embedded books in Fava."""

from typing import Annotated

import typer
from rich.text import Text

from fcb_pipelines.cli.foreground import watch
from fcb_pipelines.cli.screen import out
from fcb_pipelines.config import environment
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

    Example:

        fcb books --dataset nexa-2026-05
    """
    found = environment.read()
    folder = (found.home / dataset if dataset else found.data_home) / "books"
    main = folder / "main.beancount"
    fava = open_books(main, port=port, read_only=read_only)
    try:
        out().print(Text.assemble((fava.url, "bold"), "   (Ctrl-C stops it)"))
        watch([fava])
    finally:
        processes.stop(fava)
