"""What a file of the books names, and whether it can be read apart, found in its text.

The text is searched by line, without Beancount's parser, which takes many times as long. Where the
search can't be sure, the file is one that is read with the whole books: no name is ever left out.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.ledger.cash import matching_key

HOLDS = "external_id"
OF_BALANCE = "statement_of"
KEYS = (
    *(HOLDS, "document", "drawn_on", "settles", "reverses", "undoes", "meets", "statement"),
    OF_BALANCE,
)
"""The metadata by which an entry carries its own id and names others; and a statement its currency."""

MONTHS = 'include "journal/*.beancount"'
INCLUDE = re.compile(r'include[ \t]+"([^"\\*?\[]+)"[ \t]*(?:;.*)?$')
"""The include of all months, and one of a file."""


class Shape(StrEnum):
    """How a file is read: with those that it shares an id with, each time, or with the whole books."""

    APART = "apart"
    SHARED = "shared"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """An external id in an entry (counted from the file's first): held by it, or named."""

    entry: int
    name: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One file's shape and what its entries mention; nothing for a file of `WHOLE`."""

    shape: Shape
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """The first line of a directive: its day, and its name or flag."""

    day: date
    directive: str


def balance_stated(day: date) -> str:
    """What a balance assertion of ours, dated on this day, is mentioned by. It sorts by the day."""
    return f"balance {day.isoformat()}"


def statement_of(currency: str, day: date) -> str:
    """What the statements of a currency that end on this day are mentioned by. It sorts by the day."""
    return f"{OF_BALANCE} {currency} {day.isoformat()}"


class _NotUnderstood(Exception):
    """A line after which nothing is certain."""


_WHOLE = Scan(shape=Shape.WHOLE)
_STARTS = tuple(f"{key}:" for key in KEYS)
_STATED = re.compile(r'record:[ \t]*"balance"[ \t]*(?:;.*)?\r?$')
_ROW = re.compile(r'([a-z_]+):[ \t]*"([^"\\]*)"[ \t]*(?:;.*)?\r?$')
_DIRECTIVE = re.compile(r"(\d{4})[-/](\d\d?)[-/](\d\d?)[ \t]+(\S+)")
# Another plugin than ours may look at every entry.
_TOP = re.compile(r'option[ \t]|plugin[ \t]+"fcb_pipelines\.connectors\.beancount_plugin"[ \t]*$')

_BALANCE = "balance"
_SHAPES = {
    **dict.fromkeys(("txn", "note", "event", "query", "price", "document", _BALANCE), Shape.APART),
    **dict.fromkeys(("open", "close", "commodity", "custom"), Shape.SHARED),
}


def scan(text: str, *, top: bool = False) -> Scan:
    """Search one file's text; `top`: the file that has the options and includes.

    A balance assertion needs every entry before it, a pushed tag or an include reaches beyond its line:
    a file with such a directive, or with a line that is not understood, is of `Shape.WHOLE`. An assertion of
    ours (`record: "balance"`) is none: who loads a part knows that it can't hold there (`loading`).
    """
    lines = text.split("\n")
    if top:
        lines = [line.rstrip() for line in lines]
        if MONTHS not in lines:
            return _WHOLE
        lines = [line for line in lines if not _is_of_the_top(line)]
    search = _Search()
    try:
        for line in lines:
            search.take(line)
    except _NotUnderstood:
        return _WHOLE
    return _WHOLE if search.asserted else Scan(shape=search.shape, mentions=tuple(search.mentions))


def _is_of_the_top(line: str) -> bool:
    include = INCLUDE.match(line)
    if include:
        return not include[1].removeprefix("./").startswith("journal")
    return line == MONTHS or _TOP.match(line) is not None


class _Search:
    """What the lines of a file say so far. `take` raises _NotUnderstood after which nothing is certain."""

    def __init__(self) -> None:
        self.shape = Shape.APART
        self.mentions: list[Mention] = []
        # The balance assertions that nothing says are ours, by their number.
        self.asserted: set[int] = set()
        self._entry = 0
        self._head = _Head(day=date.min, directive="")

    def take(self, line: str) -> None:
        """Take in the next line."""
        first, row = line[:1], line.lstrip()
        if row[:1] in ("", ";"):
            return
        if first.isdigit():
            self._begin(_head(line))
        elif not first.isspace():
            raise _NotUnderstood
        elif row.startswith(_STARTS):
            self._name(row)
        elif self._entry in self.asserted and _STATED.match(row):
            self.asserted.remove(self._entry)
            self._mention(balance_stated(self._head.day))
        # A text of several lines may look like anything.
        if (line.count('"') - line.count('\\"')) % 2:
            raise _NotUnderstood

    def _begin(self, head: _Head) -> None:
        self._entry, self._head = self._entry + 1, head
        if _shape(head) is Shape.SHARED:
            self.shape = Shape.SHARED
        if head.directive == _BALANCE:
            self.asserted.add(self._entry)

    def _name(self, row: str) -> None:
        """A row that names an id. A reversal of a settlement also names the key that it shares with it."""
        found = _ROW.match(row)
        if found is None:
            raise _NotUnderstood
        key, name = found.groups()
        if key == OF_BALANCE:
            name = statement_of(name, self._head.day)
        self._mention(name, holds=key == HOLDS)
        if key == HOLDS and matching_key(name) != name:
            self._mention(matching_key(name))

    def _mention(self, name: str, *, holds: bool = False) -> None:
        self.mentions.append(Mention(entry=self._entry, name=name, holds=holds))


def _head(line: str) -> _Head:
    found = _DIRECTIVE.match(line)
    if found is None:
        raise _NotUnderstood
    year, month, day, directive = found.groups()
    try:
        return _Head(day=date(int(year), int(month), int(day)), directive=directive)
    except ValueError as error:
        raise _NotUnderstood from error


def _shape(head: _Head) -> Shape:
    """The shape of a directive; a flag is one mark."""
    if len(head.directive) == 1:
        return Shape.APART
    if head.directive not in _SHAPES:
        raise _NotUnderstood
    return _SHAPES[head.directive]
