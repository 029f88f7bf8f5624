"""The HTTP session of every source: an answer ends in time, fits into memory and is the host's own.

    session = Session()
    session.get("https://api.example.org/invoices", timeout=TIMEOUT)

An answer that is not whole after `longest` seconds, however its bytes drip in, raises TooSlow; one
of more than `largest` bytes, unpacked, raises TooLarge. No redirect is followed: a source answers
itself, and a 302 is an answer like any other. No `.netrc` replaces the key of a request.
"""

import http.client
import io
import time
from collections.abc import Iterator
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from fcb_pipelines.connectors.failures import ContractBreach, Failure, Unreachable

# Seconds to connect, and between two parts of an answer.
TIMEOUT = (10.0, 30.0)
# Seconds for a whole answer, and the bytes it may have.
LONGEST = 60.0
LARGEST = 64 * 2**20

_CHUNK = 64 * 2**10
# These unpack to at most a thousand times their size, so that a chunk fits; others may not.
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


class TooSlow(requests.RequestException):
    """An answer that is not whole in time."""


class TooLarge(requests.RequestException):
    """An answer of too many bytes, or one packed so that nobody can tell."""


class Anywhere:
    """How a connection is made: as the library does it. Another class says where it may lead."""


class Session(requests.Session):
    """A pooled session with these bounds; `how` is a class whose `_new_conn` opens its sockets."""

    def __init__(
        self, *, longest: float = LONGEST, largest: int = LARGEST, how: type = Anywhere
    ) -> None:
        super().__init__()
        self.headers["Accept-Encoding"] = "gzip, deflate"
        self.auth = _as_it_is
        adapter = _Adapter(longest, largest, how)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """No redirect is followed."""
        return None


def failure(tried: str, error: BaseException, *, remedy: str) -> Failure:
    """A call of the session that brought no answer, as one of our failures; `remedy` is of no connection."""
    if isinstance(error, TooLarge):
        return ContractBreach(tried, str(error))
    if isinstance(error, TooSlow):
        return Unreachable(tried, str(error))
    return Unreachable(tried, f"no answer ({type(error).__name__})", remedy=remedy)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Adapter(HTTPAdapter):
    """Sends over connections with a deadline, and takes no more of a body than is allowed."""

    def __init__(self, longest: float, largest: int, how: type) -> None:
        self._longest, self._largest, self._how = longest, largest, how
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = _pools(self._longest, self._how)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **more)
        manager.pool_classes_by_scheme = _pools(self._longest, self._how)
        return manager

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, *args: Any, **more: Any
    ) -> requests.Response:
        began = time.monotonic()
        try:
            response = super().send(request, True, *args, **more)
            # What `Response.content` would do, within the bounds.
            response._content = b"".join(self._body(response))
        except TooLarge:
            raise
        except requests.RequestException as error:
            if time.monotonic() - began >= self._longest:
                raise TooSlow(f"the answer was not whole after {self._longest:g} s") from error
            raise
        response._content_consumed = True
        return response

    def _body(self, response: requests.Response) -> Iterator[bytes]:
        packed = response.headers.get("Content-Encoding", "").strip().lower()
        if packed not in _ENCODINGS:
            response.close()
            raise TooLarge(f"the answer is packed as {packed}, which was not asked for")
        came = 0
        for chunk in response.iter_content(_CHUNK):
            came += len(chunk)
            if came > self._largest:
                response.close()
                raise TooLarge(f"the answer has more than {self._largest:,} bytes")
            yield chunk


def _pools(longest: float, how: Any) -> dict[str, Any]:
    """The classes of a pool manager, whose connections answer within so many seconds."""

    class Plain(how, _Timed, HTTPConnection):  # type: ignore[misc] # chosen at run time
        seconds = longest

    class Secure(how, _Timed, HTTPSConnection):  # type: ignore[misc]
        seconds = longest

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Timed:
    """A connection whose answer - status, headers and body - has one deadline from its request on."""

    seconds: float
    _ends: float

    def request(self, *args: Any, **more: Any) -> None:
        self._ends = time.monotonic() + self.seconds
        cast(Any, self).response_class = self._answer
        cast(Any, super()).request(*args, **more)

    def _answer(self, sock: Any, *args: Any, **more: Any) -> http.client.HTTPResponse:
        answer = http.client.HTTPResponse(sock, *args, **more)
        raw = cast(Any, answer.fp).detach()
        answer.fp = io.BufferedReader(_TimedSocket(raw, sock, self._ends))
        return answer


class _TimedSocket(io.RawIOBase):
    """The reading side of a socket until `ends` (monotonic seconds); then every read is a timeout."""

    def __init__(self, raw: io.RawIOBase, sock: Any, ends: float) -> None:
        self._raw, self._sock, self._ends = raw, sock, ends
        self._pause = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left if self._pause is None else min(self._pause, left))
        return cast(int | None, cast(Any, self._raw).readinto(buffer))

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
