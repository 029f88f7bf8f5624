"""The places of generated customers and their taxes: HST, GST, or GST with QST or PST."""

from datetime import date
from decimal import Decimal

from fcb_pipelines.sandbox.scenarios.builders.nexa_sales import HST_ON
from fcb_pipelines.sandbox.scenarios.builders.sales import Rate

# Nova Scotia bills 14 % since this day, 15 % before.
_NOVA_SCOTIA_14 = date(2025, 4, 1)

# Province, city, postal code, street.
PLACES = (
    ("ON", "Toronto", "M5H 1A1", "King St W"),
    ("ON", "Ottawa", "K1P 5A5", "Sparks St"),
    ("QC", "Montréal", "H2Y 1C6", "rue Saint-Paul O"),
    ("BC", "Vancouver", "V6B 1A1", "W Hastings St"),
    ("AB", "Calgary", "T2P 1J9", "8 Ave SW"),
    ("ON", "London", "N6A 6K2", "Dundas St"),
    ("NS", "Halifax", "B3J 1S9", "Barrington St"),
    ("NB", "Moncton", "E1C 1E5", "Main St"),
    ("MB", "Winnipeg", "R3C 0A5", "Portage Ave"),
    ("SK", "Regina", "S4P 0N8", "Scarth St"),
    ("NL", "St. John's", "A1C 1A1", "Water St"),
    ("PE", "Charlottetown", "C1A 4P3", "Queen St"),
)


def _rate(key: str, percentage: str, jurisdiction: str, state: str | None, code: str) -> Rate:
    kind = key.partition("_")[0]
    return Rate(
        id=f"txr_1{key.replace('_', '').upper():0<20}",
        type=kind,
        percentage=Decimal(percentage),
        name=kind.upper(),
        jurisdiction=jurisdiction,
        state=state,
        lago_code=code,
    )


_GST = _rate("gst", "5", "Canada", None, "gst")
_NS_14 = _rate("hst_ns_14", "14", "Nova Scotia", "NS", "hst_14")
_NS_15 = _rate("hst_ns_15", "15", "Nova Scotia", "NS", "hst_15")
_BILLED = {
    "ON": (HST_ON,),
    "NB": (_rate("hst_nb", "15", "New Brunswick", "NB", "hst_nb"),),
    "NL": (_rate("hst_nl", "15", "Newfoundland and Labrador", "NL", "hst_nl"),),
    "PE": (_rate("hst_pe", "15", "Prince Edward Island", "PE", "hst_pe"),),
    "AB": (_GST,),
    "YT": (_GST,),
    "QC": (_GST, _rate("qst", "9.975", "Quebec", "QC", "qst")),
    "BC": (_GST, _rate("pst_bc", "7", "British Columbia", "BC", "pst_bc")),
    "MB": (_GST, _rate("pst_mb", "7", "Manitoba", "MB", "pst_mb")),
    "SK": (_GST, _rate("pst_sk", "6", "Saskatchewan", "SK", "pst_sk")),
}


def billed_in(province: str, day: date) -> tuple[Rate, ...]:
    """The taxes billed to a customer of the province on a day."""
    if province == "NS":
        return (_NS_14,) if day >= _NOVA_SCOTIA_14 else (_NS_15,)
    return _BILLED[province]


def all_rates() -> list[Rate]:
    """Every rate that may be billed, once."""
    rates = [rate for billed in _BILLED.values() for rate in billed]
    return sorted({rate.id: rate for rate in (*rates, _NS_14, _NS_15)}.values(), key=lambda r: r.id)
