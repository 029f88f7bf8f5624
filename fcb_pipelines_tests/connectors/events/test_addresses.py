"""Which addresses are connected to, and that it is the very address that was looked at."""

import socket
from typing import Any

import pytest

from fcb_pipelines.connectors.events.addresses import AddressRefused, fault, guarded
from fcb_pipelines_tests.receiver import Receiver, receiving


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("93.184.215.14", True, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True, True),
        ("127.0.0.1", False, True),
        ("10.0.0.7", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("169.254.169.254", False, True),
        ("100.64.0.1", False, True),
        ("192.0.2.1", False, True),
        ("::1", False, True),
        ("fe80::1", False, True),
        ("fe80::1%eth0", False, True),
        ("fd00::1", False, True),
        ("::ffff:10.0.0.7", False, True),
        ("::ffff:93.184.215.14", True, True),
        ("64:ff9b::a00:7", False, True),
        ("64:ff9b::5db8:d70e", True, True),
        ("2002:a00:7::1", False, True),
        ("0.0.0.0", False, False),  # noqa: S104 - an address to be refused
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("255.255.255.255", False, True),
    ],
)
def test_only_public_addresses_are_sent_to_unless_private_ones_are_allowed(
    address: str, public: bool, private: bool
) -> None:
    assert (fault(address, allow_private=False) is None) is public
    assert (fault(address, allow_private=True) is None) is private


def lookup(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Each lookup of a name gets the next of these answers; the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo
    left = list(answers)

    def found(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if str(host).replace(".", "").isdigit():
            return real(host, port, *args, **more)
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


def post(receiver: Receiver, *, allow_private: bool, host: str = "events.example") -> int:
    port = receiver.url.split(":")[2].split("/")[0]
    with guarded(longest=5, allow_private=allow_private) as session:
        return session.post(f"http://{host}:{port}/fusion", data=b"{}").status_code


def test_the_name_is_looked_up_once_and_that_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiving() as receiver:
        asked = lookup(monkeypatch, ["127.0.0.1"], ["192.0.2.1"])
        assert post(receiver, allow_private=True) == 204
        assert asked == ["events.example"]
        assert receiver.requests[0].headers["host"].startswith("events.example:")


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"]])
def test_a_name_of_which_one_address_is_private_gets_nothing(
    answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        lookup(monkeypatch, answers)
        with pytest.raises(AddressRefused, match=r"events\.example leads to 127\.0\.0\.1"):
            post(receiver, allow_private=False)
        assert receiver.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_no_way_of_writing_this_machine_gets_around_it(host: str) -> None:
    with receiving() as receiver:
        with pytest.raises(AddressRefused):
            post(receiver, allow_private=False, host=host)
        assert receiver.requests == []


def test_the_next_address_is_tried_where_the_first_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiving() as receiver:
        lookup(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        assert post(receiver, allow_private=True) == 204


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiving() as receiver:
        assert post(receiver, allow_private=True, host="127.0.0.1") == 204


def test_a_name_that_nobody_knows_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with guarded(longest=5, allow_private=True) as session, pytest.raises(AddressRefused):
        session.post("http://events.example/", data=b"{}")
