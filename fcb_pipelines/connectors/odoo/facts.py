"""What describing the books reads of Odoo, in as few calls as there can be.

Three, where setup was: our fields name the server action; it reads all the rest in one call, of one moment; and
the accounts come last, since it is told then which. Without the action each read is a call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fcb_pipelines.connectors.odoo.action import FoundAction, read_action
from fcb_pipelines.connectors.odoo.company import company_reads
from fcb_pipelines.connectors.odoo.connection import OdooConnection, Read, Row, search
from fcb_pipelines.connectors.odoo.fields import (
    MOVE,
    actions_in_help,
    fields_read,
    wanted_fields,
)
from fcb_pipelines.connectors.odoo.parts import ACCOUNT, JOURNAL, PARTS, part_ref, read_part_refs
from fcb_pipelines.connectors.odoo.rights import Right
from fcb_pipelines.connectors.odoo.taxes import tax_reads
from fcb_pipelines.connectors.odoo.wanted import read_accounts
from fcb_pipelines.core.company.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was read: the server actions, our fields (`model.name`), external id -> record, the accounts.

    `answers` has the rest by name, `lacking` the rights that the user lacks.
    """

    company: int
    action: FoundAction
    fields: frozenset[str]
    refs: Mapping[str, int]
    answers: Mapping[str, Any]
    accounts: Sequence[Row]
    lacking: tuple[Right, ...]

    @cached_property
    def codes(self) -> Mapping[int, str]:
        """Account id -> its code."""
        return {row["id"]: row["code"] or "" for row in self.accounts}

    def parts(self, model: str, codes: Sequence[str]) -> dict[str, int]:
        """Code -> the record that setup once made or found for it, else 0."""
        return {code: self.refs.get(part_ref(self.company, model, code), 0) for code in codes}


def read_facts(odoo: OdooConnection, settings: Settings, rights: Sequence[Right]) -> Facts:
    """What describing needs of the books as they are now, and which of these rights the user lacks."""
    ours = {MOVE: odoo.read(fields_read(MOVE, settings))}
    others = [model for model in wanted_fields(settings) if model != MOVE]
    reads = _reads(odoo.company, settings)
    reads |= {model: fields_read(model, settings) for model in others}
    reads |= {right.name: right.read for right in rights}
    ids = actions_in_help(ours[MOVE])
    action = FoundAction()
    if ids is not None:
        action = read_action(odoo, ids, reads=list(reads.values()), models=PARTS)
    if action.ids is not None:
        answers, refs = dict(zip(reads, action.answers, strict=True)), action.refs
    else:
        answers = {name: odoo.read(read) for name, read in reads.items()}
        refs = read_part_refs(odoo)
    ours |= {model: answers[model] for model in others}
    return Facts(
        company=odoo.company,
        action=action,
        fields=frozenset(f"{model}.{name}" for model, found in ours.items() for name in found),
        refs=refs,
        answers=answers,
        accounts=odoo.read(_accounts_read(odoo.company, settings, refs, answers)),
        lacking=tuple(right for right in rights if not answers[right.name]),
    )


def _reads(company: int, settings: Settings) -> dict[str, Read]:
    """What does not depend on anything else that is read."""
    return {
        **company_reads(company),
        **tax_reads(company, settings),
        "journals": search(
            JOURNAL,
            [("company_id", "parent_of", [company])],
            ["code", "name", "active", "type", "default_account_id"],
            archived=True,
        ),
        "method lines": search(
            "account.payment.method.line",
            [("journal_id.company_id", "parent_of", [company]), ("journal_id.type", "=", "bank")],
            ["name", "journal_id", "payment_type", "payment_account_id", "code"],
            archived=True,
        ),
    }


def _accounts_read(
    company: int, settings: Settings, refs: Mapping[str, int], answers: Mapping[str, Any]
) -> Read:
    """The accounts that are configured, those that setup named for them, and those that were met."""
    codes = [each.account.code for each in read_accounts(settings)]
    met = [
        *(row["default_account_id"] for row in answers["journals"]),
        *(row["payment_account_id"] for row in answers["method lines"]),
        *(row["account_id"] for row in answers["tax lines"]),
    ]
    ids = {refs.get(part_ref(company, ACCOUNT, code), 0) for code in codes}
    ids |= {account[0] for account in met if account}
    # An account may be of several companies, and has its code in each.
    domain = ["|", ("code", "in", codes), ("id", "in", sorted(ids))]
    return search(ACCOUNT, domain, ["code", "name", "active", "account_type"], archived=True)
