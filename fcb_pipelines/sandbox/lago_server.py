"""A stand-in for Lago on loopback: API v1, reads only, fed from a dataset folder.

It answers as Lago's own serializers do: lists of invoices without fees, one invoice with them,
offset paging with meta, 404 codes, X-RateLimit headers. The objects are in `<dataset>/lago/*.json`:
invoices (with fees), payments and credit notes.

    python -m fcb_pipelines.sandbox.lago_server --dataset DIR --port N
"""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fcb_pipelines.sandbox.standin import Faults, Json, Limiter, Tables, answer, serve

PER_PAGE = 100

# The fields of an invoice that Lago's list leaves out.
_NOT_LISTED = (
    "fees",
    "credits",
    "subscriptions",
    "billing_periods",
    "error_details",
    "applied_invoice_custom_sections",
)
_HIDDEN = frozenset({"generating", "open", "closed"})


class _Refused(Exception):
    """A request that Lago answers with an error."""

    def __init__(self, status: int, error: str, code: str | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"status": status, "error": error, **({"code": code} if code else {})}


def create_app(
    dataset: Path,
    *,
    api_key: str | None = None,
    rate_limit: int = 0,
    faults: Faults | None = None,
) -> Starlette:
    """The stand-in for one dataset. `api_key` is the only key accepted; None: any non-empty one."""
    server = _Server(Path(dataset), api_key, Limiter(rate_limit), faults or Faults())
    handlers: dict[str, Callable[[Request], Json]] = {
        "/invoices": server.invoices,
        "/invoices/{id}": server.invoice,
        "/fees": server.fees,
        "/payments": server.payments,
        "/payments/{id}": server.payment,
        "/credit_notes": server.credit_notes,
        "/credit_notes/{id}": server.credit_note,
        "/subscriptions": server.subscriptions,
    }
    return Starlette(
        routes=[
            Route(f"/api/v1{path}", server.guarded(handler), methods=["GET"])
            for path, handler in handlers.items()
        ]
    )


class _Server:
    def __init__(
        self, dataset: Path, api_key: str | None, limiter: Limiter, faults: Faults
    ) -> None:
        self.tables = Tables(dataset / "lago")
        self.api_key = api_key
        self.limiter = limiter
        self.faults = faults

    def guarded(
        self, handler: Callable[[Request], Json]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler behind the checks of key and rate limit, and the injected faults."""

        async def handle(request: Request) -> Response:
            self.faults.calls.append(str(request.url.path))
            left = self.limiter.left()
            headers = self._limits(left)
            try:
                self._admit(request, left)
                return answer(handler(request), headers=headers)
            except _Refused as refused:
                wait = self.faults.retry_after if refused.status == 429 else None
                if wait:
                    headers["retry-after"] = wait
                return answer(refused.body, refused.status, headers)

        return handle

    def invoices(self, request: Request) -> Json:
        """A page of invoices, without fees and other details; newest issuing date first."""
        asked = request.query_params
        rows = [
            row
            for row in self.tables.derived("invoices", _listed_invoices)
            if _invoice_matches(row, request)
        ]
        customer = asked.get("external_customer_id") or asked.get("customer_external_id")
        if customer:
            rows = [row for row in rows if row["customer"]["external_id"] == customer]
        return self._page("invoices", rows, request)

    def invoice(self, request: Request) -> Json:
        """One invoice with its fees."""
        return {"invoice": self._one("invoice", "invoices", request)}

    def fees(self, request: Request) -> Json:
        """A page of the fees of all invoices, oldest first."""
        rows = self.tables.derived("invoices", _all_fees)
        rows = _equal(rows, request, "external_customer_id", "external_subscription_id")
        rows = _equal(rows, request, "payment_status")
        kind = request.query_params.get("fee_type")
        rows = [fee for fee in rows if kind in (None, fee["item"]["type"])]
        return self._page("fees", rows, request)

    def payments(self, request: Request) -> Json:
        """A page of payments, newest first."""
        rows = self.tables.derived("payments", _newest_first)
        rows = _equal(rows, request, "external_customer_id")
        invoice = request.query_params.get("invoice_id")
        rows = [row for row in rows if invoice is None or invoice in row["invoice_ids"]]
        return self._page("payments", rows, request)

    def payment(self, request: Request) -> Json:
        """One payment."""
        return {"payment": self._one("payment", "payments", request)}

    def credit_notes(self, request: Request) -> Json:
        """A page of credit notes, newest first."""
        rows = self.tables.derived("credit_notes", _newest_first)
        customer = request.query_params.get("external_customer_id")
        if customer:
            rows = [row for row in rows if row["customer"]["external_id"] == customer]
        return self._page("credit_notes", rows, request)

    def credit_note(self, request: Request) -> Json:
        """One credit note."""
        return {"credit_note": self._one("credit_note", "credit_notes", request)}

    def subscriptions(self, request: Request) -> Json:
        """A page of subscriptions, oldest first; without a status those that are active."""
        asked = request.query_params
        wanted = asked.getlist("status[]") or asked.getlist("status") or ["active"]
        rows = self.tables.derived("subscriptions", _oldest_first)
        rows = [row for row in rows if row["status"] in wanted]
        rows = _equal(rows, request, "external_customer_id", "plan_code")
        return self._page("subscriptions", rows, request)

    def _one(self, name: str, table: str, request: Request) -> Json:
        row = self.tables.derived(table, _by_id).get(request.path_params["id"])
        if row is None:
            raise _Refused(404, "Not Found", f"{name}_not_found")
        return row

    def _admit(self, request: Request, left: int | None) -> None:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not (key == self.api_key if self.api_key else key):
            raise _Refused(401, "Unauthorized")
        if self.faults.throttled() or (left is not None and left < 0):
            raise _Refused(429, "Too Many Requests", "rate_limit_exceeded")
        parts = set(request.url.path.split("/"))
        if parts & self.faults.forbidden:
            raise _Refused(403, "Forbidden", "read_not_allowed")
        if parts & self.faults.broken:
            raise _Refused(500, "Internal Server Error")

    def _limits(self, left: int | None) -> dict[str, str]:
        if left is None:
            return {}
        return {
            "x-ratelimit-limit": str(self.limiter.per_second),
            "x-ratelimit-remaining": str(max(0, left)),
            "x-ratelimit-reset": "1",
        }

    def _page(self, name: str, rows: list[Json], request: Request) -> Json:
        size = min(_number(request, "per_page", PER_PAGE), PER_PAGE)
        number = _number(request, "page", 1)
        start = (number - 1) * size
        start += self.faults.page_shift(name, first=number == 1, size=size)
        pages = -(-len(rows) // size)
        meta = {
            "current_page": number if rows else 0,
            "next_page": number + 1 if number < pages else None,
            "prev_page": number - 1 if rows and number > 1 else None,
            "total_pages": pages,
            "total_count": len(rows),
        }
        return {name: rows[start : start + size], "meta": meta}


def _visible(invoices: list[Json]) -> list[Json]:
    """The invoices that Lago shows; the others answer 404."""
    return [row for row in invoices if row["status"] not in _HIDDEN]


def _listed_invoices(invoices: list[Json]) -> list[Json]:
    rows = sorted(
        _visible(invoices),
        key=lambda row: (row["issuing_date"] or "", row["created_at"]),
        reverse=True,
    )
    return [{key: value for key, value in row.items() if key not in _NOT_LISTED} for row in rows]


def _all_fees(invoices: list[Json]) -> list[Json]:
    fees = [fee for invoice in _visible(invoices) for fee in invoice["fees"]]
    return sorted(fees, key=lambda fee: (fee["created_at"], fee["lago_id"]))


def _newest_first(rows: list[Json]) -> list[Json]:
    return sorted(rows, key=lambda row: str(row["created_at"]), reverse=True)


def _oldest_first(rows: list[Json]) -> list[Json]:
    return sorted(rows, key=lambda row: str(row["created_at"]))


def _by_id(rows: list[Json]) -> dict[str, Json]:
    return {row["lago_id"]: row for row in rows if row.get("status") not in _HIDDEN}


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdigit() and int(text) > 0 else default


def _equal(rows: list[Json], request: Request, *names: str) -> list[Json]:
    for name in names:
        wanted = request.query_params.get(name)
        rows = [row for row in rows if wanted is None or row.get(name) == wanted]
    return rows


def _invoice_matches(row: Json, request: Request) -> bool:
    """Whether the invoice passes Lago's filters. Like Lago, it ignores a malformed date."""
    asked = request.query_params
    day = row["issuing_date"] or ""
    first, last = _iso(asked.get("issuing_date_from")), _iso(asked.get("issuing_date_to"))
    fields: list[tuple[str, list[str]]] = [
        ("status", asked.getlist("status") + asked.getlist("statuses[]")),
        ("payment_status", asked.getlist("payment_status") + asked.getlist("payment_statuses[]")),
        ("invoice_type", asked.getlist("invoice_type")),
        ("currency", asked.getlist("currency")),
    ]
    in_range = (first is None or day >= first) and (last is None or day <= last)
    return in_range and all(not wanted or row[name] in wanted for name, wanted in fields)


def _iso(text: Any) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except (TypeError, ValueError):
        return None


if __name__ == "__main__":
    serve("lago_server", lambda dataset, limit: create_app(dataset, rate_limit=limit))
