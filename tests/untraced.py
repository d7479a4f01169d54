"""Processes that get a signal must not be traced by coverage.

A signal's exception that is raised while coverage holds its lock leaves the process waiting for
that lock for ever.
"""

import os


def untraced_environment() -> dict[str, str]:
    """This process's environment without what makes coverage trace a new process."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
