"""Every benchmark, one after the other, each in a process of its own. The last two need an Odoo: each installs one."""

import subprocess
import sys

EACH = (
    ("core", "--invoices", "100000", "--a-month", "100000"),
    ("extract", "--invoices", "250000"),
    ("books", "--months", "60", "--documents", "333"),
    ("history", "--invoices", "12000", "--months", "24"),
    ("index", "--invoices", "100000"),
    ("intake", "--records", "190000"),
    ("posting", "--documents", "400"),
    ("year", "--invoices", "2000", "--ledger", "odoo"),
)


def main() -> int:
    """Run those that are named, or all; 1 when one of them failed."""
    named = sys.argv[1:]
    codes = []
    for name, *sizes in EACH:
        if named and name not in named:
            continue
        print(f"\n{name} {' '.join(sizes)}", flush=True)
        codes.append(subprocess.call([sys.executable, "-m", f"benchmarks.{name}", *sizes]))
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
