"""Partners in the books: the places of the plan (`core.documents.partners`), written as directives."""

from collections.abc import Iterable, Sequence

from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.beancount.text import link_text, partner_rows, partner_text
from fcb_pipelines.core.documents.partners import Place
from fcb_pipelines.core.ledger.entries import Partner

FIELDS = (
    "name",
    "email",
    "street",
    "city",
    "zip",
    "state",
    "country",
    "vat",
    "stripe_customer_id",
)


def write_places(places: Sequence[Place], records: Records, changes: Changes, file: str) -> None:
    """Add to `changes` what `file` lacks of these partners: directives, empty fields, links."""
    last = max((_number(partner_id) for partner_id in records.partners), default=0)
    for place in places:
        if place.partner_id is None:
            last += 1
            partner_id = f"P{last:05d}"
            changes.append(file, partner_text(partner_id, _filled(place.accounts)))
        else:
            partner_id = place.partner_id
            entry = records.partners[partner_id]
            values = _filled(place.accounts)
            empty = {name: value for name, value in values.items() if not entry.field(name)}
            if empty:
                changes.extend(records.place(entry.entry), partner_rows(empty))
        if place.links:
            links = [link_text(partner_id, link) for link in place.links]
            changes.append(file, "\n".join(links))


def _filled(accounts: Iterable[Partner]) -> dict[str, str]:
    """What the accounts know of themselves; the first one that has a field gives it."""
    values: dict[str, str] = {}
    for account in accounts:
        for name in FIELDS:
            value = getattr(account, name)
            if value:
                values.setdefault(name, value)
    return values


def _number(partner_id: str) -> int:
    digits = partner_id.removeprefix("P")
    return int(digits) if digits.isdigit() else 0
