"""Reads from Stripe through the official SDK: pinned version, paced, retried, failures by their kind.

Answers are raw JSON (Decimals, never floats). The SDK's own objects are left out: making them is
nine tenths of the work of a page, and they hold no more than the text they are made from.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any

import stripe

from fcb_pipelines.connectors import http
from fcb_pipelines.connectors.failures import (
    ContractBreach,
    Failure,
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

API_VERSION = "2026-10-28.endive"
PAGE_SIZE = 100


class StripeReader:
    """Read-only calls to one Stripe account. `api_base` replaces Stripe's own address."""

    def __init__(self, api_key: str, *, pace: Pace, api_base: str | None = None) -> None:
        stripe.enable_telemetry = False
        self.pace = pace
        self._http = _Client(timeout=http.TIMEOUT, session=http.Session())
        self.client = stripe.StripeClient(
            api_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base} if api_base else {},
            http_client=self._http,
            max_network_retries=0,  # retries are ours: the SDK's know neither 429 nor Retry-After
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """The body of one GET, e.g. `get("/v1/invoices/in_1", {"expand": ["payments"]})`.

        Raises NotFound, NotAllowed, ContractBreach, or after retries Throttled or Unreachable.
        """

        tried = f"Stripe: GET {path}"

        def once() -> Json:
            try:
                self.client.raw_request("get", path, **(params or {}))
            except stripe.StripeError as error:
                raise _failure(tried, error, self._http.headers) from error
            return json_object(tried, self._http.came)

        return read(once, self.pace)

    def sweep(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Sweep:
        """Every object of a list, 100 a page, with proof that the pages join.

        Each page starts at the last object of the page before it, so a page that is left out shows
        as a missing joint, and one that comes again as a repeated id. An object that goes away
        between two calls looks the same; therefore a list that does not prove itself is read twice.
        """
        return swept(lambda: self._pages(path, params or {}), "id", progress)

    def _pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Page]:
        seen: set[str] = set()
        cursor: dict[str, str] = {}
        joint = None
        for number in itertools.count(1):
            page = self.get(path, {**params, "limit": PAGE_SIZE, **cursor})
            ids = ids_of(f"Stripe: GET {path}, page {number}", page.get("data"), "id")
            more = page.get("has_more")
            if not isinstance(more, bool):
                raise ContractBreach(f"Stripe: GET {path}", "no list that says whether it goes on")
            problem = _fault(path, number, ids, more, joint, seen)
            yield Page(items=() if problem else page["data"], problem=problem)
            if not more:
                return
            seen.update(ids)
            joint = ids[-1] if len(ids) > 1 else None
            cursor = {"starting_after": ids[-2] if len(ids) > 1 else ids[-1]}


class _Client(stripe.RequestsClient):
    """The SDK's own client, which keeps its last answer as it came. For one thread.

    The SDK sees the body of an error alone. It would log all others, and give up a whole page for one
    value that it can't read.
    """

    came = b""
    headers: Mapping[str, str] = MappingProxyType({})

    def request(  # type: ignore[override]  # as RequestsClient has it
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        answer = super().request(method, url, headers, post_data)
        self.came, status, self.headers = answer
        seen = b"{}" if status == 200 else self.came.decode("utf-8", "replace").encode()
        return seen, status, self.headers


def _fault(
    path: str, number: int, ids: Sequence[str], more: bool, joint: str | None, seen: Set[str]
) -> str | None:
    """Why a page with these ids does not continue the list, or None.

    `joint` is the id that it must start with (None for the first page), `seen` are those before it.
    """
    if joint is not None and ids[:1] != [joint]:
        return f"{path}: page {number} does not join page {number - 1}: {joint} is not its first"
    fresh = ids[1:] if joint is not None else ids
    again = [each for each in fresh if each in seen]
    if again or len(set(fresh)) < len(fresh):
        return f"{path}: page {number} repeats {len(again) or 'some'} objects of the list"
    if more and not fresh:
        return f"{path}: page {number} brings nothing and says that there is more"
    return None


def _failure(tried: str, error: stripe.StripeError, headers: Mapping[str, str]) -> Failure:
    """The SDK's error as one of ours; `headers` came with it, where an answer did."""
    status = error.http_status
    said = f"HTTP {status}: {error.user_message or error}"
    if isinstance(error, stripe.APIConnectionError):
        remedy = "check the network, its proxy and status.stripe.com, then fcb doctor"
        return http.failure(tried, error.__cause__ or error, remedy=remedy)
    if status is not None and 300 <= status < 400:
        return redirected(tried, status, headers, "FCB_STRIPE_API_BASE")
    if isinstance(error, stripe.RateLimitError) or status == 429:
        wait = retry_after(headers, "retry-after")
        return Throttled(tried, said, retry_after=wait)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        remedy = "a restricted key with read rights in FCB_STRIPE_API_KEY, then fcb doctor"
        return NotAllowed(tried, said, remedy=remedy)
    if status == 404 and error.code == "resource_missing":
        # The same 404 comes for an object of the other mode, which does exist.
        if "a similar object exists in" in said:
            return ContractBreach(tried, said)
        return NotFound(tried, said)
    if isinstance(error, stripe.InvalidRequestError):
        return ContractBreach(tried, said)
    return Unreachable(tried, said)
