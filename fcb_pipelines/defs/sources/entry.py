"""The entry of a billing source: assets, checks and resources of the source are derived from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fcb_pipelines.connectors.sources import Source
from fcb_pipelines.core.company.sources import SourceSettings
from fcb_pipelines.core.facts.source import SourceRules
from fcb_pipelines.core.metering.cycles import Span
from fcb_pipelines.core.metering.service_spans import no_spans

Section = TypeVar("Section", bound=SourceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry(Generic[Section]):
    """One billing source: its rules, its settings, its environment, and how its client is made.

    `settings` is the model of its section in the configuration file. `variables` are the environment
    variables that it needs, each with its purpose; `optional` ones may be unset. `open` makes the client
    from their values and the section; it reads nothing else and makes no call. `spans` gives, for a body
    and the company's timezone, the service time of each line by the line's key; only the dual run uses it.
    """

    rules: SourceRules
    settings: type[Section]
    open: Callable[[Mapping[str, str], Section], Source]
    variables: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    spans: Callable[[Mapping[str, Any], str], dict[str, Span]] = no_spans
