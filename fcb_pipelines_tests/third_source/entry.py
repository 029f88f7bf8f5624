"""Acme's entry: what the configuration names."""

from pathlib import Path

from fcb_pipelines.core.company.sources import SourceSettings
from fcb_pipelines.defs.sources.entry import SourceEntry
from fcb_pipelines_tests.third_source.facts import RULES
from fcb_pipelines_tests.third_source.source import AcmeSource


class AcmeSettings(SourceSettings):
    """The Acme organization that is read."""

    organization: str

    @property
    def owner(self) -> str:
        """The organization."""
        return self.organization


ACME = SourceEntry(
    rules=RULES,
    settings=AcmeSettings,
    variables={"FCB_ACME_FILE": "Acme's file of invoices"},
    open=lambda given, section: AcmeSource(Path(given["FCB_ACME_FILE"]), section.organization),
)
