"""Sending one event to its endpoint, once: no redirect, no proxy, no address that was not looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import requests

from fcb_pipelines.connectors.events.addresses import AddressRefused, guarded
from fcb_pipelines.connectors.events.signing import Secret, headers
from fcb_pipelines.core.digests import digest

TIMEOUT = (5.0, 10.0)
"""Seconds to connect, and between two parts of the answer."""

_LONGEST_DETAIL = 200
# After one of these the endpoint is left alone for this round.
_OVERLOADED = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service is told. `ca_file` is the certificate of a private authority, else the public ones."""

    service: str
    url: str
    secrets: Sequence[Secret]
    allow_private: bool = False
    ca_file: str | None = None

    @property
    def digest(self) -> str:
        """The digest of its URL, by which the log knows it."""
        return digest(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the HTTP status (None: no answer), and a line for a person."""

    status: int | None
    detail: str

    @property
    def is_overloaded(self) -> bool:
        """Whether it would only hurt to send the next one now."""
        return self.status is None or self.status in _OVERLOADED


class Sender:
    """Sends events; `longest` is the time in seconds that one answer may take in all."""

    def __init__(self, *, longest: float = 15.0) -> None:
        self._longest = longest

    def send(
        self, endpoint: Endpoint, *, event_id: str, event_type: str, body: str, at: datetime
    ) -> Answer:
        """One POST of the body. Never raises for what the network or the receiver does."""
        told = headers(endpoint.secrets, event_id=event_id, event_type=event_type, at=at, body=body)
        try:
            # A connection for each try: what was looked at an hour ago says nothing.
            with guarded(longest=self._longest, allow_private=endpoint.allow_private) as session:
                response = session.post(
                    endpoint.url,
                    data=body.encode(),
                    headers=told,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    verify=endpoint.ca_file or True,
                )
        except AddressRefused as refused:
            return Answer(status=None, detail=str(refused))
        except requests.exceptions.SSLError:
            return Answer(status=None, detail="its certificate could not be verified")
        except (requests.RequestException, OSError) as error:
            return Answer(status=None, detail=f"no answer ({type(error).__name__})")
        return Answer(status=response.status_code, detail=_detail(response))


def _detail(response: requests.Response) -> str:
    """The status and the beginning of what a receiver says of an event that it did not take."""
    told = f"HTTP {response.status_code}"
    if response.ok and not response.is_redirect:
        return told
    if "location" in response.headers:
        return f"{told}: a redirect, which is not followed"
    text = response.content[:_LONGEST_DETAIL].decode("ascii", "backslashreplace")
    shown = " ".join(text.replace("\0", "\\x00").split())
    return f"{told}: {shown}" if shown else told
