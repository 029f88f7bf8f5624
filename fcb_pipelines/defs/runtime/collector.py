"""How often Python looks for cycles of dead objects, in a process that holds a month.

A month is millions of values that live as long as its build, and Python's own setting looks through them again
and again: a quarter of a build's time, and half of the agreement of 100,000 invoices.
"""

import gc

# Objects made until the youngest are looked through, and how many such looks until the next older ones are.
_THRESHOLDS = (50_000, 20, 100)


def collect_rarely() -> None:
    """Look for cycles after 50,000 new objects, not 700; what no cycle holds is freed at once, as ever."""
    gc.set_threshold(*_THRESHOLDS)
