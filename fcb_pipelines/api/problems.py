"""Every answer that is no success, in one shape that names the field that is wrong."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fcb_pipelines.api.shapes import Problem, ProblemAnswer, WrongField
from fcb_pipelines.connectors.failures import Failure

# So many wrong fields of one request are named.
NAMED = 20

_CODES = {
    400: "unreadable",
    401: "not_authenticated",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    422: "invalid",
    429: "too_many_requests",
    500: "our_fault",
    503: "not_available",
}
_WHAT = {
    400: "The body can't be read.",
    401: "A valid key is needed: Authorization: Bearer fcbk_…",
    404: "There is no such thing.",
    405: "This address does not take that method.",
    413: "The request is too large: send smaller batches.",
    429: "Too many requests: wait as Retry-After says.",
    500: "A fault of ours. Nothing was kept; send it again, and tell us the request id.",
    503: "It can't be kept now. Nothing was kept; send it again.",
}


class Refused(HTTPException):
    """A request that is answered by a problem; `fields` are the wrong ones, each with how it is wrong.

    FastAPI passes on an HTTPException that is raised while it reads a body, and no other exception.
    """

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        code: str | None = None,
        fields: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code or _CODES[status]
        self.message = message or _WHAT[status]
        self.fields = tuple(fields)
        super().__init__(status, self.message, dict(headers or {}))


def wrong(*fields: tuple[str, str]) -> Refused:
    """The refusal of a request with these wrong fields."""
    return Refused(422, _wrong_fields(fields), fields=fields)


def _wrong_fields(fields: Sequence[tuple[str, str]]) -> str:
    more = f" (the first {NAMED} are named)" if len(fields) > NAMED else ""
    return f"{len(fields)} wrong field{'s' if len(fields) != 1 else ''}{more}; nothing was kept."


def body_of(refused: Refused, request_id: str) -> dict[str, Any]:
    """The problem as JSON."""
    fields = [WrongField(field=name, problem=how) for name, how in refused.fields[:NAMED]]
    problem = Problem(
        code=refused.code, message=refused.message, fields=fields, request_id=request_id
    )
    return ProblemAnswer(error=problem).model_dump(mode="json")


def answer(request: Request, refused: Refused) -> JSONResponse:
    """The answer to a refused request."""
    return JSONResponse(
        body_of(refused, request.state.request_id),
        status_code=refused.status_code,
        headers=refused.headers,
    )


def field_of(location: Sequence[str | int]) -> str:
    """The name of a field by its place: (`body`, `usage`, 3, `quantity`) is `usage[3].quantity`."""
    name = ""
    for step in location[1:]:
        name += f"[{step}]" if isinstance(step, int) else f"{'.' if name else ''}{step}"
    return name if location[0] != "body" or not name.startswith("[") else "body"


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    found = [
        (field_of(one["loc"]) or str(one["loc"][0]), one["msg"].removeprefix("Value error, "))
        for one in error.errors()
    ]
    return answer(request, wrong(*found))


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    status = error.status_code if error.status_code in _CODES else 400
    headers = dict(error.headers or {})
    if status == 405:
        # Each method of an address is a route of its own, and Starlette names the first one's.
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return answer(request, Refused(status, headers=headers))


def _methods(request: Request) -> set[str]:
    """The methods that the request's address takes, as the application's description has them."""
    found: set[str] = set()
    for path, methods in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"{[^}]+}", "[^/]+", path), request.url.path):
            found |= {method.upper() for method in methods}
    return found


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this class
    return answer(request, error)


def _failed(request: Request, error: Exception) -> JSONResponse:
    request.state.failure = error
    return answer(request, Refused(503, headers={"Retry-After": "30"}))


def install(app: FastAPI) -> None:
    """Answer every problem of this application in the one shape."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Failure, _failed)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint may answer, for its description."""
    always = (400, 401, 413, 422, 429, 500, 503)
    return {
        status: {"model": ProblemAnswer, "description": _CODES[status].replace("_", " ")}
        for status in sorted({*always, *statuses})
    }
