"""The configuration file, read and validated.

One file (FCB_CONFIG, else the packaged `nexacloud.yaml`) holds all company policy. Secrets and
addresses are not in it: they are environment variables (`config.environment`).
"""

import os
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from fcb_pipelines.core.company.settings import Settings

PACKAGED = Path(__file__).with_name("nexacloud.yaml")


class ConfigError(ValueError):
    """The configuration file can't be read or breaks a rule; the message names file and field."""


def load(path: Path) -> Settings:
    """The settings of one configuration file. Raises ConfigError naming file and field."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Settings.model_validate(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"configuration file {path}: {error}") from error


@cache
def current() -> Settings:
    """The settings of this process, read once: FCB_CONFIG, else the packaged file."""
    return load(Path(os.environ.get("FCB_CONFIG") or PACKAGED))
