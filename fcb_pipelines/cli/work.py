"""The environment of a verb: the operator's connections, or those of a sandbox."""

import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from sys import stderr
from typing import TYPE_CHECKING

import fcb_pipelines
from fcb_pipelines.cli.screen import say
from fcb_pipelines.config import environment, settings
from fcb_pipelines.config.environment import Environment, EnvironmentProblem

if TYPE_CHECKING:
    from fcb_pipelines.cli.pipeline import Pipeline
    from fcb_pipelines.sandbox.dataset import Dataset
    from fcb_pipelines.sandbox.state import Running


class NoSandbox(EnvironmentProblem):
    """No sandbox runs under FCB_HOME."""


@contextmanager
def connections(
    dataset: str | None = None, ledger: str | None = None, *, quiet: bool = False
) -> Iterator[Environment]:
    """The environment of the block, set for this process while it runs.

    With `dataset` it is that dataset's sandbox, started here and stopped after the block unless it
    was already running. Without, it is the operator's environment; where that names no connection
    at all, the one sandbox that runs under FCB_HOME. With `quiet` all that the block prints goes to
    stderr, so that stdout holds nothing but JSON. Raises EnvironmentProblem where neither is there.
    """
    asked = {"FCB_LEDGER": ledger} if ledger else {}
    here = environment.read({**os.environ, **asked})
    if dataset is not None:
        from fcb_pipelines.sandbox.session import Sandbox, open_dataset

        box = Sandbox(
            open_dataset(dataset, here.home),
            here.home,
            ledger=here.ledger,
            odoo_folder=here.odoo_cache,
            say=say,
        )
        with box.running() as lent, working_in(lent, quiet=quiet) as found:
            yield found
        return
    lent = _running_environment(here) if _names_no_connection(here) else {}
    with working_in({**lent, **asked}, quiet=quiet) as found:
        yield found


def user_name() -> str:
    """The name of this process's user, whatever the environment says; its number where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@contextmanager
def working_in(variables: Mapping[str, str], *, quiet: bool = False) -> Iterator[Environment]:
    """This process's environment with `variables` set and Dagster's folder made; restored after."""
    before = dict(os.environ)
    os.environ.update(variables)
    settings.current.cache_clear()
    try:
        found = environment.read()
        if "FCB_POSTGRES_URL" in found.values:
            os.environ["FCB_POSTGRES_URL"] = found.postgres_url()
        os.environ["DAGSTER_HOME"] = str(prepare_dagster_home(found))
        if quiet:
            with redirect_stdout(stderr):
                yield found
        else:
            yield found
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.current.cache_clear()


def prepare_ledger(found: Environment, dataset: "Dataset") -> None:
    """Set up a sandbox's own ledger, and lock it up to the dataset's `locked_until`.

    An operator's ledger is set up by `fcb ledger setup` only, and locked by the accountant.
    """
    from fcb_pipelines.defs.runtime import connections as connectors
    from fcb_pipelines.sandbox.locks import lock_books

    connectors.ledger(found, settings.current()).setup()
    if dataset.locked_until is not None:
        lock_books(found, dataset.locked_until)


def open_pipeline(found: Environment) -> "Pipeline":
    """The pipeline in this process. Imported here: loading it reads the configuration file."""
    from fcb_pipelines.cli.pipeline import Pipeline

    return Pipeline(found, say=say)


def prepare_dagster_home(found: Environment) -> Path:
    """Dagster's folder with the project's dagster.yaml in it; an operator's own file is kept."""
    home = found.dagster_home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = home / "dagster.yaml"
    if "DAGSTER_HOME" not in found.values or not target.exists():
        shutil.copyfile(project_file("dagster.yaml"), target)
    return home


def project_file(name: str) -> Path:
    """A file of the project's top level: beside the package, or inside an installed one."""
    package = Path(fcb_pipelines.__file__).parent
    inside = package / name
    return inside if inside.exists() else package.parent / name


def _names_no_connection(found: Environment) -> bool:
    names = {"FCB_POSTGRES_URL", "FCB_NEXACLOUD_DSN", "FCB_STRIPE_API_KEY", "FCB_LAGO_API_KEY"}
    return not names & set(found.values)


def running_sandbox(home: Path, dataset: str | None = None) -> "Running":
    """The sandbox that runs under FCB_HOME, that of `dataset` where it is named.

    Raises EnvironmentProblem where none runs, or several do and none is named.
    """
    from fcb_pipelines.sandbox.state import running

    boxes = [box for box in running(home) if dataset in (None, box.dataset)]
    if len(boxes) == 1:
        return boxes[0]
    if boxes:
        names = ", ".join(box.dataset for box in boxes)
        raise EnvironmentProblem(f"several sandboxes run ({names}): choose one with --dataset")
    named = f" of {dataset}" if dataset else ""
    raise NoSandbox(f"no sandbox{named} runs under {home}; start one with: fcb sandbox up")


def _running_environment(found: Environment) -> Mapping[str, str]:
    try:
        box = running_sandbox(found.home)
    except NoSandbox:
        raise EnvironmentProblem(
            f"no connection is set ({', '.join(found.missing())}) and no sandbox runs. "
            "Set them as .env.example says, or work in the sandbox: --dataset nexa-2026-05"
        ) from None
    say(f"working in the sandbox of {box.dataset}")
    return box.environment
