"""`fcb services`: the keys by which services are known at the intake."""

from dataclasses import asdict
from typing import Annotated

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.screen import emit_json, out, say, table
from fcb_pipelines.cli.work import connections
from fcb_pipelines.config.settings import ConfigError, current
from fcb_pipelines.connectors.intake.service_keys import ServiceKey

app = typer.Typer(no_args_is_help=True, help="The services, and their keys at the intake.")
key = typer.Typer(
    no_args_is_help=True,
    help="Keys of services: a service may have several, and each can be revoked.",
)
app.add_typer(key, name="key")

Code = Annotated[
    str, typer.Argument(metavar="CODE", help="The service's key in the configuration.")
]


@key.command()
def new(
    code: Code,
    note: Annotated[str, typer.Option("--note", help="Whose it is, for the list.")] = "",
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """Make a key and show it. It is shown this once: only its digest is kept.

    Examples:

        fcb services key new nexamaps --note "production, from May"
    """
    with connections(dataset, quiet=as_json) as found:
        from fcb_pipelines.defs.runtime.connections import service_keys

        number, secret = service_keys(found).new(_known(code), note)
    if as_json:
        emit_json({"id": number, "service": code, "key": secret})
    else:
        say(f"key {number} of {code}; it can't be shown again")
        print(secret)


@key.command("list")
def list_keys(code: Code, dataset: options.OnDataset = None, as_json: options.Json = False) -> None:
    """List the keys of a service, without their secrets.

    Example:

        fcb services key list nexamaps
    """
    with connections(dataset, quiet=as_json) as found:
        from fcb_pipelines.defs.runtime.connections import service_keys

        keys = service_keys(found).of(_known(code))
    if as_json:
        emit_json([_shown(one) for one in keys])
        return
    made = table(f"Keys of {code}", "id", "made", "revoked", "note", right=("id",))
    for one in keys:
        revoked = f"{one.revoked_at:%Y-%m-%d %H:%M}" if one.revoked_at else "-"
        made.add_row(str(one.id), f"{one.made_at:%Y-%m-%d %H:%M}", revoked, one.note)
    out().print(made if keys else f"{code} has no key; make one with: fcb services key new {code}")


@key.command()
def revoke(
    code: Code,
    number: Annotated[int, typer.Argument(metavar="ID", help="The key's id in the list.")],
    dataset: options.OnDataset = None,
) -> None:
    """Revoke a key: from its next request on it opens nothing.

    Example:

        fcb services key revoke nexamaps 3
    """
    with connections(dataset) as found:
        from fcb_pipelines.defs.runtime.connections import service_keys

        # One of a service that is no longer configured can be revoked, too.
        service_keys(found).revoke(code, number)
    say(f"key {number} of {code} is revoked")


def _shown(one: ServiceKey) -> dict[str, object]:
    """A key as JSON: moments in ISO 8601."""
    revoked = one.revoked_at.isoformat() if one.revoked_at else None
    return {**asdict(one), "made_at": one.made_at.isoformat(), "revoked_at": revoked}


def _known(code: str) -> str:
    """The code of a configured service. Raises ConfigError for another one."""
    known = [service.key for service in current().services]
    if code not in known:
        raise ConfigError(
            f"{code} is no configured service (services: {', '.join(known) or 'none'})"
        )
    return code
