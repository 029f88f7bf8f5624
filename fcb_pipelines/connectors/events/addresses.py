"""Which addresses an event is sent to, looked at where the connection is made.

A name says nothing: it may lead elsewhere a moment later. So each name is looked up once, each of its
addresses is looked at, and the connection goes to one of these very addresses.
"""

import ipaddress
import socket
import threading
from contextlib import suppress
from typing import Any, cast

import requests
from urllib3.exceptions import HTTPError

from fcb_pipelines.connectors.http import Session

LARGEST = 64 * 2**10
"""Bytes of an answer; nothing of it is needed but its status."""

_MOST = 4
"""Addresses of one name that are tried."""

# Networks whose addresses carry an IPv4 address in their last 32 bits.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The endpoint's name leads to an address that nothing is sent to."""


def fault(address: str, *, allow_private: bool) -> str | None:
    """Why nothing is sent to this IP address; None for one that may be sent to."""
    one = _unwrapped(ipaddress.ip_address(address))
    if one.is_multicast or one.is_unspecified:
        return "is no address of one machine"
    if one.is_global or allow_private:
        return None
    return "is not on the public internet (events.allow_private allows it)"


def guarded(*, longest: float, allow_private: bool) -> requests.Session:
    """A session that connects to allowed addresses only, by no proxy, for `longest` seconds in all."""
    how = _Private if allow_private else _Public
    session = Session(longest=longest, largest=LARGEST, how=how)
    session.trust_env = False
    return session


def _unwrapped(
    one: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address within an IPv6 one that only carries it."""
    if isinstance(one, ipaddress.IPv4Address):
        return one
    if one in _NAT64:
        return ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
    return one.ipv4_mapped or one.sixtofour or one


class _Looked:
    """A connection to one of the addresses of its host, all of which were looked at.

    It ends after `seconds`, whatever is under way on it: a TLS handshake has no deadline of its own.
    """

    allow_private: bool
    seconds: float
    port: int
    _dns_host: str
    _ending: tuple[threading.Timer, socket.socket] | None = None

    def _new_conn(self) -> socket.socket:
        named = self._dns_host
        addresses = _addresses(named, self.port)
        for address in addresses:
            why = fault(address, allow_private=self.allow_private)
            if why:
                raise AddressRefused(f"{named} leads to {address}, which {why}")
        for left, address in reversed([*enumerate(reversed(addresses))]):
            # The address in place of the name: nobody looks the name up a second time.
            self._dns_host = address
            try:
                made = cast(socket.socket, cast(Any, super())._new_conn())
            except HTTPError:
                if not left:
                    raise
            else:
                self._end_in_time(made)
                return made
            finally:
                self._dns_host = named
        raise AddressRefused(f"{named} leads to no address")

    def close(self) -> None:
        cast(Any, super()).close()
        if self._ending:
            timer, twin = self._ending
            timer.cancel()
            twin.close()
            self._ending = None

    def _end_in_time(self, made: socket.socket) -> None:
        # TLS takes the socket itself over; its twin is the same connection.
        twin = made.dup()
        timer = threading.Timer(self.seconds, _end, [twin])
        timer.daemon = True
        self._ending = timer, twin
        timer.start()


class _Public(_Looked):
    allow_private = False


class _Private(_Looked):
    allow_private = True


def _addresses(named: str, port: int) -> list[str]:
    """The addresses of a name, each once; none where it has none."""
    try:
        found = socket.getaddrinfo(named, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{named} could not be looked up ({error})") from error
    return [*dict.fromkeys(str(each[4][0]) for each in found)][:_MOST]


def _end(twin: socket.socket) -> None:
    with suppress(OSError):
        twin.shutdown(socket.SHUT_RDWR)
