"""`fcb init`: the `.env` and the configuration file of a new deployment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from dotenv import load_dotenv

from fcb_pipelines.cli.doctor import doctor
from fcb_pipelines.cli.env_file import dotenv_text
from fcb_pipelines.cli.screen import say
from fcb_pipelines.cli.work import project_file
from fcb_pipelines.config.environment import LEDGERS, VARIABLES
from fcb_pipelines.config.settings import PACKAGED, ConfigError, load

ENV_FILE = ".env"

# Variable, what is asked, and whether the answer is a secret, which is not shown while it is typed.
ASKED = (
    (
        "FCB_POSTGRES_URL",
        "Postgres of Dagster and of our own tables, postgresql+psycopg2://…",
        True,
    ),
    ("FCB_NEXACLOUD_DSN", "NexaCloud's Postgres, a role that only reads, postgresql://…", True),
    ("FCB_STRIPE_API_KEY", "Stripe key, restricted and read-only", True),
    ("FCB_LAGO_API_URL", "address of the Lago API, without /api/v1", False),
    ("FCB_LAGO_API_KEY", "Lago API key", True),
)
ASKED_OF_ODOO = (
    ("FCB_ODOO_URL", "address of Odoo", False),
    ("FCB_ODOO_DATABASE", "Odoo's database", False),
    ("FCB_ODOO_USER", "Odoo user that writes the books", False),
    ("FCB_ODOO_PASSWORD", "that user's API key or password", True),
)


def _set_by(variable: str) -> Any:
    """An option for a variable's value, which the variable itself gives as well."""
    name = f"--{variable.removeprefix('FCB_').lower().replace('_', '-')}"
    return typer.Option(name, envvar=variable, help=VARIABLES[variable])


def init(
    postgres_url: Annotated[str | None, _set_by("FCB_POSTGRES_URL")] = None,
    nexacloud_dsn: Annotated[str | None, _set_by("FCB_NEXACLOUD_DSN")] = None,
    stripe_api_key: Annotated[str | None, _set_by("FCB_STRIPE_API_KEY")] = None,
    lago_api_url: Annotated[str | None, _set_by("FCB_LAGO_API_URL")] = None,
    lago_api_key: Annotated[str | None, _set_by("FCB_LAGO_API_KEY")] = None,
    ledger: Annotated[str | None, _set_by("FCB_LEDGER")] = None,
    odoo_url: Annotated[str | None, _set_by("FCB_ODOO_URL")] = None,
    odoo_database: Annotated[str | None, _set_by("FCB_ODOO_DATABASE")] = None,
    odoo_user: Annotated[str | None, _set_by("FCB_ODOO_USER")] = None,
    odoo_password: Annotated[str | None, _set_by("FCB_ODOO_PASSWORD")] = None,
    stripe_account: Annotated[
        str | None, typer.Option("--stripe-account", metavar="acct_…", help="Stripe's account.")
    ] = None,
    lago_organization: Annotated[
        str | None, typer.Option("--lago-organization", help="Lago's organization.")
    ] = None,
    first_period: Annotated[
        str | None, typer.Option("--first-period", metavar="YYYY-MM", help="First month posted.")
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="The configuration file to write.")
    ] = Path("nexacloud.yaml"),
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; what is not given stays empty.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    look: Annotated[bool, typer.Option("--doctor/--no-doctor", help="End with the doctor.")] = True,
) -> None:
    """Write `.env` (for its owner only) and the configuration file, and check every connection.

    Asks for what neither an option nor a variable gives; an empty answer is left to be filled in later. Secrets are
    better given as variables: options are seen by everybody on the machine. The exit code is the doctor's; it is 2,
    and nothing is written, where one of the files is there already.

    Examples:

        fcb init
        fcb init --yes --ledger odoo --first-period 2026-04
    """
    env_file = Path(ENV_FILE)
    there = [str(file) for file in (env_file, config) if file.exists()]
    if there and not force:
        raise ConfigError(f"{', '.join(there)} is there already: --force replaces it")
    given = {
        "FCB_POSTGRES_URL": postgres_url,
        "FCB_NEXACLOUD_DSN": nexacloud_dsn,
        "FCB_STRIPE_API_KEY": stripe_api_key,
        "FCB_LAGO_API_URL": lago_api_url,
        "FCB_LAGO_API_KEY": lago_api_key,
        "FCB_ODOO_URL": odoo_url,
        "FCB_ODOO_DATABASE": odoo_database,
        "FCB_ODOO_USER": odoo_user,
        "FCB_ODOO_PASSWORD": odoo_password,
    }
    asked = dict(_packaged())
    for name, answer in (
        ("first_period", first_period), ("account", stripe_account), ("organization", lago_organization),
    ):  # fmt: skip
        asked[name] = answer or _answer(_CONFIGURED[name], asked[name], yes=yes)
    values = {"FCB_LEDGER": ledger or _answer("ledger, beancount or odoo", LEDGERS[0], yes=yes)}
    if values["FCB_LEDGER"] not in LEDGERS:
        raise ConfigError(f"the ledger is one of {', '.join(LEDGERS)}, not {values['FCB_LEDGER']}")
    for name, what, is_secret in (
        *ASKED, *(ASKED_OF_ODOO if values["FCB_LEDGER"] == "odoo" else ()),
    ):  # fmt: skip
        values[name] = given[name] or _answer(what, "", yes=yes, hide=is_secret)
    values["FCB_CONFIG"] = str(config.absolute())
    env_text = _env_text(values)
    _write(config, _config_text(asked), check=True)
    _write(env_file, env_text)
    say(f"wrote {env_file} and {config}; docs/configuration.md explains what else they may say")
    if look:
        # As the next verb reads it: what is set already wins.
        load_dotenv(env_file)
        doctor()


_CONFIGURED: Mapping[str, str] = {
    "first_period": "first month that is posted, YYYY-MM",
    "account": "Stripe's account, acct_…",
    "organization": "Lago's organization",
}


def _answer(what: str, default: str, *, yes: bool, hide: bool = False) -> str:
    if yes:
        return default
    # On stderr, as all progress is. A secret has no default to show.
    answer: str = typer.prompt(
        what, default=default, hide_input=hide, show_default=bool(default), err=True
    )
    return answer.strip()


def _packaged() -> Mapping[str, str]:
    """The values of the packaged configuration that are asked for."""
    company = load(PACKAGED)
    return {
        "first_period": company.first_period,
        "account": company.stripe.account,
        "organization": company.lago.organization,
    }


def _config_text(answers: Mapping[str, str]) -> str:
    """The packaged configuration with these values, its comments as they are."""
    text = PACKAGED.read_text("utf-8")
    for name, value in answers.items():
        if not re.fullmatch(r"[\w.-]+", value):
            raise ConfigError(f"{_CONFIGURED[name]}: not {value!r}")
        text = re.sub(rf"(?m)^( *{name}:) .*$", rf'\1 "{value}"', text, count=1)
    return text


def _env_text(values: Mapping[str, str]) -> str:
    """The project's .env.example with these values, its comments as they are."""
    text = project_file(".env.example").read_text("utf-8")
    for name, value in values.items():
        line = dotenv_text({name: value})
        text = re.sub(rf"(?m)^{name}=.*\n", lambda _, line=line: line, text)  # type: ignore[misc]
    return text


def _write(file: Path, text: str, *, check: bool = False) -> None:
    """Write a file for its owner only, whole or not at all. `check`: raises ConfigError for no configuration."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
        if check:
            load(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
