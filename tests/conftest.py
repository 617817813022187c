"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def measured() -> Path:
    """Folder of the partial NAS-Bench-101 tables (`cells.parquet`, `runs.parquet`, ...)."""
    default = REPOSITORY.parent / "shared" / "nasbench101"
    folder = Path(os.environ.get("RAYNAS_MEASURED", default))
    if not (folder / "cells.parquet").exists():
        pytest.skip(f"no measured tables in {folder}")
    return folder
