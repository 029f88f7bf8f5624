"""Whether an intake that is served somewhere answers."""

import requests

from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.connectors.http import TIMEOUT, Session

HEALTH = "/api/billing/v1/health"


def ask(url: str) -> None:
    """Ask the intake at this address whether it can keep what it is sent. Raises Unreachable where it can't."""
    tried = f"asking {url}{HEALTH}"
    with Session() as session:
        session.trust_env = False
        try:
            answer = session.get(url + HEALTH, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise Unreachable(tried, str(error), remedy="fcb serve") from error
    if answer.status_code != 200:
        raise Unreachable(
            tried,
            f"{answer.status_code}: {answer.text[:200]}",
            remedy="fcb serve, or correct intake.url",
        )
