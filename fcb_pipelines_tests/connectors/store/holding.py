"""A process that is a ledger's one writer until its input ends or it is killed.

python -m fcb_pipelines_tests.connectors.store.holding POSTGRES_URL LEDGER WHO
"""

import sys

from fcb_pipelines.connectors.store.writer import one_writer


def hold(postgres_url: str, ledger: str, who: str) -> None:
    """Say so once the ledger is taken, and end with the input."""
    with one_writer(postgres_url, ledger, who=who, waits=_say):
        _say("writing")
        sys.stdin.read()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    hold(*sys.argv[1:])
