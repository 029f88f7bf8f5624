"""Reads from Lago over one pooled HTTP client: paced, retried, each kind of failure by its own class."""

import itertools
import weakref
from collections.abc import Callable, Iterator, Mapping

import httpx
import simplejson

from fcb_pipelines.connectors.failures import (
    ContractBreach,
    NotAllowed,
    NotFound,
    Throttled,
    Unreachable,
)
from fcb_pipelines.connectors.retry import Pace, read, retry_after
from fcb_pipelines.connectors.sweep import Page, Sweep, swept
from fcb_pipelines.core.facts.bodies import Json

PAGE_SIZE = 100
_API = "/api/v1"
_META = frozenset({"current_page", "next_page", "total_count"})


class LagoReader:
    """Read-only calls to one Lago organization. `api_url` is with or without `/api/v1`."""

    def __init__(self, api_url: str, api_key: str, *, pace: Pace) -> None:
        self.pace = pace
        self._client = httpx.Client(
            base_url=api_url.rstrip("/").removesuffix(_API) + _API,
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            timeout=httpx.Timeout(30, connect=10),
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=4),
        )
        # Connections are kept between calls and closed with the reader, whoever drops it.
        weakref.finalize(self, self._client.close)

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        """The JSON body of one GET (numbers with a fraction are Decimal).

        Raises NotFound, NotAllowed, ContractBreach, or after retries Throttled or Unreachable.
        """
        tried = f"Lago: GET {path}"

        def once() -> Json:
            try:
                response = self._client.get(path, params=params)
            except httpx.TransportError as error:
                raise Unreachable(tried, f"no answer ({type(error).__name__})") from error
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
        try:
            known = all(each["lago_id"] for each in page[what]) and page["meta"].keys() >= _META
        except (KeyError, TypeError, AttributeError):
            known = False
        if not known:
            raise ContractBreach(f"Lago: listing {what}", "no list of objects with ids and a meta")
        return page

    def _mind_the_limit(self, response: httpx.Response) -> None:
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


def _body(tried: str, response: httpx.Response) -> Json:
    status = response.status_code
    said = f"HTTP {status}"
    if status == 429:
        wait = retry_after(response.headers, "retry-after", "x-ratelimit-reset")
        raise Throttled(tried, said, retry_after=wait)
    if status >= 500:
        raise Unreachable(tried, said)
    try:
        body = simplejson.loads(response.content, use_decimal=True)
    except ValueError as error:
        remedy = "FCB_LAGO_API_URL, then fcb doctor"
        raise ContractBreach(tried, f"{said} without JSON", remedy=remedy) from error
    if not isinstance(body, dict):
        raise ContractBreach(tried, f"{said} with JSON that is no object")
    code = str(body.get("code") or body.get("error") or "")
    if status in (401, 403):
        remedy = "an API key with read rights in FCB_LAGO_API_KEY, then fcb doctor"
        raise NotAllowed(tried, f"{said} {code}", remedy=remedy)
    # Only Lago's own words count: a proxy's or a mistyped address's 404 proves nothing.
    if status == 404 and code.endswith("_not_found"):
        raise NotFound(tried, f"{said} {code}")
    if not response.is_success:
        raise ContractBreach(tried, f"{said} {code}")
    return body
