"""Figures that tests measure are shown at the end of the run, from parallel workers too.

A test says `record_property("figure", "...")`.
"""

from typing import Any

FIGURE = "figure"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List what was measured."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    told = [
        text
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == FIGURE and getattr(report, "when", None) == "call"
    ]
    if told:
        terminalreporter.section("figures")
        for text in told:
            terminalreporter.line(text)
