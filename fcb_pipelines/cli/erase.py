"""`fcb erase`: what was kept of a customer and is not needed any more."""

from collections import Counter
from typing import Annotated

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.screen import emit_json, out, table
from fcb_pipelines.cli.work import connections
from fcb_pipelines.config.settings import current


def erase(
    words: Annotated[
        list[str], typer.Argument(help="The customer's ids and emails, as the sources write them.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without, only count.")] = False,
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """Erase the kept answers of sources that name a customer. Their hashes stay in reports and books.

    What a service handed in of the customer loses its names and emails, too.

    Erase the customer at the sources first, then run fcb sync: frames have the present only, and what the
    sources answered before is free to go. An answer that is still in use is left, and the exit code is 1.

    Examples:

        fcb erase cus_Q1w2e3 jane@acme.example
        fcb erase cus_Q1w2e3 jane@acme.example --yes
    """
    with connections(dataset, quiet=as_json) as found:
        from fcb_pipelines.connectors.store.erasing import find_erasure
        from fcb_pipelines.defs.runtime import connections as connectors

        evidence = connectors.evidence(found)
        erasure = find_erasure(evidence, connectors.frames(found), words)
        if yes:
            for source, name in erasure.free:
                evidence.erase(source, name)
        handed_in = None
        if current().has_intake:
            handed_in = connectors.handed_in(found).erase(words, really=yes)
    if as_json:
        named = {"free": erasure.free, "in_use": erasure.in_use}
        listed = {what: list(some) for what, some in named.items()}
        told = {} if handed_in is None else {"handed_in": handed_in}
        emit_json({"erased": yes, **listed, **told})
    else:
        made = table(
            "Answers that name the customer", "source", "erased" if yes else "would be erased",
            "in use", right=("erased", "would be erased", "in use"),
        )  # fmt: skip
        free, kept = (
            Counter(source for source, _ in some) for some in (erasure.free, erasure.in_use)
        )
        for source in sorted(free.keys() | kept.keys()):
            made.add_row(source, str(free[source]), str(kept[source]))
        if handed_in:
            made.add_row("handed in", str(handed_in), "0")
        out().print(made)
        if erasure.in_use:
            out().print("Those in use: erase the customer at the source, then run fcb sync --full.")
    if erasure.in_use:
        raise typer.Exit(Exit.DIFFERENCE)
