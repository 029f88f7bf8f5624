"""A real S3 server of this test run: moto's, as a process on a free loopback port."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from fcb_pipelines.sandbox import processes

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def s3_served(folder: Path) -> Iterator[dict[str, str]]:
    """The variables that lead S3's clients to the server, which is stopped after the block."""
    port = processes.free_port()
    argv = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    log = folder / "s3.log"
    server = processes.start("moto_server", argv, port=port, log=log, environment={})
    try:
        processes.wait_until_it_answers(server, log=log)
        yield {**CREDENTIALS, "AWS_ENDPOINT_URL": server.url}
    finally:
        processes.stop(server)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The server of this run, started for the first test that asks."""
    with s3_served(tmp_path_factory.mktemp("s3")) as variables:
        yield variables


@pytest.fixture
def bucket(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket; the environment of the test leads to its server."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"
