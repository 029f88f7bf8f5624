"""What it costs: one module a measurement, each prints a table or, with --json, its figures."""
