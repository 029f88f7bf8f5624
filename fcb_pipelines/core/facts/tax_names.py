"""The type and province of a billed tax, read from the codes and names that people typed.

Sources name a tax in many ways ("HST (13%)", "TPS/GST", `hst_on`, "CA-ON", "Ontario"). All of them are
read here, so the same tax has the same type and state at every source.
"""

import re
from decimal import Decimal

PROVINCES = {
    "AB": ("Alberta",),
    "BC": ("British Columbia", "Colombie-Britannique"),
    "MB": ("Manitoba",),
    "NB": ("New Brunswick", "Nouveau-Brunswick"),
    "NL": ("Newfoundland and Labrador", "Newfoundland", "Terre-Neuve-et-Labrador"),
    "NS": ("Nova Scotia", "Nouvelle-Écosse"),
    "NT": ("Northwest Territories",),
    "NU": ("Nunavut",),
    "ON": ("Ontario",),
    "PE": ("Prince Edward Island", "Île-du-Prince-Édouard"),
    "QC": ("Quebec", "Québec"),
    "SK": ("Saskatchewan",),
    "YT": ("Yukon",),
}

CANADA = "CA"

# French names of the same taxes; BC and Manitoba write RST for what the config calls PST.
_TYPE_WORDS = {
    "hst": "hst",
    "tvh": "hst",
    "gst": "gst",
    "tps": "gst",
    "qst": "qst",
    "tvq": "qst",
    "pst": "pst",
    "rst": "pst",
    "tvp": "pst",
    "vat": "vat",
}

_LEAST_HST = Decimal(10)


def tax_type(text: str | None, percentage: Decimal) -> str:
    """The type of a tax (hst, gst, qst, pst, vat) from a code or name; else the text, lower case.

    A name that says both GST and HST ("GST/HST") is HST from 10 % up: federal GST is 5 %.
    """
    words = re.findall(r"[a-z]+", (text or "").lower())
    found = {_TYPE_WORDS[word] for word in words if word in _TYPE_WORDS}
    if found == {"gst", "hst"}:
        return "hst" if percentage >= _LEAST_HST else "gst"
    if len(found) == 1:
        return found.pop()
    return " ".join(words) or "unknown"


def country_code(text: str | None) -> str | None:
    """CA for Canada however it is written; another country's text in capitals; None for no text."""
    plain = (text or "").strip().upper()
    return CANADA if plain in ("CA", "CAN", "CANADA") else plain or None


def province(*texts: str | None) -> str | None:
    """The two-letter province from the first text that names exactly one; None where no text does.

    ON, on, CA-ON, Ontario and `hst_on` all give ON; a country alone ("Canada") gives None.
    """
    for text in texts:
        found = _provinces_in(text or "")
        if len(found) == 1:
            return found.pop()
    return None


def _provinces_in(text: str) -> set[str]:
    lowered = text.casefold()
    by_name = {
        code for code, names in PROVINCES.items() if any(n.casefold() in lowered for n in names)
    }
    if by_name:
        return by_name
    # "on" is an English word: a code counts in capitals or at the end of a short code.
    codes = {word for word in re.findall(r"[A-Za-z]+", text) if word.isupper()}
    short = re.fullmatch(r"(?:[a-z0-9]+[_\-. ])?([a-z]{2})", lowered.strip())
    if short:
        codes.add(short.group(1).upper())
    return codes & PROVINCES.keys()
