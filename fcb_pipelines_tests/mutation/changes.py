"""How the world of `edge-cases` goes on after a clean close: what is erased, lost, voided, comes back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fcb_pipelines.connectors.store.frames import FrameStore, read_frame, write_frame
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.sandbox.scenarios.builders.authored import ACCOUNT, ORGANIZATION
from fcb_pipelines.sandbox.scenarios.builders.sales import stripe_id, uuid_of
from fcb_pipelines.sandbox.scenarios.cases.customers import ERASED
from fcb_pipelines_tests.mutation.bench import Changed, Sources

# The months of what changes.
MONTHS = ("2025-06", "2025-07")
LOST = stripe_id("in", "edge/A13-4", 24)
VOIDED = uuid_of("edge/lago/B12-6")
REFUNDED = stripe_id("in", "edge/S13-2", 24)
CORRECTED = (f"lago:{ORGANIZATION}:{VOIDED}", f"stripe:{ACCOUNT}:{REFUNDED}")
_BACK = datetime(2025, 7, 29, 16, tzinfo=UTC)

# What must stand of the two once they are corrected: each on the day on which its source dates it.
EXPECTED = {
    "documents": {
        CORRECTED[0]: {"exceptions": [], "listed": [], "paid": 0},
        CORRECTED[1]: {
            "exceptions": [],
            "listed": [],
            "settlements": [
                {"date": "2025-07-14", "method": "payment", "amount": 5876},
                {"date": "2025-07-24", "method": "refund", "amount": -2260},
                {"date": "2025-07-29", "method": "refund", "amount": 2260},
            ],
        },
    }
}


def forgotten(sources: Sources) -> Sources:
    """Stripe has lost an invoice that stands in the books (A13)."""
    return replace(sources, stripe=Changed(sources.stripe, [LOST], {}))


def corrected(sources: Sources) -> Sources:
    """Lago has voided an invoice of which a note stands (B12), and a refund has failed (S13)."""
    return replace(
        sources,
        stripe=Changed(sources.stripe, [], {REFUNDED: _came_back}),
        lago=Changed(sources.lago, [], {VOIDED: _voided}),
    )


def erased_in_nexacloud(frames: FrameStore) -> None:
    """NexaCloud's user of case A13 is gone, and the rows of its invoices."""
    for key, column in ((keys.USERS, "id"), (keys.COPIES, "user_id")):
        path = frames.path(key.path, None)
        frame = read_frame(path)
        kept = frame[frame[column].astype(str) != ERASED.user_id]
        assert len(kept) < len(frame), f"{ERASED.company} is not in {key}"
        rest = kept.reset_index(drop=True)
        rest.attrs = frame.attrs
        write_frame(rest, path)


def _voided(body: Any) -> Any:
    body["invoice"] |= {"status": "voided", "voided_at": "2025-07-25T14:00:00Z"}
    return body


def _came_back(body: Any) -> Any:
    for refund in body.get("refunds") or ():
        refund["status"] = "failed"
        refund["failure_balance_transaction"] = {"created": int(_BACK.timestamp())}
    return body
