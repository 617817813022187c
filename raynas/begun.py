"""Studies that commands begin and continue: what comparisons and studies of settings share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from search_spaces.errors import UserError
from search_spaces.sources import open_benchmark
from search_spaces.spaces import load_space

if TYPE_CHECKING:
    import pyarrow as pa

    from raynas.execution.runner import RunOutcome
    from raynas.execution.study import Study
    from raynas.report.build import ReportPaths
    from search_spaces.benchmark import Benchmark
    from search_spaces.table import Table

    _Study = TypeVar("_Study", bound=Study)

_Begun = TypeVar("_Begun")


class Asked(Protocol):
    """What a user asked for; None takes what is usual."""

    @property
    def spaces(self) -> tuple[str, ...] | None:
        """Names of spaces."""

    @property
    def methods(self) -> tuple[str, ...] | None:
        """Names of methods."""

    @property
    def benchmark(self) -> str | None:
        """Where its figures come from: "auto", "surrogate" or the path of a store."""

    @property
    def seed(self) -> int | None:
        """Root of all random numbers."""

    def check(self) -> None:
        """Refuse what names nothing or counts nothing."""

    def given(self) -> dict[str, Any]:
        """The arguments that were given, as a manifest records them (without the benchmark)."""


@dataclass(frozen=True)
class Result:
    """What a finished study left.

    Attributes:
        table: its results, as they are in a file of the study.
        outcome: how the runs went.
        report: where the page and the figures are.
    """

    table: pa.Table
    outcome: RunOutcome
    report: ReportPaths


def given_values(request: Asked, *without: str) -> dict[str, Any]:
    """The fields of a request that are not None, with lists for tuples, as JSON has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(request).items()
        if value is not None and name not in without
    }


def flag(field: str) -> str:
    """The option of a command that fills a field of its request."""
    return "--" + {"spaces": "space"}.get(field, field.replace("_", "-"))


def check_common(request: Asked) -> None:
    """Refuse options that name nothing, and a negative seed.

    Raises:
        UserError: in one line.
    """
    for name, value in vars(request).items():
        if value == () or (isinstance(value, str) and not value.strip(" ,")):
            wanted = "auto, surrogate or a path" if name == "benchmark" else "names"
            raise UserError(
                f"{flag(name)} names nothing; leave it out or give {wanted}", exit_code=2
            )
    if request.seed is not None and request.seed < 0:
        raise UserError(f"--seed must not be negative, it is {request.seed}", exit_code=2)


def open_verified(source: str) -> Benchmark:
    """A benchmark, found undamaged.

    Raises:
        UserError: it is not there, or it is damaged.
    """
    benchmark = open_benchmark(source)
    benchmark.verify()
    return benchmark


def tables_of(benchmark: Benchmark, spaces: Iterable[str]) -> dict[str, Table]:
    """Its figures by space.

    Raises:
        UserError: it lacks cells of a space.
    """
    return {name: benchmark.table(load_space(name)) for name in dict.fromkeys(spaces)}


def continued(
    kind: type[_Study],
    directory: Path,
    request: Asked,
    begin: Callable[[_Study, Benchmark, Mapping[str, Table]], _Begun],
) -> _Begun:
    """Continue a study; arguments that were given must be those that it was started with.

    Args:
        kind: of the study.
        directory: the study's.
        request: what was asked for this time.
        begin: makes of the open study what is returned.

    Raises:
        UserError: if the study, the arguments or the benchmark are not as they were.
    """
    from raynas.execution.manifest import benchmark_source, read_manifest

    request.check()
    recorded = read_manifest(directory, kind.kind)
    benchmark = open_verified(benchmark_source(recorded, request.benchmark))
    study = kind.resume(directory, request.given(), benchmark.sha256)
    try:
        return begin(study, benchmark, tables_of(benchmark, study.arguments["spaces"]))
    except BaseException:
        study.close()
        raise
