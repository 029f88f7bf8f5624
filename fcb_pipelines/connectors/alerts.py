"""Alerts by email, chat or webhook: Apprise sends them, to the destinations of one file of its own format.

    always = mailtos://user:password@mail.example.com?to=controller@example.com
    error = slack://token_a/token_b/token_c/#books

The tags say which severities a destination wants; `always` is all of them. Apprise is an optional extra
(`alerts`).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.close.alerts import Alert, Severity

_TAGS = (*(one.value for one in Severity), "always")


class Destinations:
    """The destinations of one file, opened and checked; `plain` says which hosts may be sent to in plain text.

    Raises NotPrepared where the extra or the file is missing, and ContractBreach, which names the line's
    destination without its secrets, where one is unknown, has no tag of ours, or would send in plain text
    to another host than these.
    """

    def __init__(self, file: Path, *, plain: Callable[[str], bool]) -> None:
        self._file = file
        try:
            import apprise
        except ModuleNotFoundError as missing:
            raise NotPrepared(
                f"reading {file}",
                f"{missing.name} is not installed",
                remedy="pip install 'fcb_pipelines[alerts]'",
            ) from missing
        try:
            content = file.read_text("utf-8")
        except OSError as error:
            raise NotPrepared(
                f"reading FCB_ALERTS, {file}", str(error.strerror), remedy="see docs/alerts.md"
            ) from error
        known = apprise.AppriseConfig()
        known.add_config(content, format="text")
        self._known: list[Any] = known.services()
        written = [
            line for line in content.splitlines() if line.strip() and line.strip()[0] not in "#;"
        ]
        if len(written) != len(self._known):
            raise ContractBreach(
                f"reading FCB_ALERTS, {file}",
                f"{len(written)} lines, and {len(self._known)} destinations that Apprise knows",
            )
        for one in self._known:
            self._assert_sound(one, plain)

    def names(self) -> tuple[str, ...]:
        """Each destination with its tags, secrets left out."""
        return tuple(
            f"{_name(one)} ({', '.join(sorted(map(str, one.tags)))})" for one in self._known
        )

    def send(self, alert: Alert) -> tuple[str, ...]:
        """Send to every destination that wants this severity; the names of those that did not take it."""
        return tuple(_name(one) for one in self._wanting(alert.severity) if not _sent(one, alert))

    def _wanting(self, severity: Severity) -> Iterator[Any]:
        return (one for one in self._known if {severity.value, "always"} & set(one.tags))

    def _assert_sound(self, one: Any, plain: Callable[[str], bool]) -> None:
        tried = f"reading FCB_ALERTS, {self._file}"
        if not set(_TAGS) & set(one.tags):
            raise ContractBreach(tried, f"{_name(one)} has none of the tags {', '.join(_TAGS)}")
        host = str(getattr(one, "host", "") or "")
        # Chats have a secure form alone, and no host of their own.
        secure = getattr(one, "secure", False) or not one.protocol
        if not secure and not plain(host):
            raise ContractBreach(
                tried,
                f"{_name(one)} sends over plain text: take the form with s (mailtos, jsons), or set "
                "FCB_ALLOW_HTTP=1 where the network in between is your own",
            )


def _name(one: Any) -> str:
    return str(one.url(privacy=True)).partition("?")[0]


def _sent(one: Any, alert: Alert) -> bool:
    kind = "failure" if alert.severity is Severity.ERROR else "warning"
    return bool(one.notify(title=alert.title, body=alert.body, notify_type=kind))
