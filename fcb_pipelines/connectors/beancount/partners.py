"""Partners in the books: the places of the plan (`core.documents.partners`), written as directives."""

from collections.abc import Sequence

from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.beancount.text import link_text, partner_rows, partner_text
from fcb_pipelines.core.documents.partner_fields import FIELDS, fields_of, filling
from fcb_pipelines.core.documents.partners import Place
from fcb_pipelines.core.facts.tax_names import country_code


def write_places(places: Sequence[Place], records: Records, changes: Changes, file: str) -> None:
    """Add to `changes` the directives, fields and links of these partners that `file` lacks."""
    last = max((_number(partner_id) for partner_id in records.partners), default=0)
    for place in places:
        accounts = [fields_of(account) for account in place.accounts]
        if place.partner_id is None:
            last += 1
            partner_id = f"P{last:05d}"
            values = filling({}, accounts, one_country=_one_country)
            changes.append(file, partner_text(partner_id, values))
        else:
            partner_id = place.partner_id
            entry = records.partners[partner_id]
            held = {name: entry.field(name) for name in FIELDS}
            values = filling(held, accounts, one_country=_one_country)
            if values:
                changes.extend(records.place(entry.entry), partner_rows(values))
        if place.links:
            links = [link_text(partner_id, link) for link in place.links]
            changes.append(file, "\n".join(links))


def _one_country(held: str, given: str) -> bool:
    """Whether two texts name one country: people and sources write it in several ways."""
    return country_code(held) == country_code(given)


def _number(partner_id: str) -> int:
    digits = partner_id.removeprefix("P")
    return int(digits) if digits.isdigit() else 0
