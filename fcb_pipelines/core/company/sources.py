"""The settings of billing sources: whose documents are read, and how."""

import re

from pydantic import Field

from fcb_pipelines.core.company.part import Part


class SourceSettings(Part):
    """The settings of one billing source: the owner of its documents, and how to read them."""

    requests_per_second: int = 20
    scope_metadata_key: str = "nexacloud_user_id"

    @property
    def owner(self) -> str:
        """The owner of the documents, a part of each ref."""
        raise NotImplementedError


class StripeSettings(SourceSettings):
    """The Stripe account to read."""

    account: str

    @property
    def owner(self) -> str:
        """The id of the account, `acct_…`."""
        return self.account


class LagoSettings(SourceSettings):
    """The Lago organization to read."""

    organization: str

    @property
    def owner(self) -> str:
        """The name of the organization."""
        return self.organization


class FurtherSource(Part):
    """A billing source beside Stripe and Lago: `entry` is `module:name`, its entry in Python.

    The entry itself checks the `settings`.
    """

    entry: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")
    settings: dict[str, object] = Field(default_factory=dict)

    @property
    def package(self) -> str:
        """The package, or the module, that the entry lies in."""
        return re.split(r"\W", self.entry, maxsplit=1)[0]
