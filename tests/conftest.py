"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes depends on what else the machine does.
settings.register_profile("raynas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("raynas")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def measured() -> Path:
    """Folder of the partial NAS-Bench-101 tables (`cells.parquet`, `runs.parquet`, ...)."""
    default = REPOSITORY.parent / "shared" / "nasbench101"
    folder = Path(os.environ.get("RAYNAS_MEASURED", default))
    if not (folder / "cells.parquet").exists():
        pytest.skip(f"no measured tables in {folder}")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests stay together in one process: a file's, and all that look at the same pages."""
    report = REPOSITORY / "tests" / "report"
    for item in items:
        place = report if item.path.is_relative_to(report) else item.path
        item.add_marker(pytest.mark.xdist_group(str(place.relative_to(REPOSITORY))))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With `RAYNAS_NO_SKIPS=1` a skipped test is a failure: something is not installed."""
    if not os.environ.get("RAYNAS_NO_SKIPS") or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests are failures here (RAYNAS_NO_SKIPS)", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
