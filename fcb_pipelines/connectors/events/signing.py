"""What proves to a receiver that an event is ours: signatures over the very bytes that are sent.

X-Fusion-Signature is the hex HMAC-SHA256 of the body under the first secret. Beside it stand the headers
of the Standard Webhooks specification, one signature a secret, over id, time and body: with them a receiver
refuses what somebody recorded and sends again.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from standardwebhooks import Webhook

from fcb_pipelines.core.digests import keyed_digest

PREFIX = "whsec_"
SHORTEST = 24
"""Bytes of a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret of a service. `text` is what both sides have in writing.

    As `whsec_` and base64 it is the key of Standard Webhooks; any other text is its own key there. The key
    of X-Fusion-Signature is always the text itself.
    """

    name: str
    text: str = field(repr=False)

    @property
    def fault(self) -> str | None:
        """Why it can't be one; None for a good one."""
        if not self.text.startswith(PREFIX):
            short = len(self.text.encode()) < SHORTEST
            return f"is shorter than {SHORTEST} characters" if short else None
        try:
            key = base64.b64decode(self.text.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return "begins with whsec_ and does not go on in base64"
        return f"has a key of fewer than {SHORTEST} bytes" if len(key) < SHORTEST else None

    @property
    def webhook(self) -> Webhook:
        """The signer of Standard Webhooks under this secret."""
        return Webhook(self.text if self.text.startswith(PREFIX) else self.text.encode())


def headers(
    secrets: Sequence[Secret], *, event_id: str, event_type: str, at: datetime, body: str
) -> dict[str, str]:
    """The headers of one try; `at` is its moment, in UTC."""
    content, seconds = body.encode(), str(int(at.timestamp()))
    signatures = [each.webhook.sign(event_id, at, body) for each in secrets]
    return {
        "Content-Type": "application/json",
        "X-Fusion-Event": event_type,
        "X-Fusion-Event-Id": event_id,
        "X-Fusion-Timestamp": seconds,
        "X-Fusion-Signature": keyed_digest(secrets[0].text.encode(), content),
        "webhook-id": event_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(signatures),
    }
