"""The worlds of the graph's tests, all of them: one needs another."""

from fcb_pipelines_tests.defs.conftest import *  # noqa: F403
