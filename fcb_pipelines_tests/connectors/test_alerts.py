"""Alerts arrive by mail and by webhook, at real servers on loopback; what can't be sent is said so."""

from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from fcb_pipelines.connectors.alerts import Destinations
from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.close.alerts import Alert, Severity
from fcb_pipelines.sandbox.processes import free_port
from fcb_pipelines_tests.webhook import taking

ERROR = Alert(
    severity=Severity.ERROR, title="Books: 1 gate fails", lines=("2026-05: x", "fcb status")
)
WARNING = Alert(severity=Severity.WARNING, title="Books: 1 gate warns", lines=("2026-05: y",))


class Mailbox:
    """Keeps every mail that the server takes."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_DATA(  # noqa: N802 - the name that the server calls
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, str]]:
    """A mail server, and its destination."""
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, f"mailto://127.0.0.1:{port}?from=books@example.com&to=controller@example.com"
    controller.stop()


@pytest.fixture
def hook() -> Iterator[tuple[list[dict[str, Any]], str]]:
    """A webhook that speaks as Slack's does, and its destination."""
    with taking() as (taken, address):
        yield taken, f"json://{address}/services/T1?:message=text"


def opened(tmp_path: Path, *lines: str, plain: bool = False) -> Destinations:
    file = tmp_path / "alerts.conf"
    file.write_text("# who wants what\n" + "\n".join(lines), "utf-8")
    return Destinations(file, plain=lambda host: plain or host == "127.0.0.1")


def test_an_alert_arrives_by_mail_with_its_title_and_every_line(
    tmp_path: Path, mail: tuple[Mailbox, str]
) -> None:
    mailbox, destination = mail
    assert opened(tmp_path, f"always = {destination}").send(ERROR) == ()
    (taken,) = mailbox.mails
    assert taken.rcpt_tos == ["controller@example.com"]
    assert isinstance(taken.content, bytes)
    message = message_from_bytes(taken.content)
    assert ERROR.title in str(message["Subject"])
    text = "".join(
        part.get_payload(decode=True).decode()  # type: ignore[union-attr]
        for part in message.walk()
        if not part.is_multipart()
    )
    assert all(line in text for line in ERROR.lines)


@pytest.mark.parametrize(
    ("tags", "arrives"),
    [("error", ["Books: 1 gate fails"]), ("warning", ["Books: 1 gate warns"]),
     ("error,warning", ["Books: 1 gate fails", "Books: 1 gate warns"]),
     ("always", ["Books: 1 gate fails", "Books: 1 gate warns"])],
)  # fmt: skip
def test_a_destination_gets_the_severities_that_its_tags_name(
    tmp_path: Path, hook: tuple[list[dict[str, Any]], str], tags: str, arrives: list[str]
) -> None:
    taken, destination = hook
    destinations = opened(tmp_path, f"{tags} = {destination}")
    assert [destinations.send(one) for one in (ERROR, WARNING)] == [(), ()]
    assert [one["title"] for one in taken] == arrives
    assert all(one["text"].startswith("2026-05") for one in taken)


def test_a_destination_that_does_not_answer_is_named_and_the_others_get_it(
    tmp_path: Path, hook: tuple[list[dict[str, Any]], str]
) -> None:
    taken, destination = hook
    nobody = "json://books:secret@127.0.0.1:9/x"
    (refused,) = opened(tmp_path, f"always = {nobody}", f"always = {destination}").send(ERROR)
    assert len(taken) == 1
    assert "127.0.0.1:9" in refused
    assert "secret" not in refused


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("error = nonsense://x", "1 lines, and 0 destinations"),
        ("mailtos://u:secret@mail.example.com?to=a@example.com", "none of the tags"),
        ("books = mailtos://u:secret@mail.example.com?to=a@example.com", "none of the tags"),
        ("error = json://hooks.example.com/x", "plain text"),
        ("error = mailto://u:secret@mail.example.com?to=a@example.com&mode=insecure", "plain text"),
    ],
)
def test_a_line_that_would_reach_nobody_or_everybody_is_refused_without_its_secrets(
    tmp_path: Path, line: str, said: str
) -> None:
    with pytest.raises(ContractBreach, match=said) as refused:
        opened(tmp_path, line)
    assert "secret" not in str(refused.value)


def test_plain_text_is_allowed_by_the_operator_and_chats_are_secure(tmp_path: Path) -> None:
    assert len(opened(tmp_path, "error = json://hooks.example.com/x", plain=True).names()) == 1
    (name,) = opened(tmp_path, f"error = slack://{'A' * 9}/{'B' * 9}/{'C' * 24}/#books").names()
    assert name == "slack://A...A/B...B/C...C/%23books/ (error)"


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotPrepared, match=r"No such file .*docs/alerts\.md"):
        Destinations(tmp_path / "none.conf", plain=bool)
