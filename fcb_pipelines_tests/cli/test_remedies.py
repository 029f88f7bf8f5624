"""Every command that a message of the package tells a person to run is there, with its options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import fcb_pipelines
from fcb_pipelines.cli.main import app

PACKAGE = Path(fcb_pipelines.__file__).parent
NAMES = {"fcb work", "fcb leases"}  # of threads and connections
COMMAND = re.compile(r"(?<![\w/.])fcb ((?:[a-z]+ ?)+)((?: ?--[a-z]+)*)")

# A command that is told anew comes here, with a test that runs it in the state in which it is told.
TOLD = {
    "fcb books",
    "fcb demo",
    "fcb doctor",
    "fcb doctor --fix",
    "fcb ledger correct",
    "fcb ledger release",
    "fcb ledger setup",
    "fcb ledger setup --unarchive",
    "fcb post",
    "fcb sandbox up",
    "fcb status",
    "fcb sync",
    "fcb sync --full",
    "fcb sync --period",
}


def told() -> dict[str, set[str]]:
    """Command as told in a text -> the files that tell it; help and docstrings left out."""
    found: dict[str, set[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        if "sandbox/scenarios" in str(file):
            continue
        for text in texts(ast.parse(file.read_text("utf-8"))):
            if text in NAMES:
                continue
            for verbs, options in COMMAND.findall(text):
                named = " ".join(["fcb", *known_verbs(verbs.split()), *options.split()])
                found.setdefault(named, set()).add(str(file.relative_to(PACKAGE)))
    return found


def texts(tree: ast.Module) -> Iterator[str]:
    """The strings of a module, those written in pieces whole; no docstring."""
    docs = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "fcb ledger setup"
                if isinstance(part, ast.FormattedValue) and ast.unparse(part.value) == "SETUP"
                else "…"
                for part in node.values
            )  # fmt: skip
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.value


def known_verbs(words: list[str]) -> list[str]:
    """The words that are verbs; what follows in a sentence is none. The first must be one."""
    command: Any = typer.main.get_command(app)
    verbs: list[str] = []
    for word in words:
        if not hasattr(command, "commands"):
            break
        assert word in command.commands, f"no verb {word!r} in fcb {' '.join(words)}"
        command = command.commands[word]
        verbs.append(word)
    return verbs


def options_of(verbs: list[str]) -> set[str]:
    """The options of a verb."""
    command: Any = typer.main.get_command(app)
    for verb in verbs:
        command = command.commands[verb]
    return {option for each in command.params for option in each.opts}


def test_every_command_that_is_told_is_one_of_the_table() -> None:
    assert set(told()) == TOLD


def test_every_option_that_is_told_is_one_of_its_command() -> None:
    for command in told():
        verbs = [word for word in command.split()[1:] if not word.startswith("--")]
        given = {word for word in command.split() if word.startswith("--")}
        assert given <= options_of(verbs), command
