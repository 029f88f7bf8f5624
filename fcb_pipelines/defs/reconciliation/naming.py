"""Documents by name: a number does wherever a ref does, as long as it names one document."""

from collections.abc import Mapping

from fcb_pipelines.connectors.failures import NotAllowed
from fcb_pipelines.connectors.store.frames import FrameStore
from fcb_pipelines.core.close.story import called
from fcb_pipelines.core.naming import named
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.partitions import periods


def numbers(frames: FrameStore) -> dict[str, str]:
    """The number of each document of ours, listed by its source or in a built month, by ref; empty for none."""
    indexes = [frames.read(keys.source_key(name, "index").path) for name in keys.SOURCES]
    # What other products of the company sold has numbers of its own.
    found = [None if frame is None else frame[frame["in_scope"]] for frame in indexes]
    found.append(frames.read(keys.UNPLACED.path))
    found += [frames.read(keys.DISPOSITIONS.path, period) for period in periods()]
    known: dict[str, str] = {}
    for frame in found:
        if frame is not None:
            pairs = zip(frame["ref"].tolist(), frame["number"].tolist(), strict=True)
            known |= {ref: number or known.get(ref, "") for ref, number in pairs}
    return known


def ref_called(name: str, known: Mapping[str, str], tried: str) -> str:
    """The ref that a person names by itself or by a document's number; any other name as it is.

    Raises NotAllowed, saying what was `tried`, for the number of several documents.
    """
    found = called(name, known)
    if len(found) > 1:
        there = ", ".join(named(ref, known[ref]) for ref in found)
        raise NotAllowed(
            f"{tried} {name}",
            f"{len(found)} documents have this number: {there}",
            remedy="name one of them by its ref",
        )
    return found[0] if found else name
