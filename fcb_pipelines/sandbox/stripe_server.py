"""A stand-in for Stripe on loopback: API 2026-10-28.endive, reads only, fed from a dataset folder.

It answers in the pinned version's shape - cursor paging, filters, expansion, errors, rate limits -
and refuses unknown parameters, so that it hides no typing error of a client. The objects are in
`<dataset>/stripe/*.json`; `lines.data` of an invoice holds all its lines.

    python -m fcb_pipelines.sandbox.stripe_server --dataset DIR --port N
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fcb_pipelines.connectors.stripe.client import API_VERSION
from fcb_pipelines.sandbox.standin import Faults, Json, Limiter, Tables, answer, described, serve
from fcb_pipelines.sandbox.stripe_balance import claims, reported_balance, source_of
from fcb_pipelines.sandbox.stripe_events import Events
from fcb_pipelines.sandbox.stripe_filters import CREATED, matches

INLINE = 10
MOST_TYPES = 20

_PAGING = frozenset({"limit", "starting_after", "ending_before"})

# resource -> (object's name in errors, fields that filter by equality, path to the value)
_RESOURCES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "invoices": (
        "invoice",
        {
            "customer": ("customer",),
            "status": ("status",),
            "collection_method": ("collection_method",),
            "subscription": ("parent", "subscription_details", "subscription"),
        },
    ),
    "invoice_payments": (
        "invoice_payment",
        {
            "invoice": ("invoice",),
            "status": ("status",),
            "payment[type]": ("payment", "type"),
            "payment[payment_intent]": ("payment", "payment_intent"),
        },
    ),
    "tax_rates": ("tax_rate", {"active": ("active",), "inclusive": ("inclusive",)}),
    "credit_notes": ("credit_note", {"customer": ("customer",), "invoice": ("invoice",)}),
    "refunds": ("refund", {"charge": ("charge",), "payment_intent": ("payment_intent",)}),
    "disputes": ("dispute", {"charge": ("charge",), "payment_intent": ("payment_intent",)}),
    "balance_transactions": (
        "balance_transaction",
        {"type": ("type",), "currency": ("currency",), "source": ("source",)},
    ),
    "payouts": ("payout", {"status": ("status",), "destination": ("destination",)}),
    "events": ("event", {"type": ("type",)}),
    "subscriptions": (
        "subscription",
        {
            "customer": ("customer",),
            "status": ("status",),
            "collection_method": ("collection_method",),
        },
    ),
}
_WITH_LINES = frozenset({"invoices", "credit_notes"})


class _Refused(Exception):
    """A request that Stripe answers with an error."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": "invalid_request_error", **more}}


def create_app(
    dataset: Path,
    *,
    api_key: str | None = None,
    rate_limit: int = 0,
    faults: Faults | None = None,
) -> Starlette:
    """The stand-in for one dataset. `api_key` is the only key accepted; None: any of Stripe's form."""
    server = _Server(Path(dataset), api_key, Limiter(rate_limit), faults or Faults())
    guarded = server.guarded
    routes = [
        Route("/v1/account", guarded(server.account), methods=["GET"]),
        Route("/v1/balance", guarded(server.balance), methods=["GET"]),
        Route("/v1/{table}", guarded(server.listed), methods=["GET"]),
        Route("/v1/{table}/{id}", guarded(server.retrieved), methods=["GET"]),
        Route("/v1/{table}/{id}/lines", guarded(server.lines), methods=["GET"]),
    ]
    return Starlette(routes=routes)


class _Server:
    def __init__(
        self, dataset: Path, api_key: str | None, limiter: Limiter, faults: Faults
    ) -> None:
        self.tables = Tables(dataset / "stripe")
        self.events = Events(self.tables)
        self.dataset = dataset
        self.api_key = api_key
        self.limiter = limiter
        self.faults = faults

    def guarded(
        self, handler: Callable[[Request], Json]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler behind the checks of key, version and rate limit, and the injected faults."""

        async def handle(request: Request) -> Response:
            self.faults.calls.append(str(request.url.path))
            try:
                self._admit(request)
                return answer(handler(request), headers={"stripe-version": API_VERSION})
            except _Refused as refused:
                wait = self.faults.retry_after if refused.status == 429 else None
                return answer(refused.body, refused.status, {"retry-after": wait} if wait else None)

        return handle

    def account(self, request: Request) -> Json:
        """The dataset's account, with the few fields that a restricted key may read."""
        stripe = described(self.dataset).get("stripe") or {}
        return {"id": stripe.get("account", "acct_sandbox"), "object": "account", "country": "CA"}

    def balance(self, request: Request) -> Json:
        """The account's balance: what its transactions come to, by currency and status."""
        asked, _expand = _params(request)
        _known(asked, frozenset())
        return reported_balance(self.tables.rows("balance_transactions"))

    def listed(self, request: Request) -> Json:
        """One page of a list."""
        table = self._table(request)
        asked, expand = _params(request)
        filters = _RESOURCES[table][1]
        also = _ALSO.get(table, frozenset())
        _known(asked, _PAGING | CREATED | filters.keys() | also)
        if table == "events":
            types = asked.pop("types", None)
            rows = _newest_first(self.events.rows()[::-1])
            rows = [row for row in rows if types is None or row["type"] in types.split(",")]
        else:
            rows = self.tables.derived(table, _newest_first)
        if table == "subscriptions" and asked.get("status") in (None, "all"):
            every = asked.pop("status", None)
            rows = [row for row in rows if every or row["status"] != "canceled"]
        claimed = asked.pop("payout", None)
        if claimed is not None:
            rows = [row for row in rows if row["id"] in self._claimed_by(claimed)]
        if asked.keys() - _PAGING:
            rows = [row for row in rows if matches(row, asked, filters)]
        within = {name.removeprefix("data.") for name in expand if name.startswith("data.")}
        if len(within) < len(expand):
            raise _Refused(
                400, "This property cannot be expanded. You may want to expand `data.*`."
            )
        page, more = self._page(table, rows, asked)
        data = [self._rendered(table, row, within) for row in page]
        return {"object": "list", "data": data, "has_more": more, "url": f"/v1/{table}"}

    def _claimed_by(self, payout: str) -> set[str]:
        """The ids of a payout's transactions, its own among them; an automatic payout alone knows them."""
        found = self.tables.derived("payouts", _by_id).get(payout)
        if found is None:
            raise _missing("payout", payout, "payout")
        if found["reconciliation_status"] != "completed":
            raise _Refused(
                400, "Balance transaction history can only be filtered on automatic transfers."
            )
        own = {found["balance_transaction"]}
        return own | set(self.tables.derived("payout_transactions", claims).get(payout, ()))

    def retrieved(self, request: Request) -> Json:
        """One object by id."""
        asked, expand = _params(request)
        _known(asked, frozenset())
        return self._rendered(self._table(request), self._row(request), set(expand))

    def lines(self, request: Request) -> Json:
        """One page of a document's lines."""
        if self._table(request) not in _WITH_LINES:
            raise _unknown_url(request)
        asked, _expand = _params(request)
        _known(asked, _PAGING)
        rows = self._row(request)["lines"]["data"]
        page, more = self._page("lines", rows, asked)
        return {"object": "list", "data": page, "has_more": more, "url": request.url.path}

    def _admit(self, request: Request) -> None:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not (key == self.api_key if self.api_key else re.match(r"(sk|rk)_\w+", key)):
            raise _Refused(401, f"Invalid API Key provided: {key[:7]}****")
        version = request.headers.get("stripe-version")
        if version != API_VERSION:
            raise _Refused(400, f"Invalid Stripe API version: {version}. Here is {API_VERSION}.")
        left = self.limiter.left()
        if self.faults.throttled() or (left is not None and left < 0):
            raise _Refused(429, "Request rate limit exceeded.", code="rate_limit")
        parts = set(request.url.path.split("/"))
        if parts & self.faults.forbidden:
            raise _Refused(403, "The provided key does not have the required permissions.")
        if parts & self.faults.broken:
            raise _Refused(500, "An error occurred on our end.", type="api_error")

    def _table(self, request: Request) -> str:
        table = str(request.path_params["table"])
        if table not in _RESOURCES:
            raise _unknown_url(request)
        return table

    def _row(self, request: Request) -> Json:
        table, wanted = self._table(request), request.path_params["id"]
        rows = (
            _by_id(self.events.rows()) if table == "events" else self.tables.derived(table, _by_id)
        )
        row = rows.get(wanted)
        if row is not None:
            return row
        name = _RESOURCES[table][0]
        raise _missing(name.replace("_", " "), wanted, name)

    def _page(
        self, table: str, rows: list[Json], asked: Mapping[str, str]
    ) -> tuple[list[Json], bool]:
        limit = int(asked.get("limit", INLINE))
        if not 1 <= limit <= 100:
            raise _Refused(400, "Limit must be between 1 and 100.", param="limit")
        if "ending_before" in asked:
            end = _place(rows, asked["ending_before"], "ending_before")
            return rows[max(0, end - limit) : end], end > limit
        start = 0
        if "starting_after" in asked:
            start = _place(rows, asked["starting_after"], "starting_after") + 1
        start += self.faults.page_shift(table, first=start == 0, size=limit)
        start = max(0, start)
        return rows[start : start + limit], start + limit < len(rows)

    def _rendered(self, table: str, row: Json, expand: set[str]) -> Json:
        """The object as Stripe returns it: ten lines inline, payments only where they are expanded."""
        shown = {key: value for key, value in row.items() if key != "payments"}
        unknown = expand - _EXPANDABLE.get(table, set())
        if unknown:
            raise _Refused(400, f"This property cannot be expanded ({sorted(unknown)[0]}).")
        if table in _WITH_LINES:
            lines = row["lines"]["data"]
            shown["lines"] = {
                **row["lines"],
                "data": lines[:INLINE],
                "has_more": len(lines) > INLINE,
            }
        if table == "balance_transactions":
            shown["source"] = source_of(row, expand)
        if "failure_balance_transaction" in expand and row.get("failure_balance_transaction"):
            known = self.tables.derived("balance_transactions", _by_id)
            named = row["failure_balance_transaction"]
            found = known.get(named)
            shown["failure_balance_transaction"] = (
                {**found, "source": source_of(found, set())} if found else named
            )
        if "payments" in expand:
            own = self.tables.derived("invoice_payments", _by_invoice).get(row["id"], [])
            shown["payments"] = {
                "object": "list",
                "data": own[:INLINE],
                "has_more": len(own) > INLINE,
                "url": "/v1/invoice_payments",
            }
        return shown


_EXPANDABLE = {
    "invoices": {"payments"},
    "balance_transactions": {"source", "source.charge"},
    "refunds": {"failure_balance_transaction"},
}
# Parameters of one list beside those of all and its own equalities.
_ALSO = {"events": frozenset({"types"}), "balance_transactions": frozenset({"payout"})}


def _newest_first(rows: list[Json]) -> list[Json]:
    return sorted(rows, key=lambda row: -row.get("created", 0))


def _by_id(rows: list[Json]) -> dict[str, Json]:
    return {row["id"]: row for row in rows}


def _by_invoice(payments: list[Json]) -> dict[str, list[Json]]:
    own: dict[str, list[Json]] = {}
    for payment in _newest_first(payments):
        own.setdefault(payment["invoice"], []).append(payment)
    return own


def _missing(what: str, wanted: str, param: str, status: int = 404) -> _Refused:
    message = f"No such {what}: '{wanted}'"
    return _Refused(status, message, code="resource_missing", param=param)


def _unknown_url(request: Request) -> _Refused:
    return _Refused(404, f"Unrecognized request URL ({request.method}: {request.url.path}).")


def _params(request: Request) -> tuple[dict[str, str], list[str]]:
    """The plain parameters, those of a list joined by commas, and the names to expand."""
    asked: dict[str, str] = {}
    expand: list[str] = []
    types: list[str] = []
    for name, value in request.query_params.multi_items():
        if name == "expand" or name.startswith("expand["):
            expand.append(value)
        elif name.startswith("types["):
            types.append(value)
        else:
            asked[name] = value
    if len(types) > MOST_TYPES:
        raise _Refused(400, f"You may ask for {MOST_TYPES} types at most.", param="types")
    if types:
        asked["types"] = ",".join(types)
    return asked, expand


def _known(asked: Mapping[str, str], known: frozenset[str]) -> None:
    for name in asked.keys() - known:
        raise _Refused(400, f"Received unknown parameter: {name}", param=name)


def _place(rows: list[Json], wanted: str, param: str) -> int:
    for index, row in enumerate(rows):
        if row["id"] == wanted:
            return index
    raise _missing("object", wanted, param, 400)


if __name__ == "__main__":
    serve("stripe_server", lambda dataset, limit: create_app(dataset, rate_limit=limit))
