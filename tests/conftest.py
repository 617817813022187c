"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes depends on what else the machine does.
settings.register_profile("raynas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("raynas")

REPOSITORY = Path(__file__).resolve().parent.parent

# Ray's workers are at 15 by default: beside other tests they would hardly get any processor.
os.environ.setdefault("RAY_worker_niceness", "0")

#: What takes a process longest begins first; it waits for Ray or a browser while others compute.
LONGEST = ("tests/report/", "tests/test_compare.py", "tests/execution/test_run_study.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def measured() -> Path:
    """Folder of the partial NAS-Bench-101 tables (`cells.parquet`, `runs.parquet`, ...)."""
    default = REPOSITORY.parent / "shared" / "nasbench101"
    folder = Path(os.environ.get("RAYNAS_MEASURED", default))
    if not (folder / "cells.parquet").exists():
        pytest.skip(f"no measured tables in {folder}")
    return folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What stays together in one process: a file's tests, and all that look at the same pages."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFixtures(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return "tests/report" if file.startswith("tests/report/") else file

    return ByFixtures(config, log)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With `RAYNAS_NO_SKIPS=1` a skipped test is a failure: something is not installed."""
    if not os.environ.get("RAYNAS_NO_SKIPS") or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests are failures here (RAYNAS_NO_SKIPS)", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
