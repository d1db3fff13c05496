"""Benchmarks print their figures past pytest's capture, and a table of all of them at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.report import REPORT

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--json FILE` writes the figures to a file."""
    parser.addoption("--json", type=Path, metavar="FILE", help="write the benchmarks' figures to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Print through the terminal reporter while capture is suspended."""

    def write(line: str) -> None:
        terminal, capture = (config.pluginmanager.getplugin(n) for n in ("terminalreporter", "capturemanager"))
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line)

    REPORT.write = write


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """No dots between the figures."""
    return ("passed" if report.when == "call" else "", "", "") if report.passed else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The closing table, and the file if one was asked for."""
    if REPORT.figures:
        terminalreporter.ensure_newline()
        terminalreporter.write_line("")
        terminalreporter.write(REPORT.table())
    if file := config.getoption("--json"):
        file.write_text(json.dumps(REPORT.rows(), indent=1) + "\n")
