"""What a billing source is to the pipeline: one entry, of which everything else is derived."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fcb_pipelines.connectors.sources import Source
from fcb_pipelines.core.company.settings import SourceSettings
from fcb_pipelines.core.facts.source import SourceRules
from fcb_pipelines.core.metering.cycles import Span
from fcb_pipelines.core.metering.service_spans import no_spans

Section = TypeVar("Section", bound=SourceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry(Generic[Section]):
    """One billing source: its rules, its settings, its environment, and how its client is made.

    `settings` is the model of its section in the configuration file. `variables` are the environment
    variables it can't do without, each with what it is for; `optional` those it can. `open` makes the
    client from the values of both and from the section; it reads nothing else and calls nobody.
    `spans` tells from a body and the company's timezone when the service of each line runs, by the
    line's key, for the dual run alone.
    """

    rules: SourceRules
    settings: type[Section]
    open: Callable[[Mapping[str, str], Section], Source]
    variables: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    spans: Callable[[Mapping[str, Any], str], dict[str, Span]] = no_spans
