"""The base of every part of the configuration."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the configuration: it never changes, and a field that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
