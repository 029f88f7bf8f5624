"""What a file of the books names, and whether it can be read apart, found in its text.

The text is searched by line, without Beancount's parser, which takes many times as long. Where the
search can't be sure, the file is one that is read with the whole books: no name is ever left out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

HOLDS = "external_id"
KEYS = (HOLDS, "document", "drawn_on", "settles", "reverses", "undoes")
"""The metadata by which an entry carries its own id and names others."""

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


class _NotUnderstood(Exception):
    """A line after which nothing is certain."""


_WHOLE = Scan(shape=Shape.WHOLE)
_STARTS = tuple(f"{key}:" for key in KEYS)
_ROW = re.compile(r'([a-z_]+):[ \t]*"([^"\\]*)"[ \t]*(?:;.*)?\r?$')
_DIRECTIVE = re.compile(r"\d{4}[-/]\d\d?[-/]\d\d?[ \t]+(\S+)")
# Another plugin than ours may look at every entry.
_TOP = re.compile(r'option[ \t]|plugin[ \t]+"fcb_pipelines\.connectors\.beancount_plugin"[ \t]*$')

_SHAPES = {
    **dict.fromkeys(("txn", "note", "event", "query", "price", "document"), Shape.APART),
    **dict.fromkeys(("open", "close", "commodity", "custom"), Shape.SHARED),
}


def scan(text: str, *, top: bool = False) -> Scan:
    """Search one file's text; `top`: the file that has the options and includes.

    A balance assertion needs every entry before it, a pushed tag or an include reaches beyond its line:
    a file with such a directive, or with a line that is not understood, is of `Shape.WHOLE`.
    """
    lines = text.split("\n")
    if top:
        lines = [line.rstrip() for line in lines]
        if MONTHS not in lines:
            return _WHOLE
        lines = [line for line in lines if not _is_of_the_top(line)]
    try:
        return _search(lines)
    except _NotUnderstood:
        return _WHOLE


def _is_of_the_top(line: str) -> bool:
    include = INCLUDE.match(line)
    if include:
        return not include[1].removeprefix("./").startswith("journal")
    return line == MONTHS or _TOP.match(line) is not None


def _search(lines: Iterable[str]) -> Scan:
    shape, entry = Shape.APART, 0
    mentions: list[Mention] = []
    for line in lines:
        first, row = line[:1], line.lstrip()
        if row[:1] in ("", ";"):
            continue
        if first.isdigit():
            entry += 1
            if _shape(line) is Shape.SHARED:
                shape = Shape.SHARED
        elif not first.isspace():
            raise _NotUnderstood
        elif row.startswith(_STARTS):
            mentions.append(_mention(entry, row))
        # A text of several lines may look like anything.
        if (line.count('"') - line.count('\\"')) % 2:
            raise _NotUnderstood
    return Scan(shape=shape, mentions=tuple(mentions))


def _mention(entry: int, row: str) -> Mention:
    found = _ROW.match(row)
    if found is None:
        raise _NotUnderstood
    return Mention(entry=entry, name=found[2], holds=found[1] == HOLDS)


def _shape(line: str) -> Shape:
    """The shape of a directive; a flag is one mark."""
    found = _DIRECTIVE.match(line)
    if found is None:
        raise _NotUnderstood
    if len(found[1]) == 1:
        return Shape.APART
    if found[1] not in _SHAPES:
        raise _NotUnderstood
    return _SHAPES[found[1]]
