"""A dataset: a folder with the content of the outside world and the day that counts as today.

dataset.yaml        name, timezone, currency, first_period, as_of, stripe.account,
                    lago.organization; optional config: overrides of config/nexacloud.yaml,
                    books.locked_until: the day up to which the books are locked before a close, and
                    events: the services that the sandbox's receiver is told of, with their `start`
nexacloud/*.csv     one file a table; the header names the columns, an empty cell is NULL
stripe/*.json       arrays of objects as the API returns them; a missing file is empty
lago/*.json         the same
expected.json       optional: the expected subset of the status JSON
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import simplejson
import yaml
from pydantic import ValidationError

from fcb_pipelines.config.settings import PACKAGED, ConfigError
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.sandbox.told import SECRET

_REQUIRED = ("name", "timezone", "currency", "first_period", "as_of", "stripe", "lago")
_KNOWN = frozenset({*_REQUIRED, "config", "books", "events"})
# What the sandbox knows of its own receiver, and a dataset can't.
_RECEIVERS = frozenset({"url", "secrets", "allow_private", "ca_file"})
_ANYWHERE = "http://127.0.0.1"
# The name is a folder under FCB_HOME.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class DatasetProblem(ConfigError):
    """A dataset that can't be used; the message names the file and the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One opened dataset.

    `expected` is None where the folder has no expected.json, `locked_until` where its books have no
    locked period. `events` has the settings of the services that the sandbox's receiver is told of, by
    their key.
    """

    name: str
    path: Path
    timezone: str
    currency: str
    first_period: str
    as_of: date
    stripe_account: str
    lago_organization: str
    overrides: Mapping[str, Any]
    expected: Mapping[str, Any] | None
    locked_until: date | None
    events: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> "Dataset":
        """The dataset of a folder, with its dataset.yaml and expected.json read and checked.

        Raises DatasetProblem naming the file and the field.
        """
        path = path.absolute()
        file = path / "dataset.yaml"
        fields = _described(file)
        dataset = cls(
            name=str(fields["name"]),
            path=path,
            timezone=str(fields["timezone"]),
            currency=str(fields["currency"]),
            first_period=str(fields["first_period"]),
            as_of=_day(fields["as_of"], file),
            stripe_account=_inner(fields, "stripe", "account", file),
            lago_organization=_inner(fields, "lago", "organization", file),
            overrides=fields.get("config") or {},
            expected=_expected(path / "expected.json"),
            locked_until=_locked_until(fields, file),
            events=_events(fields, file),
        )
        if not _NAME.fullmatch(dataset.name):
            raise DatasetProblem(f"{file}: name {dataset.name!r} can't be the name of a folder")
        if dataset.timezone not in available_timezones():
            raise DatasetProblem(f"{file}: timezone {dataset.timezone!r} is unknown")
        dataset.settings()
        dataset.settings(_ANYWHERE)
        if f"{dataset.as_of:%Y-%m}" < dataset.first_period:
            raise DatasetProblem(f"{file}: as_of lies before first_period")
        return dataset

    def config(self, receiver: str | None = None) -> dict[str, Any]:
        """The packaged configuration with this dataset's overrides and facts applied.

        With the address of a `receiver`, the services in `events` are told there.
        """
        base = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))
        facts = {
            "timezone": self.timezone,
            "currency": self.currency,
            "first_period": self.first_period,
            "as_of": self.as_of,
            "stripe": {"account": self.stripe_account},
            "lago": {"organization": self.lago_organization},
        }
        content = _merged(_merged(base, self.overrides), facts)
        for service in content["services"] if receiver else ():
            if service["key"] in self.events:
                service["events"] = {
                    **self.events[service["key"]],
                    "url": f"{receiver}/{service['key']}",
                    "secrets": [SECRET],
                    "allow_private": True,
                }
        return content

    def settings(self, receiver: str | None = None) -> Settings:
        """The validated configuration. Raises DatasetProblem naming the field."""
        try:
            found = Settings.model_validate(self.config(receiver))
        except ValidationError as error:
            raise DatasetProblem(f"{self.path / 'dataset.yaml'}: {error}") from error
        unknown = sorted(self.events.keys() - {service.key for service in found.services})
        if unknown:
            raise DatasetProblem(
                f"{self.path / 'dataset.yaml'}: events names no service of config: {', '.join(unknown)}"
            )
        return found


def _described(file: Path) -> dict[str, Any]:
    try:
        fields = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetProblem(f"{file.parent} is no dataset: it has no dataset.yaml") from error
    except (OSError, yaml.YAMLError) as error:
        raise DatasetProblem(f"{file}: {error}") from error
    if not isinstance(fields, dict):
        raise DatasetProblem(f"{file} holds no mapping of fields")
    missing = [name for name in _REQUIRED if fields.get(name) in (None, "")]
    if missing:
        raise DatasetProblem(f"{file} lacks {', '.join(missing)}")
    unknown = sorted(map(str, fields.keys() - _KNOWN))
    if unknown:
        raise DatasetProblem(f"{file} has unknown fields: {', '.join(unknown)}")
    if not isinstance(fields.get("config") or {}, dict):
        raise DatasetProblem(f"{file}: config holds no mapping of fields")
    return fields


def _inner(fields: Mapping[str, Any], group: str, field: str, file: Path) -> str:
    inner = fields[group]
    if not isinstance(inner, dict) or not inner.get(field):
        raise DatasetProblem(f"{file} lacks {group}.{field}")
    return str(inner[field])


def _locked_until(fields: Mapping[str, Any], file: Path) -> date | None:
    if fields.get("books") is None:
        return None
    return _day(_inner(fields, "books", "locked_until", file), file, "books.locked_until")


def _events(fields: Mapping[str, Any], file: Path) -> Mapping[str, Mapping[str, Any]]:
    events = fields.get("events") or {}
    if not isinstance(events, dict) or not all(isinstance(one, dict) for one in events.values()):
        raise DatasetProblem(
            f"{file}: events holds no settings by service, as nexamaps: {{start: …}}"
        )
    for service, one in events.items():
        ours = sorted(_RECEIVERS & one.keys())
        if ours:
            raise DatasetProblem(
                f"{file}: events.{service} has {', '.join(ours)}, which the sandbox gives its own receiver"
            )
    return events


def _day(value: object, file: Path, field: str = "as_of") -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise DatasetProblem(f"{file}: {field} is a date (2026-05-31), not {value!r}") from error


def _expected(file: Path) -> Mapping[str, Any] | None:
    try:
        content = simplejson.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DatasetProblem(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise DatasetProblem(f"{file} holds no object")
    return content


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` overridden by `over`: mappings merge, everything else (lists, too) is replaced."""
    merged = deepcopy(dict(base))
    for name, value in over.items():
        below = merged.get(name)
        both = isinstance(below, dict) and isinstance(value, Mapping)
        merged[name] = _merged(below or {}, value) if both else deepcopy(value)
    return merged
