"""Service families, which decide the income account of a line by configured keywords, in order."""

from collections.abc import Sequence

from fcb_pipelines.core.company.settings import Family

OTHER = "other"
UNITEMISED = "unitemised"


def family_of(description: str, families: Sequence[Family]) -> str:
    """The key of the first family with a keyword in the description, else `other`.

    "Remaining time on X" and "Unused time on X" contain X and so belong to X's family.
    """
    text = description.casefold()
    for family in families:
        for keyword in family.keywords:
            if keyword.casefold() in text:
                return family.key
    return OTHER
