"""One POST to a real receiver: what it is sent, what it can verify, and what each answer comes to."""

import hashlib
import hmac
import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from fcb_pipelines.connectors.events.sender import Answer, Endpoint, Sender
from fcb_pipelines.connectors.events.signing import Secret
from fcb_pipelines_tests.events import OLD_SECRET, SECRET, SERVICE, an_event
from fcb_pipelines_tests.receiver import Receiver, receiving

NEW = Secret(name="FCB_NEW", text=SECRET)
OLD = Secret(name="FCB_OLD", text=OLD_SECRET)
PLAIN = Secret(name="FCB_PLAIN", text="a secret that is only a text")
EVENT = an_event(number="Été 7")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of its own."""
    with receiving() as one:
        yield one


def to(url: str, *secrets: Secret, **more: Any) -> Endpoint:
    return Endpoint(service=SERVICE, url=url, secrets=secrets or (NEW,), allow_private=True, **more)


def send(endpoint: Endpoint, *, longest: float = 5, at: datetime | None = None) -> Answer:
    return Sender(longest=longest).send(
        endpoint,
        event_id=EVENT.id,
        event_type=EVENT.type,
        body=EVENT.body,
        at=at or datetime.now(UTC),
    )


def verified(receiver: Receiver, secret: str | bytes) -> Any:
    (got,) = receiver.requests
    return Webhook(secret).verify(got.body, got.headers)


def test_a_receiver_can_verify_the_very_bytes_that_it_got(receiver: Receiver) -> None:
    assert send(to(receiver.url)).status == 204
    (got,) = receiver.requests
    assert got.body == EVENT.body.encode()
    hexed = hmac.new(SECRET.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-fusion-signature"] == hexed
    assert got.headers["x-fusion-event"] == "invoice.payment_failed"
    assert got.headers["x-fusion-event-id"] == got.headers["webhook-id"] == EVENT.id
    assert got.headers["x-fusion-timestamp"] == got.headers["webhook-timestamp"]
    assert got.headers["content-type"] == "application/json"
    assert verified(receiver, SECRET)["number"] == "Été 7"


def test_while_a_secret_is_replaced_both_verify(receiver: Receiver) -> None:
    send(to(receiver.url, NEW, OLD))
    assert verified(receiver, SECRET) == verified(receiver, OLD_SECRET)
    hexed = hmac.new(SECRET.encode(), EVENT.body.encode(), hashlib.sha256).hexdigest()
    assert receiver.requests[0].headers["x-fusion-signature"] == hexed


def test_a_secret_may_be_any_long_text(receiver: Receiver) -> None:
    send(to(receiver.url, PLAIN))
    assert verified(receiver, PLAIN.text.encode())


def test_what_was_sent_long_ago_or_under_another_secret_is_refused(receiver: Receiver) -> None:
    send(to(receiver.url), at=datetime(2026, 1, 1, tzinfo=UTC))
    for secret in (SECRET, OLD_SECRET):
        with pytest.raises(WebhookVerificationError):
            verified(receiver, secret)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (SECRET, True),
        (PLAIN.text, True),
        ("too short", False),
        ("whsec_not base64", False),
        ("whsec_c2hvcnQ=", False),
        ("", False),
    ],
)
def test_a_secret_that_is_none_is_refused(text: str, good: bool) -> None:
    secret = Secret(name="FCB_A", text=text)
    assert (secret.fault is None) is good
    assert not text or text not in repr(secret)


@pytest.mark.parametrize(
    ("status", "detail", "overloaded"),
    [
        (200, "HTTP 200", False),
        (302, "HTTP 302: a redirect, which is not followed", False),
        (400, "HTTP 400: this is 400", False),
        (410, "HTTP 410: this is 410", False),
        (429, "HTTP 429: this is 429", True),
        (503, "HTTP 503: this is 503", True),
    ],
)
def test_each_answer_is_told_as_it_came(
    receiver: Receiver, status: int, detail: str, overloaded: bool
) -> None:
    receiver.answers = [status]
    answer = send(to(receiver.url))
    assert (answer.status, answer.detail) == (status, detail)
    assert answer.is_overloaded is overloaded
    # No redirect was followed, and nothing tried a second time.
    assert len(receiver.requests) == 1


def test_nothing_is_sent_to_a_private_address_that_is_not_allowed(receiver: Receiver) -> None:
    answer = send(replace(to(receiver.url), allow_private=False))
    assert answer.status is None
    assert "127.0.0.1" in answer.detail
    assert "allow_private" in answer.detail
    assert receiver.requests == []


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """The host and port of a listener that says what it likes to each who connects."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while not done.is_set():
                try:
                    made, _ = listener.accept()
                except OSError:
                    return
                with made:
                    try:
                        speak(made)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            listener.close()


def drip(made: socket.socket) -> None:
    """A byte now and then, for ever."""
    wait = threading.Event()
    made.recv(1)
    while True:
        made.sendall(b"\x16")
        wait.wait(0.1)


def hang_up(made: socket.socket) -> None:
    """Nothing at all."""


def a_flood(made: socket.socket) -> None:
    """An answer of more bytes than anybody needs."""
    made.recv(65536)
    made.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
    for _ in range(64):
        made.sendall(b"x" * 65536)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_answer_that_never_ends_is_no_answer(scheme: str) -> None:
    with speaking(drip) as host:
        assert send(to(f"{scheme}://{host}/"), longest=2).status is None


@pytest.mark.parametrize("speak", [hang_up, a_flood])
def test_whatever_a_receiver_does_is_told_and_raises_nothing(
    speak: Callable[[socket.socket], None],
) -> None:
    with speaking(speak) as host:
        answer = send(to(f"http://{host}/"))
    assert answer.status is None
    assert answer.detail.startswith("no answer (")


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert send(to(f"http://127.0.0.1:{port}/")).status is None


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem", folder / "key.pem"
    made[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


@contextmanager
def secured(authority: tuple[Path, Path]) -> Iterator[str]:
    """The address of a receiver that speaks TLS, and takes everything."""

    class Taking(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A handshake that the other side breaks off is no fault of ours."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority)
    with Quiet(("127.0.0.1", 0), Taking) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}/fusion"
        finally:
            server.shutdown()
            thread.join(timeout=10)


def test_a_certificate_that_nobody_vouches_for_is_refused(authority: tuple[Path, Path]) -> None:
    with secured(authority) as url:
        answer = send(to(url))
        assert (answer.status, answer.detail) == (None, "its certificate could not be verified")
        assert send(to(url, ca_file=str(authority[0]))).status == 204
        # Signed by the right authority, for another name.
        elsewhere = url.replace("127.0.0.1", "localhost")
        assert send(to(elsewhere, ca_file=str(authority[0]))).status is None


def test_a_certificate_file_that_is_not_there_is_told() -> None:
    with receiving() as receiver:
        url = receiver.url.replace("http://", "https://")
        answer = send(to(url, ca_file="/nowhere/certificate.pem"))
    assert answer.status is None
