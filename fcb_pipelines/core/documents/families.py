"""Service families, which decide the income account of a line by configured keywords, in order."""

from collections.abc import Sequence

from fcb_pipelines.core.company.settings import Family
from fcb_pipelines.core.ledger.entries import DocumentLine

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


def standing_line(description: str, posted: Sequence[DocumentLine]) -> DocumentLine | None:
    """T5: the posted line of this description, whose account a credit note of it takes it back from.

    A posted line may say its quantity or part after it. None where no line has it, or lines on several accounts.
    """
    own = [line for line in posted if line.description == description]
    own = own or [line for line in posted if line.description.startswith(f"{description} (")]
    return own[0] if len({line.account for line in own}) == 1 else None
