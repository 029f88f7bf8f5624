"""The customers of the edge cases: one a province, and those whose identity is the case."""

from collections.abc import Iterator
from dataclasses import replace

from fcb_pipelines.sandbox.scenarios.builders.sales import Customer


def _customer(key: str, name: str, *place: str, country: str = "CA") -> Customer:
    street, city, state, code = place
    return Customer(
        key=f"edge/{key}",
        email=f"owner@{key}.example",
        full_name=f"Owner of {name}",
        company=name,
        billing_email=None,
        street=street,
        city=city,
        state=state,
        postal_code=code,
        country=country,
    )


ON = _customer("maple", "Maple Ledger Ltd.", "200 King St W", "Toronto", "ON", "M5H 3T4")
NS = _customer("harbour", "Harbour Tides Inc.", "1800 Barrington St", "Halifax", "NS", "B3J 1S9")
NB = _customer("fundy", "Fundy Foods Ltd.", "77 Main St", "Moncton", "NB", "E1C 1E5")
NL = _customer("avalon", "Avalon Marine Ltd.", "12 Water St", "St. John's", "NL", "A1C 1A1")
PE = _customer("redsand", "Red Sand Farms", "3 Queen St", "Charlottetown", "PE", "C1A 4P3")
AB = _customer("foothills", "Foothills Energy Ltd.", "440 8 Ave SW", "Calgary", "AB", "T2P 1J9")
BC = _customer("cedar", "Cedar Coast Ltd.", "90 W Hastings St", "Vancouver", "BC", "V6B 1A1")
MB = _customer("prairie", "Prairie Gold Ltd.", "15 Portage Ave", "Winnipeg", "MB", "R3C 0A5")
SK = _customer("wheatland", "Wheatland Co-op", "8 Scarth St", "Regina", "SK", "S4P 0N8")
QC = _customer("erable", "Érable Numérique Ltée", "5 rue Saint-Paul O", "Montréal", "QC", "H2Y 1C6")
YT = _customer("aurora", "Aurora Outfitters", "1 Front St", "Whitehorse", "YT", "Y1A 0H6")
US = _customer(
    "beacon", "Beacon Analytics Inc.", "1 State St", "Boston", "MA", "02109", country="US"
)
DE = _customer("spree", "Spree Labor GmbH", "Torstr. 9", "Berlin", "BE", "10119", country="DE")
JP = _customer("sakura", "Sakura KK", "1-1 Marunouchi", "Tokyo", "13", "100-0005", country="JP")
KW = _customer("gulf", "Gulf Trading WLL", "Fahad St 4", "Kuwait City", "KU", "13001", country="KW")
IS = _customer("geysir", "Geysir ehf.", "Laugavegur 2", "Reykjavik", "1", "101", country="IS")
UG = _customer(
    "kampala", "Kampala Tech Ltd.", "Plot 3 Nile Ave", "Kampala", "C", "256", country="UG"
)
GB = _customer("thames", "Thames Ltd.", "1 Strand", "London", "LND", "WC2N 5HR", country="GB")

# Customers of one case each with a balance at Stripe, so that each balance adds up.
DOWNGRADED = _customer("cliffside", "Cliffside Ltd.", "9 8 Ave SW", "Calgary", "AB", "T2P 1J9")
SMALL_DEBT = _customer("penny", "Penny Wise Ltd.", "3 King St W", "Toronto", "ON", "M5H 3T4")
BOUNCING = _customer("rubber", "Rubber Cheque Inc.", "4 King St W", "Toronto", "ON", "M5H 3T4")
EXEMPT = _customer("embassy", "Embassy of Freedonia", "1 Sussex Dr", "Ottawa", "ON", "K1N 1K1")

# One company under two accounts with one email, written differently: a partner each (A9, A12).
TWIN = replace(
    _customer("twin", "Twin Peaks Ltd.", "5 Sparks St", "Ottawa", "ON", "K1P 5A5"),
    billing_email="billing@twinpeaks.example",
)
OTHER_TWIN = replace(
    _customer("twin2", "Twin Peaks Ltd.", "5 Sparks St", "Ottawa", "ON", "K1P 5A5"),
    billing_email="Billing@TwinPeaks.example",
)
# NexaCloud knows it by its new name; documents show the old one.
RENAMED = _customer("novel", "Novel Name Ltd.", "8 Dundas St", "London", "ON", "N6A 6K2")

# NexaCloud deleted its user; its invoices stayed.
DELETED = _customer("gone", "Gone Fishing Ltd.", "4 Dundas St", "London", "ON", "N6A 6K2")
# Customers of the company's other product, and one that only its metadata marks as NexaCloud's.
STRANGER = _customer("stranger", "Stranger Corp.", "6 King St W", "Toronto", "ON", "M5H 3T4")
MARKED = _customer("marked", "Marked Ltd.", "7 King St W", "Toronto", "ON", "M5H 3T4")

# NexaCloud erases its whole account in August, when its invoices are posted (A13).
ERASED = _customer("hush", "Hush Studios Inc.", "21 Queen St E", "Toronto", "ON", "M5C 1R6")
# Its balance at Stripe was set by hand, without a document (S12).
GOODWILL = _customer("gift", "Gifted Gardens Ltd.", "2 Elgin St", "Ottawa", "ON", "K1P 1C4")

_NOT_USERS = (DELETED, STRANGER, MARKED)


def users(*, later: bool) -> Iterator[Customer]:
    """NexaCloud's users at the end of July or (`later`) of August."""
    not_users = (*_NOT_USERS, *([ERASED] if later else []))
    for each in globals().values():
        if isinstance(each, Customer) and each not in not_users:
            yield each
