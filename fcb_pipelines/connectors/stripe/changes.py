"""Stripe's lists brought up to date from what changed, instead of being read whole.

What is read: the events since the last mark, what was created since, every draft and open invoice, and
the newest objects that are known already. An object that an event names is read anew. So a list of
100,000 with 100 changes among the newest costs some twenty calls; one old object costs one.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import quote

from fcb_pipelines.connectors.failures import Failure, NotFound
from fcb_pipelines.connectors.retry import Pace
from fcb_pipelines.connectors.sources import Known, ListInFull
from fcb_pipelines.connectors.stripe.client import PAGE_SIZE, StripeReader
from fcb_pipelines.connectors.stripe.events import Mark, mark_of, newest_event, poll
from fcb_pipelines.connectors.sweep import Sweep
from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.stripe.lists import Objects, created_at, lists_of, newest_first

# So many of the newest known objects must come again on their list.
_NEWEST = 50
# An invoice in these states may change without an event; there are few of them at a time.
_NOT_FINAL = ("draft", "open")
_PREFIX = "/v1/"

# Links that differ in every answer and open the document to whoever holds them: no evidence.
_LINKS = frozenset({"hosted_invoice_url", "invoice_pdf", "pdf", "confirmation_secret"})

Progress = Callable[[int], None]


def without_links(each: Json) -> Json:
    """An object without what differs in every answer."""
    return {key: value for key, value in each.items() if key not in _LINKS}


class WholeLists:
    """The lists of Stripe as they are read, kept by name.

    `mark` is where the next reading goes on; None where it can't, for the reason `detail`. `seen` are the
    events before it that were acted on. `changes` counts the documents that an incremental reading
    found to be new, read again and gone.
    """

    mark: Mark | None = None
    seen: tuple[str, ...] = ()
    detail: str = ""
    changes: Mapping[str, int] | None = None

    def __init__(self, reader: StripeReader) -> None:
        self._reader = reader
        self.pace: Pace = reader.pace
        self.read: dict[str, tuple[Json, ...]] = {}

    def sweep(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Sweep:
        """Every object of a list, without its links."""
        swept = self._swept(path, params or {}, progress)
        items = tuple(map(without_links, swept.items))
        self.read[path.removeprefix(_PREFIX)] = items
        return replace(swept, items=items)

    def _swept(self, path: str, params: Mapping[str, Any], progress: Progress | None) -> Sweep:
        return self._reader.sweep(path, params, progress)


class MarkedLists(WholeLists):
    """The lists read whole; the mark is from before, so that what changes meanwhile is told after it."""

    def __init__(self, reader: StripeReader) -> None:
        super().__init__(reader)
        found = newest_event(reader)
        if isinstance(found, str):
            self.detail = found
        else:
            self.mark, self.seen = found, (found.newest,)


class ChangedLists(WholeLists):
    """The same lists from what is known and what changed since. Raises ListInFull where that is lost.

    Tax rates and late failures are few, and no event tells of a failure: they are read whole.
    """

    def __init__(self, reader: StripeReader, known: Known) -> None:
        super().__init__(reader)
        before = mark_of(known.mark)
        polled = poll(reader, before, frozenset(known.rest.get("events", ())))
        self.mark, self.seen = polled.mark, polled.seen
        self.changes = self._counted = Counter(new=0, read_again=0, gone=0)
        self._since = before.since
        self._named = polled.named
        self._known = lists_of((one.body for one in known.documents), known.rest)

    def _swept(self, path: str, params: Mapping[str, Any], progress: Progress | None) -> Sweep:
        name = path.removeprefix(_PREFIX)
        if name not in self._known:
            return super()._swept(path, params, progress)
        update = _Update(self._reader, path, params, self._known[name])
        objects = update.carried_out(self._since, self._named[name])
        if progress:
            progress(len(objects))
        if name in ("invoices", "credit_notes"):
            self._counted.update(update.counts)
        return Sweep(
            items=tuple(newest_first(objects).values()),
            pages=update.pages,
            problem="; ".join(update.problems) or None,
        )


class _Update:
    """One list, from the objects `known` of it."""

    def __init__(
        self, reader: StripeReader, path: str, params: Mapping[str, Any], known: Objects
    ) -> None:
        self.pages = 0
        self.problems: list[str] = []
        self.counts: dict[str, int] = {}
        self._reader = reader
        self._path = path
        self._params = params
        self._known = known

    def carried_out(self, since: int, named: Collection[str]) -> Objects:
        """The list of now. `named` are the ids that events name since the time `since`."""
        floor = min([since, *(created_at(each) for each in islice(self._known.values(), _NEWEST))])
        came = self._listed({"created[gte]": floor})
        open_again: Objects = {}
        if self._path == "/v1/invoices":
            for status in _NOT_FINAL:
                open_again |= self._listed({"status": status})
        # What should have come and did not is gone, closed, or left out of a page.
        missed = {
            each["id"]
            for each in self._known.values()
            if created_at(each) >= floor or each.get("status") in _NOT_FINAL
        }
        came |= open_again
        wanted = {*named, *missed} - came.keys()
        again = self._read_again(wanted)
        gone = {one for one in wanted if one in self._known and one not in again}
        # A page that is read again has neighbours too, which came already.
        lost = {one for one in missed & wanted & again.keys() if created_at(again[one]) >= floor}
        self.problems += [f"{self._path} lacks {one}, which exists" for one in sorted(lost)]
        came |= again
        new = {one: each for one, each in came.items() if one not in self._known}
        self.problems += [
            f"{self._path}: {one} is older than the last sync, and was on no list of it"
            for one, each in sorted(new.items())
            if created_at(each) < since and one not in named
        ]
        kept = {one: each for one, each in self._known.items() if one not in gone}
        self.counts = {
            "new": len(new),
            "read_again": len(came) - len(new),
            "gone": len(gone),
        }
        return kept | came

    def _listed(self, filters: Mapping[str, Any]) -> Objects:
        swept = self._reader.sweep(self._path, {**self._params, **filters})
        self.pages += swept.pages
        if swept.problem:
            self.problems.append(swept.problem)
        return {each["id"]: each for each in swept.items}

    def _read_again(self, ids: Collection[str]) -> Objects:
        """These objects as they are now; one that the source no longer has is left out."""
        found: Objects = {}
        alone = set(ids) - self._known.keys()
        created = {one: created_at(each) for one, each in self._known.items()}
        for group in _on_one_page(set(ids) & self._known.keys(), created):
            if len(group) == 1:
                alone.update(group)
                continue
            first, last = created[group[0]], created[group[-1]]
            page = self._listed({"created[gte]": first, "created[lte]": last})
            found |= page
            alone.update(set(group) - page.keys())
        for one in sorted(alone):
            try:
                found[one] = self._reader.get(f"{self._path}/{quote(one, safe='')}", self._alone())
            except NotFound:
                continue
            except Failure as failure:
                # The full list may have what its own page does not give.
                raise ListInFull(f"{one} could not be read alone: {failure}") from failure
        return found

    def _alone(self) -> dict[str, Any]:
        """The list's parameters for one object of it."""
        expand = [name.removeprefix("data.") for name in self._params.get("expand", ())]
        return {"expand": expand} if expand else {}


def _on_one_page(ids: Collection[str], created: Mapping[str, int]) -> Iterator[list[str]]:
    """The ids in groups, oldest first, each group near enough in time to be on one page of the list."""
    times = sorted(created.values())
    group: list[str] = []
    for one in sorted(ids, key=lambda each: (created[each], each)):
        if group:
            between = bisect_right(times, created[one]) - bisect_left(times, created[group[0]])
            if between > PAGE_SIZE:
                yield group
                group = []
        group.append(one)
    if group:
        yield group
