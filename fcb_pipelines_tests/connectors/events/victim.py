"""A round of deliveries in a process that kills itself at one of its steps.

    python -m fcb_pipelines_tests.connectors.events.victim POSTGRES_URL RECEIVER_URL STEP

STEP is the number of the point at which it dies: each row of the log and each POST has one before and one
after. With 0 it lives. It prints how many points it passed.
"""

import os
import signal
import sys
from typing import Any

from fcb_pipelines.connectors.events.deliverer import Deliverer
from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.connectors.events.sender import Answer, Endpoint, Sender
from fcb_pipelines.connectors.events.signing import Secret
from fcb_pipelines_tests.events import SECRET, SERVICE


class Points:
    """Counts the points, and kills the process at the chosen one."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.passed = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingQueue(EventQueue):
    """The queue, with a point before and after each row of the log."""

    point: Points

    def log(self, *args: Any, **more: Any) -> Any:
        """The row between two points."""
        self.point()
        at = super().log(*args, **more)
        self.point()
        return at


class DyingSender(Sender):
    """The sender, with a point before and after each POST."""

    point: Points

    def send(self, *args: Any, **more: Any) -> Answer:
        """The POST between two points."""
        self.point()
        answer = super().send(*args, **more)
        self.point()
        return answer


def main(postgres_url: str, url: str, last: str) -> None:
    """One round."""
    point = Points(int(last))
    queue, sender = DyingQueue(postgres_url), DyingSender(longest=10)
    queue.point = sender.point = point
    endpoint = Endpoint(
        service=SERVICE,
        url=url,
        secrets=(Secret(name="FCB_A", text=SECRET),),
        allow_private=True,
    )
    Deliverer(
        queue=queue,
        endpoints={SERVICE: endpoint},
        run_id="victim",
        sender=sender,
        say=lambda text: None,
    ).deliver()
    sys.stdout.write(str(point.passed))


if __name__ == "__main__":
    main(*sys.argv[1:])
