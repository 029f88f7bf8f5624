"""The application of `fcb serve`.

    app = create_app(open_intake(found, settings))

Everything lies under /api/billing/v1, its description at /api/billing/v1/openapi.json.
"""

from importlib.metadata import version

from fastapi import APIRouter, FastAPI, Request

from fcb_pipelines.api import books, parties, problems, usage
from fcb_pipelines.api.access import Limits
from fcb_pipelines.api.intake import Intake
from fcb_pipelines.api.problems import responses
from fcb_pipelines.api.requests import Requests
from fcb_pipelines.api.shapes import Health

PREFIX = "/api/billing/v1"
_ABOUT = """Services hand in what they meter, their customers and their subscriptions, and ask for their plans and
documents. A service is known by its key and sees and writes only its own.

Every answer has a header `X-Request-Id`. Every answer that is no success has one shape, `error`, which names the
fields that are wrong."""

health = APIRouter(tags=["health"])


@health.get("/health", responses=responses())
def healthy(request: Request) -> Health:
    """Whether the intake can keep what it is sent: it asks our Postgres."""
    intake: Intake = request.app.state.intake
    intake.keys.service_of("")
    return Health(status="ok")


def create_app(intake: Intake) -> FastAPI:
    """The application over one company's intake."""
    app = FastAPI(
        title="Billing intake",
        version=version("fcb_pipelines"),
        description=_ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        # Their pages load scripts of others.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.intake = intake
    app.state.limits = Limits(intake.settings.intake.requests_per_minute)
    problems.install(app)
    for router in (usage.router, parties.router, books.router, health):
        app.include_router(router, prefix=PREFIX)
    app.add_middleware(Requests, largest=intake.settings.intake.bytes_a_request)
    return app
