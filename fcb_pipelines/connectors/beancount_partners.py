"""Partners in the books: known by their links, joined by email on first sight, filled in later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fcb_pipelines.connectors.beancount_changes import Changes
from fcb_pipelines.connectors.beancount_reading import PartnerEntry, Records
from fcb_pipelines.connectors.beancount_text import link_text, partner_rows, partner_text
from fcb_pipelines.core.documents import Partner

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


def upserted(partners: Sequence[Partner], records: Records, changes: Changes, file: str) -> None:
    """Add to `changes` what `file` lacks of these partners: directives, empty fields, links."""
    register = _Register(records)
    for partner in partners:
        register.put(partner)
    for account in register.accounts:
        account.write(changes, file, records)


@dataclass(slots=True)
class _Account:
    """A partner while a batch is worked in: what stands there and what comes to it."""

    partner_id: str
    entry: PartnerEntry | None
    standing: Mapping[str, str | None] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    def fill(self, partner: Partner) -> None:
        for name in FIELDS:
            value = getattr(partner, name)
            if value and not self.standing.get(name):
                self.added.setdefault(name, value)

    def write(self, changes: Changes, file: str, records: Records) -> None:
        if self.entry is None:
            changes.append(file, partner_text(self.partner_id, self.added))
        elif self.added:
            changes.extend(records.place(self.entry.entry), partner_rows(self.added))
        if self.links:
            changes.append(file, "\n".join(link_text(self.partner_id, link) for link in self.links))


class _Register:
    """Who is who, by link and by email, while a batch is worked in."""

    def __init__(self, records: Records) -> None:
        self.accounts: list[_Account] = []
        self._by_link: dict[str, _Account] = {}
        self._by_email: dict[str, _Account] = {}
        self._last = 0
        for partner_id, entry in records.partners.items():
            standing = {name: entry.field(name) for name in FIELDS}
            account = _Account(partner_id=partner_id, entry=entry, standing=standing)
            self._add(account, entry.links, standing["email"])

    def put(self, partner: Partner) -> None:
        """Find or make the partner, then fill and link it."""
        links = dict.fromkeys([partner.key, *partner.links])
        account = next((self._by_link[link] for link in links if link in self._by_link), None)
        if account is None and partner.email:
            account = self._by_email.get(partner.email.lower())
        if account is None:
            account = _Account(partner_id=f"P{self._last + 1:05d}", entry=None)
            self._add(account, (), partner.email)
        account.fill(partner)
        # A link that already leads to another partner is never moved: that would re-parent moves.
        fresh = [link for link in links if link not in self._by_link]
        account.links += fresh
        self._by_link.update(dict.fromkeys(fresh, account))

    def _add(self, account: _Account, links: Sequence[str], email: str | None) -> None:
        self.accounts.append(account)
        self._by_link.update(dict.fromkeys(links, account))
        if email:
            self._by_email.setdefault(email.lower(), account)
        digits = account.partner_id.removeprefix("P")
        if digits.isdigit():
            self._last = max(self._last, int(digits))
