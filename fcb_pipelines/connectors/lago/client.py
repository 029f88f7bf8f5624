"""Reads from Lago over one pooled HTTP client: paced, retried, each kind of failure by its own class."""

import itertools
import weakref
from collections.abc import Callable, Iterator, Mapping

import requests

from fcb_pipelines.connectors import http
from fcb_pipelines.connectors.decoding import decoded
from fcb_pipelines.connectors.failures import (
    ContractBreach,
    NotAllowed,
    NotFound,
    Throttled,
    Unreachable,
)
from fcb_pipelines.connectors.retry import (
    Pace,
    json_object,
    read,
    redirected,
    retry_after,
)
from fcb_pipelines.connectors.sweep import Page, Sweep, ids_of, swept
from fcb_pipelines.core.facts.bodies import Json

PAGE_SIZE = 100
_API = "/api/v1"
_ADDRESS = "the address in FCB_LAGO_API_URL, then fcb doctor"
_META = {"current_page": int, "next_page": int | None, "total_count": int}


class LagoReader:
    """Read-only calls to one Lago organization. `api_url` is with or without `/api/v1`."""

    def __init__(self, api_url: str, api_key: str, *, pace: Pace) -> None:
        self.pace = pace
        self._address = api_url.rstrip("/").removesuffix(_API) + _API
        self._session = http.Session()
        self._session.headers.update(
            {"Authorization": f"Bearer {api_key}", "Accept": "application/json"}
        )
        # Connections are kept between calls and closed with the reader, whoever drops it.
        weakref.finalize(self, self._session.close)

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        """The JSON body of one GET (numbers with a fraction are Decimal).

        Raises NotFound, NotAllowed, ContractBreach, or after retries Throttled or Unreachable.
        """
        tried = f"Lago: GET {path}"

        def once() -> Json:
            try:
                response = self._session.get(
                    f"{self._address}/{path.lstrip('/')}", params=params, timeout=http.TIMEOUT
                )
            except requests.RequestException as error:
                remedy = "check the network and FCB_LAGO_API_URL, then fcb doctor"
                raise http.failure(tried, error, remedy=remedy) from error
            self._mind_the_limit(response)
            return _body(tried, response)

        return read(once, self.pace)

    def sweep(
        self,
        what: str,
        params: Mapping[str, str | int] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Sweep:
        """Every object of a list, 100 a page, counted against Lago's own total.

        Pages are offsets: an object that is made meanwhile pushes one over to the next page, where
        it comes again (dropped here by lago_id), and the total grows past what was read. Such a
        list is read once more; one that still does not add up carries the problem.
        """
        return swept(lambda: self._pages(what, params or {}), "lago_id", progress)

    def count(self, what: str) -> int:
        """The number of objects of a kind, by Lago's own total."""
        meta = self._page(what, {"per_page": 1, "page": 1})["meta"]
        return int(meta["total_count"])

    def _pages(self, what: str, params: Mapping[str, str | int]) -> Iterator[Page]:
        seen: set[str] = set()
        for number in itertools.count(1):
            page = self._page(what, {**params, "per_page": PAGE_SIZE, "page": number})
            seen.update(each["lago_id"] for each in page[what])
            yield Page(items=page[what], problem=_fault(what, number, page, len(seen)))
            if not page["meta"]["next_page"]:
                return

    def _page(self, what: str, params: Mapping[str, str | int]) -> Json:
        page = self.get(f"/{what}", params)
        ids_of(f"Lago: listing {what}, page {params['page']}", page.get(what), "lago_id")
        meta = page.get("meta")
        if not isinstance(meta, dict) or not all(
            isinstance(meta.get(name, ""), kinds) for name, kinds in _META.items()
        ):
            raise ContractBreach(f"Lago: listing {what}", "no meta that counts the list")
        return page

    def _mind_the_limit(self, response: requests.Response) -> None:
        """Hold further calls until the reset when Lago's rate limit is used up."""
        left = response.headers.get("x-ratelimit-remaining")
        reset = retry_after(response.headers, "x-ratelimit-reset")
        if left == "0" and reset:
            self.pace.hold(reset)


def _fault(what: str, number: int, page: Json, came: int) -> str | None:
    """Why a page does not continue the list, or None; `came` objects are read with it."""
    meta = page["meta"]
    if meta["current_page"] not in (number, 0):
        return f"{what}: page {number} came as page {meta['current_page']}"
    if meta["next_page"]:
        empty = f"{what}: page {number} is empty and says that there is more"
        return None if page[what] else empty
    # Lago keeps the total for a while and counts anew on the last page: that one holds.
    differs = f"{what}: {came} came and Lago counts {meta['total_count']}"
    return None if came == meta["total_count"] else differs


def _body(tried: str, response: requests.Response) -> Json:
    status = response.status_code
    if status == 200:
        return json_object(tried, response.content, remedy=_ADDRESS)
    said = f"HTTP {status}"
    if status == 429:
        wait = retry_after(response.headers, "retry-after", "x-ratelimit-reset")
        raise Throttled(tried, said, retry_after=wait)
    if 300 <= status < 400:
        raise redirected(tried, status, response.headers, "FCB_LAGO_API_URL")
    if status >= 500 or status == 408:
        raise Unreachable(tried, said)
    code = _code(response.content)
    said = f"{said} {code}".rstrip()
    if status in (401, 403):
        remedy = "an API key with read rights in FCB_LAGO_API_KEY, then fcb doctor"
        raise NotAllowed(tried, said, remedy=remedy)
    # Only Lago's own words count: a proxy's or a mistyped address's 404 proves nothing.
    if status == 404 and code.endswith("_not_found"):
        raise NotFound(tried, said)
    raise ContractBreach(tried, said, remedy=None if code else _ADDRESS)


def _code(content: bytes) -> str:
    """Lago's own code of an error; empty where the answer is not Lago's."""
    try:
        body = decoded(content)
    except ValueError:
        return ""
    return str(body.get("code") or body.get("error") or "") if isinstance(body, dict) else ""
