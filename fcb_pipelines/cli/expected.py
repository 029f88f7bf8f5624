"""The comparison of a dataset's expected.json with the status."""

from collections.abc import Mapping
from typing import Any

from fcb_pipelines.core.close.shapes import StatusJson

_ABSENT = object()


def differences(expected: Mapping[str, Any], status: StatusJson) -> tuple[str, ...]:
    """The differences between `expected` (a subset of the status JSON) and the status; () for none.

    Documents are an object by ref in `expected` and a list in the status. Each difference names the
    path, the expected value and the found one.
    """
    by_ref = {document["ref"]: document for document in status["documents"]}
    return tuple(_compare(expected, {**status, "documents": by_ref}, ""))


def gates_to_fail(expected: Mapping[str, Any]) -> frozenset[str]:
    """The gates that must fail by `expected`, in the form of `failed_gates`: `2026-05: residuals`.

    A dataset may contain a fault on purpose; then a gate that passes is the error.
    """
    places = {
        f"{period}: ": entry.get("gates", {})
        for period, entry in expected.get("periods", {}).items()
    }
    places[""] = expected.get("gates", {})
    return frozenset(
        f"{place}{gate}"
        for place, gates in places.items()
        for gate, outcome in gates.items()
        if outcome == "fail"
    )


def _compare(expected: Any, actual: Any, path: str) -> list[str]:
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return [_difference(path, expected, actual)]
        found = []
        for key, value in expected.items():
            found += _compare(value, actual.get(key, _ABSENT), f"{path}.{key}" if path else key)
        return found
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        found = []
        for number, (left, right) in enumerate(zip(expected, actual, strict=True)):
            found += _compare(left, right, f"{path}[{number}]")
        return found
    # A bool is an int to Python and never to a reader of JSON.
    same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    return [] if same else [_difference(path, expected, actual)]


def _difference(path: str, expected: Any, actual: Any) -> str:
    came = "nothing" if actual is _ABSENT else repr(actual)
    return f"{path or 'status'}: expected {expected!r}, came out {came}"
