"""The source port: the calls that the pipeline needs of any billing source, and no others.

Stripe and Lago implement it (`connectors.stripe.source`, `connectors.lago.source`). A body is passed on as
the source sent it, whole and self-contained; `core.facts.stripe.documents` and
`core.facts.lago.documents` interpret it. Nothing here writes to a source.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from fcb_pipelines.core.codes import Kind

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBody:
    """One document as its source sent it.

    `id` is the source's own (`in_…`, `cn_…`, a lago_id), unique over both kinds. `body` is JSON
    (numbers with a fraction are Decimal, never float) and holds everything the facts need.
    """

    id: str
    kind: Kind
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """An id that was asked for and not delivered.

    `does_not_exist` is the source's own answer (404); with `unreachable` the document may well exist.
    """

    id: str
    reason: Literal["does_not_exist", "unreachable"]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Every document that the source has, in the order of its answer.

    `problem` says why the list may not be whole (a page lost or repeated, counts that differ); it is
    None for a list that was proved whole. `calls` counts HTTP requests.
    """

    documents: tuple[SourceBody, ...]
    pages: int
    calls: int
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """A source as found: account, version, mode and the number of objects by kind.

    `problems` stop a sync; `warnings` name what should be changed and stop nothing.
    """

    name: str
    account: str
    version: str
    livemode: bool
    counts: Mapping[str, int]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an index has of a source: its `documents`, and the `rest` and `mark` that came with them."""

    documents: Sequence[SourceBody]
    rest: Body
    mark: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A list from which the next reading can go on.

    `rest` has what is needed then beside the documents, as the objects that none of them has. `mark` is the source's place in its changes, from
    before the list was read; it is None where the source tells none, for the reason `detail`.
    `changes` counts what an incremental reading found: documents `new`, `read_again` and `gone`.
    """

    listing: Listing
    rest: Body
    mark: Body | None
    detail: str = ""
    changes: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceList:
    """The transactions, or the payouts, that a source lists for a span of time, newest first.

    `claims` has the transactions of each payout by its id, where the source can say (C12). `problem` says
    why the list may not be whole. `calls` counts HTTP requests.
    """

    bodies: tuple[Body, ...]
    calls: int
    claims: Mapping[str, tuple[Body, ...]] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReport:
    """The balance as the source reports it, and the newest transactions when it was read.

    `is_sure`: none came between the readings before and after it.
    """

    body: Body
    newest: tuple[Body, ...]
    is_sure: bool
    calls: int


class ListInFull(Exception):
    """What changed since a mark can't be told for sure; the text says why."""


class Source(Protocol):
    """One billing source, read only.

    All raise `connectors.failures` errors when the source as a whole can't answer:
    TransientFailure when the same call may succeed later, PermanentFailure when it can't. A fault
    of one document is an `Absent`, never an exception.
    """

    name: str

    def listing(self, progress: Callable[[int], None] | None = None) -> Listing:
        """The full list, 100 a page; `progress` is called with the number of documents so far."""
        ...

    def ask(self, ids: Collection[str]) -> tuple[SourceBody | Absent, ...]:
        """These documents by id, complete, one answer for each id in the order given."""
        ...

    def complete(self, bodies: Sequence[SourceBody]) -> tuple[SourceBody | Absent, ...]:
        """The same bodies with the parts that a list leaves out (further lines, payments, fees).

        A complete body costs no call. One answer for each body, in order.
        """
        ...

    def newest(self) -> str:
        """A digest of the newest page: it differs once something there is new or changed."""
        ...

    def describe(self) -> SourceDescription:
        """The source as found: account, version, counts and problems. Never raises a Failure."""
        ...


@runtime_checkable
class KeepsBalance(Protocol):
    """A source that also keeps a balance of money: what moved in it, and what it paid out.

    Times are Unix instants; a span has its beginning and not its end. Bodies have of a payer only what the
    facts need: no name, no address, no card. The failures are those of `Source`.
    """

    def transactions(self, begin: int, end: int) -> BalanceList:
        """Every transaction that was created in the span."""
        ...

    def payouts(
        self, begin: int, end: int, known: Mapping[str, tuple[Body, ...]] | None = None
    ) -> BalanceList:
        """Every payout that was created in the span, with its transactions.

        `known` are those of payouts that were read before: they change no more, and are not asked for again.
        """
        ...

    def balance(self) -> BalanceReport:
        """The balance as it is reported now."""
        ...

    def balance_problems(self) -> tuple[str, ...]:
        """What keeps the balance from being read with this key, in words; one call for each right it needs."""
        ...


@runtime_checkable
class Incremental(Protocol):
    """A source that can tell what changed, beside its full list."""

    @property
    def form(self) -> str:
        """A text that differs once what was read before can't be gone on from."""
        ...

    def follow(
        self, known: Known | None, progress: Callable[[int], None] | None = None
    ) -> Followed:
        """The full list (`known` is None), or the same list by reading only what changed since.

        Raises ListInFull where the second can't be done.
        """
        ...


@runtime_checkable
class Subscribing(Protocol):
    """A source that can list its subscriptions, those that ended too. Only events need them."""

    def subscriptions(self) -> tuple[Body, ...]:
        """Every subscription as the source sent it. Raises Unreachable where the list is not whole."""
        ...
