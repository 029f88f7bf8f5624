"""Customers and subscriptions as services handed them in. A change is one more version; the last counts."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.connectors.failures import NotFound
from fcb_pipelines.connectors.intake.schema import CUSTOMERS, SUBSCRIPTIONS, WRITING, new_schema
from fcb_pipelines.connectors.store.own_postgres import transaction
from fcb_pipelines.core.company.services import ServiceCustomer, Subscription, email_key
from fcb_pipelines.core.intake.identity import Account

ENDED = "canceled"
_CUSTOMER = "service, customer_id, email, name, company"
_SUBSCRIPTION = (
    "service, subscription_id, customer_id, plan_id, status, billing_cycle, current_period_start, "
    "current_period_end, source_subscription_id"
)


class AlreadyThere(NotFound):
    """A subscription of this id exists with other content: it is changed, not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedCustomer:
    """One customer of one service."""

    service: str
    id: str
    email: str | None = None
    name: str | None = None
    company: str | None = None

    @property
    def account(self) -> Account:
        """It as the rules of identity know it."""
        shown = self.company or self.name or self.email or self.id
        email = email_key(self.email)
        customer = ServiceCustomer(
            service=self.service, id=self.id, name=shown, emails=(email,) if email else ()
        )
        return Account(customer=customer, company=self.company)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedSubscription:
    """One subscription of one service; the moments bound its present cycle, in UTC.

    `source_subscription_id` is its subscription at the billing source, where the service names it.
    """

    service: str
    id: str
    customer_id: str
    plan_id: str
    status: str
    billing_cycle: str
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    source_subscription_id: str | None = None

    @property
    def subscription(self) -> Subscription:
        """It as the dual run knows it."""
        return Subscription(
            service=self.service,
            id=self.id,
            customer=self.customer_id,
            plan_id=self.plan_id,
            status=self.status,
            billing_cycle=self.billing_cycle,
            start=self.current_period_start,
            end=self.current_period_end,
            at_source=self.source_subscription_id,
        )


class HandedStore:
    """Customers and subscriptions in one database. All methods raise Unreachable or NotAllowed."""

    def __init__(self, postgres_url: str) -> None:
        self._url = postgres_url
        self._schema = new_schema()

    def put_customer(self, customer: HandedCustomer, *, request_id: str) -> bool:
        """Make the customer, or change it; whether it is new."""
        with self._writing(f"keeping customer {customer.id}") as connection:
            known = _customers(connection, [customer.service], customer.id)
            if (customer,) != known:
                with connection.cursor() as cursor:
                    cursor.execute(
                        f"insert into {CUSTOMERS} ({_CUSTOMER}, request_id) "  # noqa: S608 - constants
                        "values (%s, %s, %s, %s, %s, %s)",
                        (
                            customer.service, customer.id, customer.email, customer.name,
                            customer.company, request_id,
                        ),
                    )  # fmt: skip
        return not known

    def customer(self, service: str, customer_id: str) -> HandedCustomer | None:
        """One customer of the service; None where it handed in none of this id."""
        with self._reading("reading a customer") as connection:
            found = _customers(connection, [service], customer_id)
        return found[0] if found else None

    def customers(self, services: Collection[str]) -> tuple[HandedCustomer, ...]:
        """The customers of these services, by service and id."""
        with self._reading("reading customers") as connection:
            return _customers(connection, services)

    def erase(self, words: Collection[str], *, really: bool) -> int:
        """The number of kept versions with a text of the customers whose id or email is one of the words.

        With `really` the texts of those versions are removed; ids stay.
        """
        where = (
            f"from {CUSTOMERS} kept where coalesce(kept.email, kept.name, kept.company) is not null "
            f"and exists (select from {CUSTOMERS} c where c.service = kept.service "
            "and c.customer_id = kept.customer_id and (c.customer_id = any(%(words)s) "
            "or lower(trim(c.email)) = any(%(emails)s)))"
        )
        values = {"words": list(words), "emails": [email_key(word) for word in words]}
        with self._writing("erasing a customer") as connection, connection.cursor() as cursor:
            cursor.execute(f"select kept.id {where}", values)
            numbers = [row[0] for row in cursor.fetchall()]
            if really:
                cursor.execute(
                    f"update {CUSTOMERS} set email = null, name = null, company = null "  # noqa: S608 - a constant
                    "where id = any(%s)",
                    (numbers,),
                )
        return len(numbers)

    def make_subscription(self, subscription: HandedSubscription, *, request_id: str) -> bool:
        """Make the subscription; whether it is new. Raises AlreadyThere where one with other content is."""
        tried = f"making subscription {subscription.id}"
        with self._writing(tried) as connection:
            known = _subscriptions(connection, [subscription.service], subscription.id)
            if known and known != (subscription,):
                raise AlreadyThere(tried, "it exists with other content")
            if not known:
                _insert(connection, subscription, request_id)
        return not known

    def change_subscription(self, subscription: HandedSubscription, *, request_id: str) -> None:
        """Change the subscription. Raises NotFound where there is none."""
        with self._writing(f"changing subscription {subscription.id}") as connection:
            known = _one(connection, subscription.service, subscription.id)
            if known != subscription:
                _insert(connection, subscription, request_id)

    def end_subscription(
        self, service: str, subscription_id: str, at: datetime, *, request_id: str
    ) -> HandedSubscription:
        """End the subscription at that moment; one that has ended stays so. Raises NotFound."""
        with self._writing(f"ending subscription {subscription_id}") as connection:
            known = _one(connection, service, subscription_id)
            if known.status == ENDED:
                return known
            ended = HandedSubscription(
                service=service,
                id=subscription_id,
                customer_id=known.customer_id,
                plan_id=known.plan_id,
                status=ENDED,
                billing_cycle=known.billing_cycle,
                current_period_start=known.current_period_start,
                current_period_end=at,
                source_subscription_id=known.source_subscription_id,
            )
            _insert(connection, ended, request_id)
        return ended

    def subscription(self, service: str, subscription_id: str) -> HandedSubscription:
        """One subscription of the service. Raises NotFound where it handed in none of this id."""
        with self._reading("reading a subscription") as connection:
            return _one(connection, service, subscription_id)

    def subscriptions(self, services: Collection[str]) -> tuple[HandedSubscription, ...]:
        """The subscriptions of these services, by service and id."""
        with self._reading("reading subscriptions") as connection:
            return _subscriptions(connection, services)

    def _reading(self, tried: str) -> AbstractContextManager[Connection]:
        return transaction(self._url, tried, self._schema.bring_up)

    def _writing(self, tried: str) -> AbstractContextManager[Connection]:
        """A transaction in which writers take turns."""
        return transaction(self._url, tried, self._in_turn)

    def _in_turn(self, connection: Connection) -> None:
        self._schema.bring_up(connection)
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (WRITING,))


def _customers(
    connection: Connection, services: Collection[str], customer_id: str | None = None
) -> tuple[HandedCustomer, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select distinct on (service, customer_id) {_CUSTOMER} from {CUSTOMERS} "  # noqa: S608 - constants
            "where service = any(%s) and (%s::text is null or customer_id = %s) "
            "order by service, customer_id, id desc",
            (sorted(services), customer_id, customer_id),
        )
        return tuple(
            HandedCustomer(service=row[0], id=row[1], email=row[2], name=row[3], company=row[4])
            for row in cursor.fetchall()
        )


def _subscriptions(
    connection: Connection, services: Collection[str], subscription_id: str | None = None
) -> tuple[HandedSubscription, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select distinct on (service, subscription_id) {_SUBSCRIPTION} from {SUBSCRIPTIONS} "  # noqa: S608 - constants
            "where service = any(%s) and (%s::text is null or subscription_id = %s) "
            "order by service, subscription_id, id desc",
            (sorted(services), subscription_id, subscription_id),
        )
        return tuple(map(_read, cursor.fetchall()))


def _one(connection: Connection, service: str, subscription_id: str) -> HandedSubscription:
    found = _subscriptions(connection, [service], subscription_id)
    if not found:
        raise NotFound(f"looking up subscription {subscription_id}", "there is none of this id")
    return found[0]


def _read(row: Sequence[object]) -> HandedSubscription:
    names = HandedSubscription.__slots__
    values: dict[str, object] = dict(zip(names, row, strict=True))
    return HandedSubscription(**values)  # type: ignore[arg-type] # the columns are its fields, in order


def _insert(connection: Connection, one: HandedSubscription, request_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into {SUBSCRIPTIONS} ({_SUBSCRIPTION}, request_id) "  # noqa: S608 - constants
            "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                one.service, one.id, one.customer_id, one.plan_id, one.status, one.billing_cycle,
                one.current_period_start, one.current_period_end, one.source_subscription_id, request_id,
            ),
        )  # fmt: skip
