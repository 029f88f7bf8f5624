"""What a host may do to a call, over real sockets: drip, redirect, swell, break off."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import pytest

from fcb_pipelines.connectors import http
from fcb_pipelines.connectors.failures import ContractBreach, Unreachable
from fcb_pipelines.connectors.lago.client import LagoReader
from fcb_pipelines.connectors.retry import Pace, json_object
from fcb_pipelines.connectors.stripe.client import StripeReader
from fcb_pipelines.core.facts.bodies import Json

Answer = Callable[[socket.socket], None]
Get = Callable[[str], Json]

FINE = b'{"fine": true}'


def whole(body: bytes = FINE, status: str = "200 OK", *headers: str) -> Answer:
    """An answer that is sent at once, and says that the connection ends with it, as it does."""
    length = f"Content-Length: {len(body)}"
    head = "\r\n".join((f"HTTP/1.1 {status}", length, "Connection: close", *headers))
    return lambda caller: caller.sendall(head.encode() + b"\r\n\r\n" + body)


def cut_off(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def drip(head: bytes) -> Answer:
    """`head` at once, and then one byte after the other, far apart and without an end."""

    def send(caller: socket.socket) -> None:
        caller.sendall(head)
        while True:
            caller.sendall(b"x")
            time.sleep(0.1)

    return send


def bomb(caller: socket.socket) -> None:
    """300 MB of blanks, packed into a third of one."""
    packed = zlib.compressobj(9, wbits=31)
    blanks = b" " * 2**20
    body = b"".join(packed.compress(blanks) for _ in range(300)) + packed.flush()
    whole(body, "200 OK", "Content-Encoding: gzip")(caller)


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[str]]]:
    """A host with these answers in turn, the last one for ever, and the first line of each request."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                caller, _ = listener.accept()
                with caller, suppress(OSError):
                    asked.append(caller.recv(65536).split(b"\r\n")[0].decode())
                    answers[min(len(asked), len(answers)) - 1](caller)

        def until_closed() -> None:
            with suppress(OSError):
                serve()

        thread = threading.Thread(target=until_closed, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


@pytest.fixture(params=["stripe", "lago"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Get]:
    """Calls of either source to an address, with a deadline of a second."""
    monkeypatch.setattr(http, "Session", partial(http.Session, longest=1))
    pace = Pace(100_000, sleep=lambda seconds: None)
    if request.param == "stripe":
        return lambda address: StripeReader("rk_test", pace=pace, api_base=address).get
    return lambda address: LagoReader(address, "key", pace=pace).get


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-Slow: ",
    b"HTTP/1.1 2",
])  # fmt: skip
def test_an_answer_that_drips_in_is_left_at_its_deadline(
    reader: Callable[[str], Get], head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcb_pipelines.connectors.retry.LONGEST_READ", 1.9)
    began = time.monotonic()
    with answering(drip(head)) as (address, asked), pytest.raises(Unreachable, match="after 1 s"):
        reader(address)("/v1/invoices")
    assert len(asked) == 2
    assert time.monotonic() - began < 15


def test_a_slow_answer_within_the_deadline_is_taken(reader: Callable[[str], Get]) -> None:
    def slow(caller: socket.socket) -> None:
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n")
        for byte in FINE:
            time.sleep(0.02)
            caller.sendall(bytes([byte]))

    with answering(slow) as (address, _):
        assert reader(address)("/v1/invoices") == {"fine": True}


def test_a_redirect_is_not_followed_and_named(reader: Callable[[str], Get]) -> None:
    with ExitStack() as stack:
        other, asked = stack.enter_context(answering(whole()))
        away = whole(b"", "302 Found", f"Location: {other}/v1/invoices")
        address, _ = stack.enter_context(answering(away))
        with pytest.raises(ContractBreach, match=f"302: a redirect to {other}/v1/invoices"):
            reader(address)("/v1/invoices")
    assert asked == []


def test_an_answer_that_swells_is_left_where_it_is_too_large(
    reader: Callable[[str], Get], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "Session", http.Session.func)  # type: ignore[attr-defined]
    with answering(bomb) as (address, asked), pytest.raises(ContractBreach, match="67,108,864"):
        reader(address)("/v1/invoices")
    assert len(asked) == 1


def test_a_packed_answer_is_unpacked_and_a_packing_not_asked_for_is_refused(
    reader: Callable[[str], Get],
) -> None:
    packed = whole(gzip.compress(FINE), "200 OK", "Content-Encoding: gzip")
    with answering(packed) as (address, _):
        assert reader(address)("/v1/invoices") == {"fine": True}
    other = whole(FINE, "200 OK", "Content-Encoding: br")
    with answering(other) as (address, _), pytest.raises(ContractBreach, match="packed as br"):
        reader(address)("/v1/invoices")


@pytest.mark.parametrize("broken", [
    whole(b""),
    whole(b"<html>back soon</html>"),
    whole(b'{"fine": tr'),
    cut_off,
    lambda caller: None,
    whole(b"", "500 Internal Server Error"),
    whole(b"<html>bad gateway</html>", "502 Bad Gateway"),
    whole(b"", "408 Request Timeout"),
])  # fmt: skip
def test_a_broken_answer_is_asked_for_again(reader: Callable[[str], Get], broken: Answer) -> None:
    with answering(broken, broken, whole()) as (address, asked):
        assert reader(address)("/v1/invoices") == {"fine": True}
    assert len(asked) == 3


def test_a_page_for_people_again_and_again_is_told_as_one(reader: Callable[[str], Get]) -> None:
    page = whole(b"<html>back soon</html>")
    with answering(page) as (address, asked), pytest.raises(Unreachable) as told:
        reader(address)("/v1/invoices")
    assert len(asked) == 5
    assert "HTTP 200 with a page for people" in str(told.value)
    assert "A rerun may help" in str(told.value)


@pytest.mark.parametrize(("content", "said"), [
    (b"", "nothing"), (b" <html>", "a page for people"), (b'{"a"', "JSON that is cut off"),
])  # fmt: skip
def test_only_a_page_for_people_has_the_address_for_a_remedy(content: bytes, said: str) -> None:
    with pytest.raises(Unreachable, match=said) as told:
        json_object("x", content, remedy="the address")
    assert (told.value.remedy is not None) == (said == "a page for people")
