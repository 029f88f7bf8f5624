"""Changes to the books as edits of text, so that the text around them stays as a person wrote it."""

Place = tuple[str, int]
"""A file (relative to the books) and a line, from 1."""


class Changes:
    """Changes of text in several files; line numbers are those of the files as loaded."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[int, tuple[str, list[str]]]] = {}
        self._appended: dict[str, list[str]] = {}
        self.removing: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._lines or self._appended)

    def files(self) -> tuple[str, ...]:
        """The files that change, those that lose an entry first."""
        names = dict.fromkeys([*self._lines, *self._appended])
        return tuple(sorted(names, key=lambda name: name not in self.removing))

    def append(self, name: str, text: str) -> None:
        """Add an entry at the end of a file, after an empty line."""
        self._appended.setdefault(name, []).append(text)

    def reflag(self, place: Place) -> None:
        """Post the draft that begins at this place."""
        self._lines.setdefault(place[0], {})[place[1]] = ("reflag", [])

    def remove(self, place: Place) -> None:
        """Remove the entry that begins at this place, to its last indented line."""
        self.removing.add(place[0])
        self._lines.setdefault(place[0], {})[place[1]] = ("remove", [])

    def extend(self, place: Place, rows: list[str]) -> None:
        """Add metadata rows to the directive that begins at this place."""
        self._lines.setdefault(place[0], {})[place[1]] = ("extend", rows)

    def annotate(self, place: Place, link: str, rows: list[str]) -> None:
        """Add a link and metadata rows to the head of the entry that begins at this place."""
        self._lines.setdefault(place[0], {})[place[1]] = ("annotate", [link, *rows])

    def applied(self, name: str, text: str) -> str:
        """The text of one file after its changes."""
        lines = text.split("\n")
        edits = self._lines.get(name, {})
        for number in sorted(edits, reverse=True):
            _edit(lines, number - 1, *edits[number])
        body = "\n".join(lines).rstrip("\n")
        parts = ([body] if body else []) + self._appended.get(name, [])
        return "\n\n".join(parts) + "\n"


def _edit(lines: list[str], start: int, edit: str, rows: list[str]) -> None:
    end = start + 1
    while end < len(lines) and lines[end][:1].isspace() and lines[end].strip():
        end += 1
    if edit == "reflag":
        day, _, rest = lines[start].partition("!")
        lines[start] = f"{day}*{rest}"
    elif edit == "remove":
        # The empty line that follows goes with the entry.
        if end < len(lines) and not lines[end].strip():
            end += 1
        del lines[start:end]
    elif edit == "annotate":
        link, *added = rows
        lines[start : start + 1] = [f"{lines[start].rstrip()} {link}", *added]
    else:
        keys = tuple(row.split(":", 1)[0].strip() + ":" for row in rows)
        kept = [line for line in lines[start + 1 : end] if not line.strip().startswith(keys)]
        lines[start + 1 : end] = [*kept, *rows]
