"""What artefacts are read from: the folders of finished studies, and the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.execution.manifest import COMPARISON, read_manifest
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.analysis.runs import Run
    from raynas.analysis.searches import SearchRun
    from raynas.report.studies import StudyData
    from search_spaces.benchmark import Benchmark
    from search_spaces.table import Table


class MissingStudyError(UserError):
    """A study that an artefact needs is not there.

    Attributes:
        study: its name.
    """

    def __init__(self, study: str, reason: str) -> None:
        super().__init__(f"study {study}: {reason}")
        self.study, self.reason = study, reason

    def __reduce__(self) -> tuple[object, ...]:
        return (MissingStudyError, (self.study, self.reason))


class Evidence:
    """Files of studies, each read once.

    Args:
        folders: by study name, of finished studies.
        benchmark: what facts of the table itself are read from, as `open_benchmark` takes it.
        reasons: by study name, why it is not among the folders.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        benchmark: str = "auto",
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        self.folders = dict(folders)
        self._source = benchmark
        self._reasons = dict(reasons or {})
        self._studies: dict[Path, StudyData] = {}
        self._rows: dict[Path, list[dict[str, Any]]] = {}

    def folder(self, study: str) -> Path:
        """Where a study is.

        Raises:
            MissingStudyError: it is not there.
        """
        if study not in self.folders:
            raise MissingStudyError(study, self._reasons.get(study, "it has not been run"))
        return self.folders[study]

    def manifest(self, study: str, below: str = "") -> dict[str, Any]:
        """The manifest of a study of whatever kind; `below` names a study inside it."""
        return read_manifest(self.folder(study) / below)

    def rows(self, study: str, file: str) -> list[dict[str, Any]]:
        """The rows of a Parquet file of a study.

        Raises:
            UserError: it cannot be read.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder(study) / file
        if path not in self._rows:
            try:
                self._rows[path] = pq.ParquetFile(path).read().to_pylist()
            except (OSError, pa.ArrowException) as error:
                raise UserError(f"cannot read {path}: {str(error).splitlines()[0]}") from error
        return self._rows[path]

    def study(self, study: str, below: str = "") -> StudyData:
        """The tables of a comparison."""
        from raynas.report.studies import read_study

        path = self.folder(study) / below
        if path not in self._studies:
            self._studies[path] = read_study(path, COMPARISON)
        return self._studies[path]

    def runs(self, study: str, below: str = "") -> list[Run]:
        """The runs of a comparison, black-box and one-shot."""
        from raynas.analysis.runs import split_runs

        return split_runs(self.study(study, below).trajectories)

    def searches(self, study: str, below: str = "") -> list[SearchRun]:
        """The one-shot searches of a comparison."""
        from raynas.analysis.searches import search_runs

        data = self.study(study, below)
        return search_runs(data.searches, data.alphas, data.trajectories)

    @cached_property
    def benchmark(self) -> Benchmark:
        """What facts of the table are read from."""
        from search_spaces.sources import open_benchmark

        return open_benchmark(self._source)

    def table(self, space: str) -> Table:
        """The benchmark seen from a space."""
        from search_spaces.spaces import load_space

        return self.benchmark.table(load_space(space))
