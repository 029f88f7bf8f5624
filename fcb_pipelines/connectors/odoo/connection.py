"""The connection to Odoo: the only place that knows its remote procedure calls.

Odoo 19 still answers /jsonrpc, which `odoorpc` speaks; Odoo 20 drops it. Nothing outside this class
would change then.
"""

import http.client
import re
import urllib.error
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, build_opener

import odoorpc
import odoorpc.error

from fcb_pipelines.connectors.failures import (
    Busy,
    ContractBreach,
    Failure,
    NotAllowed,
    NotPrepared,
    PermanentFailure,
    Throttled,
    TransientFailure,
    Unreachable,
)
from fcb_pipelines.connectors.odoo.action_lease import LEASE_SECONDS, REFUSED
from fcb_pipelines.connectors.retry import tried_again

Row = dict[str, Any]

# A batch of some hundred documents is one call that takes a while.
TIMEOUT = 600
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
WHEN_ANOTHER_WRITES = (
    f"let it end there, and {LEASE_SECONDS} s later: fcb sync. Where it should not write these books at all, stop "
    "its schedule"
)
_REMEDY = "check FCB_ODOO_URL, FCB_ODOO_DATABASE, FCB_ODOO_USER and FCB_ODOO_PASSWORD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One read of a model: a method, and what it is given."""

    model: str
    method: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def search(
    model: str,
    domain: Sequence[Any],
    fields: Sequence[str],
    *,
    order: str = "id",
    archived: bool = False,
) -> Read:
    """A `search_read`; `archived` finds those a person archived as well."""
    options: dict[str, Any] = {"fields": list(fields), "order": order}
    if archived:
        options["context"] = {"active_test": False}
    return Read(model=model, method="search_read", arguments=(list(domain),), options=options)


class OdooConnection:
    """One user's access to one company of one Odoo database.

    It logs in with the first call. `company` is an id; None means the user's own. `calls` counts the
    calls sent, so that a test can prove that a batch costs a constant number.
    """

    def __init__(
        self,
        url: str,
        database: str,
        user: str,
        password: str,
        *,
        company: int | None = None,
        timeout: int = TIMEOUT,
    ) -> None:
        self.url = url.rstrip("/")
        self.database = database
        self.calls = 0
        self.user = user
        self._password = password
        self._company = company
        self._timeout = timeout
        self._session: Any = None

    @property
    def version(self) -> str:
        """The server's version, `19.0`."""
        return str(self._logged_in().version)

    @property
    def company(self) -> int:
        """Id of the company whose books these are."""
        if self._company is None:
            session = self._logged_in()
            (user,) = self._execute("res.users", "read", [[session.env.uid], ["company_id"]], {})
            self._company = int(user["company_id"][0])
        return self._company

    def call(self, model: str, method: str, *arguments: Any, **options: Any) -> Any:
        """The answer of `model.method(*arguments, **options)`, in this company and in English.

        English because taxes are found by the name that the configuration gives them. `context=`
        adds to the context.
        """
        context = {"lang": "en_US", "allowed_company_ids": [self.company]}
        options["context"] = context | options.get("context", {})
        return self._execute(model, method, list(arguments), options)

    def rows(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        order: str = "id",
        archived: bool = False,
    ) -> list[Row]:
        """`search`, in one call."""
        found: list[Row] = self.read(search(model, domain, fields, order=order, archived=archived))
        return found

    def nameless(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        links: Collection[str],
        *,
        order: str = "id",
    ) -> list[Row]:
        """`rows` without the names of what is linked, which Odoo computes for each: a link is [id, ""].

        `links` are all the many2ones among the fields.
        """
        found: list[Row] = self.call(
            model, "search_read", list(domain), fields=list(fields), order=order, load=""
        )
        for row in found:
            row.update({name: [row[name], ""] for name in links if row[name]})
        return found

    def read(self, read: Read) -> Any:
        """The answer of one read, in one call; several are one call of the server action."""
        return self.call(read.model, read.method, *read.arguments, **read.options)

    def _logged_in(self) -> Any:
        if self._session is None:
            tried = f"logging in to Odoo at {self.url}"
            self._session = tried_again(lambda: self._guarded(tried, self._log_in))
        return self._session

    def _log_in(self) -> Any:
        address = urlsplit(self.url)
        if address.scheme not in ("http", "https") or not address.hostname or address.path:
            raise NotPrepared(
                f"reading the address of Odoo, {self.url}",
                "it is not of the form https://host or http://host:port",
                remedy=_REMEDY,
            )
        secure = address.scheme == "https"
        session = odoorpc.ODOO(
            address.hostname,
            protocol="jsonrpc+ssl" if secure else "jsonrpc",
            port=address.port or (443 if secure else 80),
            timeout=self._timeout,
            opener=_opener(address.hostname),
        )
        session.login(self.database, self.user, self._password)
        return session

    def _execute(
        self, model: str, method: str, arguments: list[Any], options: Mapping[str, Any]
    ) -> Any:
        session = self._logged_in()
        self.calls += 1
        return self._guarded(
            f"{model}.{method} in Odoo database {self.database}",
            lambda: session.execute_kw(model, method, arguments, dict(options)),
        )

    def _guarded(self, tried: str, call: Any) -> Any:
        try:
            return call()
        except odoorpc.error.RPCError as error:
            raise _failure(tried, error) from error
        except urllib.error.HTTPError as error:
            raise _http_failure(tried, error) from error
        except (OSError, http.client.HTTPException) as error:
            # URLError and socket timeouts are OSErrors too.
            raise Unreachable(tried, f"no answer: {error}", remedy=_REMEDY) from error
        except (ValueError, odoorpc.error.Error) as error:
            raise ContractBreach(tried, f"no answer of Odoo's: {error}", remedy=_REMEDY) from error


def _opener(host: str) -> OpenerDirector:
    """An opener with the environment's proxy, except for an Odoo on this machine."""
    handlers = [ProxyHandler({})] if host in _LOOPBACK else []
    return build_opener(*handlers, HTTPCookieProcessor(CookieJar()))


_BY_NAME: Mapping[str, type[Failure]] = {
    "odoo.exceptions.AccessError": NotAllowed,
    "odoo.exceptions.AccessDenied": NotAllowed,
    "psycopg2.errors.UniqueViolation": TransientFailure,
    "psycopg2.errors.SerializationFailure": TransientFailure,
    "psycopg2.errors.LockNotAvailable": TransientFailure,
    "psycopg2.errors.DeadlockDetected": TransientFailure,
    "psycopg2.OperationalError": Unreachable,
    "odoo.exceptions.ConcurrencyError": TransientFailure,
}


def _failure(tried: str, error: Any) -> Failure:
    message = " ".join(str(error).split())
    info = error.info if isinstance(error.info, dict) else {}
    name = str(info.get("data", info).get("name", "")) if info else ""
    if "Wrong login" in message:
        return NotAllowed(tried, message, remedy=_REMEDY)
    if re.search(r"database .* does not exist", message):
        return NotPrepared(tried, message, remedy=_REMEDY)
    if re.search(r"Object .* doesn't exist|Invalid field '?user_\w+_lock_date", message):
        return NotPrepared(tried, message, remedy="install the app Invoicing in this Odoo database")
    # Not anywhere in it: an error within the server action quotes the action's whole code.
    if message.startswith("already written by another"):
        return TransientFailure(tried, message)
    if message.startswith(REFUSED):
        return Busy(tried, message, remedy=WHEN_ANOTHER_WRITES)
    return _BY_NAME.get(name, PermanentFailure)(tried, message or name)


def _http_failure(tried: str, error: urllib.error.HTTPError) -> Failure:
    message = f"HTTP {error.code} {error.reason}"
    if error.code == http.client.TOO_MANY_REQUESTS:
        return Throttled(tried, message)
    if error.code >= http.client.INTERNAL_SERVER_ERROR:
        return Unreachable(tried, message)
    return NotPrepared(tried, f"{message}: there is no Odoo at this address", remedy=_REMEDY)
