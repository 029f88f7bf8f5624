"""The shapes of requests and answers. Amounts are integer minor units; moments are RFC 3339 with an offset."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from fcb_pipelines.core.codes import ExceptionCode, Kind, Reason, Status, Verdict
from fcb_pipelines.core.intake.identity import LinkState, PendingReason
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState
from fcb_pipelines.core.metering.cycles import CycleLength

_MOMENT = re.compile(
    r"(?:20[0-9]{2})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_QUANTITY = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$"
REF_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,399}$"
PERIOD_PATTERN = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a moment with an offset is expected, as 2026-04-03T00:00:00-04:00")
    return datetime.fromisoformat(value).astimezone(UTC)


def _quantity(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
        return Decimal(value)
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return Decimal(value)
    raise ValueError('a whole number, or a decimal as text, is expected, as 3100 or "12.50"')


def _number(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,18}", value):
        raise ValueError("a whole number is expected")
    return value


def _shown(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(_shown, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_MOMENT.pattern}$"}),
]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_quantity),
    PlainSerializer(lambda value: f"{value:f}", return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "exclusiveMaximum": 10**15},
                {"type": "string", "pattern": f"^{_QUANTITY.pattern}$"},
            ]
        }
    ),
]
Id = Annotated[str, StringConstraints(strict=True, pattern=ID_PATTERN)]
Word = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Text = Annotated[
    str, StringConstraints(strict=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Email = Annotated[
    str, StringConstraints(strict=True, max_length=200, pattern=r"^[!-?A-~]+@[!-?A-~]+$")
]
Minor = Annotated[int, Field(description="Minor units of the currency.")]


class Shape(BaseModel):
    """The base of every shape: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


class Paging(Shape):
    """How much of a list to answer."""

    limit: Annotated[int, BeforeValidator(_number)] = Field(100, ge=1, le=1000)


class UsageQuery(Paging):
    """Which records to list: those that count, or those that were refused."""

    state: Literal["counted", "refused"] = "counted"
    subscription_id: Id | None = None
    metric: Word | None = None
    period: Annotated[str, StringConstraints(pattern=PERIOD_PATTERN)] | None = None
    after: Annotated[int, BeforeValidator(_number)] = Field(0, ge=0, lt=2**62)


class InvoiceQuery(Paging):
    """Which documents to list."""

    period: Annotated[str, StringConstraints(pattern=PERIOD_PATTERN)] | None = None
    after: Annotated[str, StringConstraints(pattern=REF_PATTERN)] | None = None


class UsageRecord(Shape):
    """One measured window of one subscription, under a key of the service's own."""

    model_config = _example(
        key="2026-04-03/sub_81", subscription_id="sub_81", metric="api_calls",
        period_start="2026-04-03T00:00:00-04:00", period_end="2026-04-04T00:00:00-04:00",
        quantity=3100000,
    )  # fmt: skip

    key: Id = Field(description="The record's own key (idempotency key): the same one replaces.")
    subscription_id: Id
    metric: Word = Field(description="A metric of the service, as configured.")
    period_start: Moment
    period_end: Moment = Field(description="After the start.")
    quantity: Quantity
    item: Text | None = Field(None, description="The thing counted, for metrics that count things.")
    recorded_at: Moment | None = Field(
        None, description="When the service recorded it; without, the receipt counts."
    )


class UsageBatch(Shape):
    """Records of usage. Either all of them are well-formed, or none is kept."""

    usage: list[UsageRecord] = Field(min_length=1)


class RefusedRecord(Shape):
    """One record of the batch that does not count."""

    index: int = Field(description="Its place in the batch, from 0.")
    key: str
    reason: str


class UsageReceipt(Shape):
    """What became of a batch. `refused` records are kept and listed, and do not count."""

    request_id: str
    accepted: int
    replaced: int
    unchanged: int
    refused: list[RefusedRecord]


class KeptUsage(Shape):
    """One record as it is kept."""

    number: int
    key: str
    subscription_id: str
    metric: str
    period_start: Moment
    period_end: Moment
    quantity: Quantity
    item: str | None
    recorded_at: Moment
    refused: str | None


class UsagePage(Shape):
    """Some kept records; `next` goes into `after` for those that follow, null at the end."""

    usage: list[KeptUsage]
    next: int | None


class CustomerSent(Shape):
    """One customer of the service."""

    model_config = _example(
        id="cust_7", email="books@maple.example", name="Jane Maple", company="Maple Bakery"
    )

    id: Id
    email: Email | None = None
    name: Text | None = None
    company: Text | None = Field(None, description="The company that it names; none for a person.")


class Partner(Shape):
    """A partner of the ledger."""

    id: str
    name: str


class CustomerLink(Shape):
    """The customer's partner in the ledger, or why it has none yet."""

    state: LinkState
    partner: Partner | None
    reason: PendingReason | None
    detail: str | None


class CustomerAnswer(CustomerSent):
    """The customer as it is kept, and its link."""

    link: CustomerLink


class SubscriptionStatus(StrEnum):
    """The status of a subscription, in Stripe's words."""

    ACTIVE = "active"
    TRIALING = "trialing"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"


class SubscriptionContent(Shape):
    """What a subscription is now. The moments bound its present cycle."""

    model_config = _example(
        customer_id="cust_7", plan_id="plan_business", status="active", billing_cycle="monthly",
        current_period_start="2026-05-01T00:00:00-04:00", current_period_end="2026-06-01T00:00:00-04:00",
    )  # fmt: skip

    customer_id: Id
    plan_id: Id
    status: SubscriptionStatus
    billing_cycle: CycleLength
    current_period_start: Moment | None = None
    current_period_end: Moment | None = None
    source_subscription_id: Id | None = Field(
        None,
        description="The subscription at the billing source that bills it, as sub_… of Stripe.",
    )


class SubscriptionSent(SubscriptionContent):
    """A subscription with its id."""

    model_config = _example(
        id="sub_81", customer_id="cust_7", plan_id="plan_business", status="active",
        billing_cycle="monthly", current_period_start="2026-05-01T00:00:00-04:00",
        current_period_end="2026-06-01T00:00:00-04:00", source_subscription_id="sub_1Qx8Ab",
    )  # fmt: skip

    id: Id


class Plan(Shape):
    """One plan of the service; prices are in major units, null where none is set."""

    id: str
    name: str
    active: bool
    price_monthly: Quantity | None
    price_yearly: Quantity | None
    problem: str | None


class Plans(Shape):
    """The plans of the service, as last extracted."""

    plans: list[Plan]


class Invoice(Shape):
    """One document of the service, as verified at its source and as the ledger answers it.

    Of a service whose documents are not posted here, `disposition` is `skip` and `state` is `none`.
    """

    ref: str
    number: str
    kind: Kind
    period: str | None
    date: date | None
    customer_id: str | None
    subscription_id: str | None
    status: Status | None
    currency: str
    net: Minor
    tax: Minor
    total: Minor
    owed: Minor | None = Field(description="Still owed at the source.")
    disposition: Verdict
    reason: Reason | Literal["other_service"] | None
    exceptions: list[ExceptionCode]
    state: MoveState
    payment_state: PaymentState | None
    residual: Minor | None = Field(description="Still open in the ledger.")
    ledger_number: str | None


class Invoices(Shape):
    """Some documents; `next` goes into `after` for those that follow, null at the end."""

    invoices: list[Invoice]
    next: str | None


class Health(Shape):
    """Whether the intake can keep what it is sent."""

    status: Literal["ok"]


class WrongField(Shape):
    """One field that is wrong, and how."""

    field: str
    problem: str


class Problem(Shape):
    """What went wrong, with the fields that are wrong."""

    code: str
    message: str
    fields: list[WrongField]
    request_id: str


class ProblemAnswer(Shape):
    """Every answer that is no success."""

    error: Problem
