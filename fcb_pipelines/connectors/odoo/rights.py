"""The least rights of the two users in Odoo: the one of each day, and the one of setup.

They are asked of Odoo before anything is written, so that no batch stops halfway for want of one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Read
from fcb_pipelines.core.ledger.description import MissingPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One operation on one model, and the group in Odoo that grants it. `cash`: only cash needs it."""

    model: str
    operation: str
    group: str
    cash: bool = False

    @property
    def name(self) -> str:
        """`create account.move`."""
        return f"{self.operation} {self.model}"

    @property
    def read(self) -> Read:
        """Whether the user has it."""
        return Read(model=self.model, method="has_access", arguments=([], self.operation))


INVOICING, CONTACTS = "Accounting: Invoicing", "Contact Creation"
# Community hides this group on the page of a user: it is on the page of groups, in developer mode.
BASIC = "Basic"
ADMINISTRATOR, SETTINGS = "Accounting: Administrator", "Administration: Settings"

DAILY = (
    Right(model="account.move", operation="create", group=INVOICING),
    Right(model="account.move", operation="unlink", group=INVOICING),
    Right(model="account.payment", operation="create", group=INVOICING),
    Right(model="account.partial.reconcile", operation="write", group=INVOICING),
    Right(model="res.partner", operation="create", group=CONTACTS),
)
CASH = (
    Right(model="account.bank.statement.line", operation="create", group=BASIC, cash=True),
    Right(model="account.bank.statement", operation="create", group=BASIC, cash=True),
)
SETUP = (
    Right(model="account.account", operation="create", group=ADMINISTRATOR),
    Right(model="account.journal", operation="create", group=ADMINISTRATOR),
    Right(model="ir.model.fields", operation="create", group=SETTINGS),
    Right(model="ir.model.data", operation="create", group=SETTINGS),
    Right(model="ir.actions.server", operation="create", group=SETTINGS),
)


def daily_rights(*, cash: bool) -> tuple[Right, ...]:
    """The rights of the daily work, those of `cash` too."""
    return (*DAILY, *CASH) if cash else DAILY


def missing_rights(odoo: OdooConnection, lacking: Iterable[Right]) -> tuple[MissingPart, ...]:
    """These rights, which this user lacks, each with who grants it."""
    return tuple(
        MissingPart(
            what="right",
            name=right.name,
            remedy=_grant(odoo, right.group),
            taxes=() if right.cash else None,
            cash=right.cash,
        )
        for right in lacking
    )


def assert_may_set_up(odoo: OdooConnection) -> None:
    """Raises NotAllowed, naming each right of setup that this user lacks."""
    lacking = lacking_rights(odoo, SETUP)
    if lacking:
        names = ", ".join(right.name for right in lacking)
        groups = dict.fromkeys(_grant(odoo, right.group) for right in lacking)
        raise NotAllowed(
            f"setting up Odoo database {odoo.database}",
            f"the user {odoo.user} may not {names}",
            remedy=f"{'; '.join(groups)}; or run it once as an administrator",
        )


def lacking_rights(odoo: OdooConnection, rights: Iterable[Right]) -> tuple[Right, ...]:
    """Those of these rights that this user lacks, a call each."""
    return tuple(right for right in rights if not odoo.read(right.read))


def _grant(odoo: OdooConnection, group: str) -> str:
    if group == BASIC:
        return (
            f"add {odoo.user} to the group {group!r} in Odoo "
            "(developer mode: Settings, Users & Companies, Groups)"
        )
    return f"grant {odoo.user} the right {group!r} in Odoo (Settings, Users)"
