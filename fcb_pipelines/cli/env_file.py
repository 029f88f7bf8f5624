"""The text of a `.env`."""

import re
from collections.abc import Mapping
from io import StringIO

from dotenv import dotenv_values

from fcb_pipelines.config.settings import ConfigError


def dotenv_text(values: Mapping[str, str]) -> str:
    """One line `NAME=value` for each; a value with odd characters in quotes.

    Raises ConfigError for a value that a `.env` can't hold, as one with `${`, which is taken for a variable's.
    """
    lines = {name: f"{name}={_quoted(value)}\n" for name, value in values.items()}
    for name, line in lines.items():
        # Between double quotes some readers replace what a shell would.
        odd = line.endswith('"\n') and re.search(r"[$`\\]", line)
        if odd or dotenv_values(stream=StringIO(line)) != {name: values[name]}:
            raise ConfigError(f"{name} can't be written in a .env: set it in the environment")
    return "".join(lines.values())


def _quoted(value: str) -> str:
    """The value as every reader of such files takes it: plain, or in the quotes that it has none of."""
    if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII):
        return value
    quote = '"' if "'" in value else "'"
    return f"{quote}{value}{quote}"
