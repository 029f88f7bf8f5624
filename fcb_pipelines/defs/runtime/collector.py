"""How often Python looks for cycles of dead objects, in a process that holds a month.

A month is millions of values that live as long as its build, and Python's own setting looks through them again
and again: a quarter of a build's time, and almost half of the agreement of 50,000 invoices.
"""

import gc

# Objects made until the youngest are looked through. What is older is looked through as often less as ever: after
# ten such looks, and all of it after a hundred. So a process that runs for weeks gathers no garbage either.
_NEW_OBJECTS = 50_000


def collect_rarely() -> None:
    """Look for cycles after 50,000 new objects, not 700; what no cycle holds is freed at once, as ever."""
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
