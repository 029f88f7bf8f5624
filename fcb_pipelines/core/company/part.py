"""The base of every part of the configuration."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the configuration: frozen, and unknown fields raise a ValidationError."""

    model_config = ConfigDict(frozen=True, extra="forbid")
