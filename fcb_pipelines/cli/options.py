"""The options that several verbs share."""

from typing import Annotated

import typer

Period = Annotated[
    str | None, typer.Option("--period", metavar="YYYY-MM", help="One accounting period.")
]
Periods = Annotated[
    list[str] | None,
    typer.Option("--period", metavar="YYYY-MM", help="An accounting period; may be given again."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout and nothing else.")]
OnDataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="DIR|NAME",
        help="Work in the sandbox on this dataset instead of the connections of the environment.",
    ),
]
Ledger = Annotated[
    str | None,
    typer.Option("--ledger", metavar="beancount|odoo", help="Ledger to write (FCB_LEDGER)."),
]
