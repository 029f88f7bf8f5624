"""How a service is told what the books know: its endpoint, from when on, and with which secrets."""

from datetime import date
from typing import Annotated

from pydantic import AnyHttpUrl, Field, TypeAdapter, ValidationError, model_validator

from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.company.part import Part

_URL = TypeAdapter(AnyHttpUrl)

SecretName = Annotated[str, Field(pattern=r"^FCB_[A-Z0-9_]+$")]


class EventSettings(Part):
    """The endpoint of one service. A service without this section is told nothing.

    What happened before `start` is never told. `secrets` names environment variables; the first signs, and
    both count while a secret is replaced.
    """

    url: str
    start: date
    secrets: tuple[SecretName, ...] = Field(min_length=1, max_length=2)
    types: tuple[EventType, ...] = Field(tuple(EventType), min_length=1)
    grace_days: int = Field(
        7, ge=0, le=90, description="Days after an invoice is due before it counts as not paid."
    )
    allow_private: bool = Field(
        False, description="Whether the endpoint may be in a private network, and may be http://."
    )
    ca_file: str | None = Field(
        None, description="Certificate of a private authority, in place of the public ones."
    )

    @model_validator(mode="after")
    def _url_is_one_that_is_sent_to(self) -> "EventSettings":
        fault = url_fault(self.url, allow_private=self.allow_private)
        if fault:
            raise ValueError(f"events.url {fault}")
        if len(set(self.secrets)) < len(self.secrets):
            raise ValueError("events.secrets names one variable twice")
        return self


def url_fault(url: str, *, allow_private: bool) -> str | None:
    """Why nothing is ever sent to this URL; None for one that may be sent to."""
    try:
        parts = _URL.validate_python(url)
    except ValidationError:
        return "is no https:// address"
    if parts.scheme == "http" and not allow_private:
        return (
            "sends over plain http: write https://, or set allow_private in a network of your own"
        )
    if parts.username is not None or parts.fragment:
        return "has a user or a fragment: what authenticates is the signature"
    return None
