"""A sample of the faults that another commit draws otherwise: some of each layer, more of the larger."""

import os
import random
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from fcb_pipelines_tests.mutation.fault import Fault, Layer

VARIABLE = "FCB_MUTATION_SEED"


def seed_of_commit() -> str:
    """What the sample is drawn by: FCB_MUTATION_SEED, else the commit, else (no repository) nothing."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    try:
        told = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return told.stdout.strip()


def sample(faults: Sequence[Fault], size: int, seed: str) -> list[Fault]:
    """`size` of the faults, or one of each layer where that is more, in the order of their list.

    The same seed draws the same faults. A layer's share is that of its faults; none has fewer than one.
    """
    by_layer: dict[Layer, list[Fault]] = defaultdict(list)
    for one in faults:
        by_layer[one.layer].append(one)
    # Not for secrets: a commit must draw the same sample wherever it is tried.
    draw = random.Random(seed)  # noqa: S311
    drawn = [draw.choice(of_layer) for of_layer in by_layer.values()]
    rest = [one for one in faults if one not in drawn]
    drawn += draw.sample(rest, min(len(rest), max(0, size - len(drawn))))
    return [one for one in faults if one in drawn]
