"""The cells that runs of methods ended with, from a study or from a table of someone else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raynas.analysis.random_policy.ended import ended
from raynas.analysis.random_policy.rivals import RANDOM_SEARCH, Rivals
from raynas.analysis.runs import ONE_SHOT, Run
from search_spaces.errors import UserError
from search_spaces.space import Space, as_keys
from search_spaces.spaces import SPACE_NAMES, load_space

REQUIRED = ("method", "seed", "module_hash")
OPTIONAL = ("space", "weight_sharing", "seconds")
#: Ending of the label of a method that is there with weight sharing too.
WITHOUT = " without sharing"
#: With weight sharing -> the same policy without it. Methods of one name in both ways need none.
COUNTERPARTS = {"random_ws": "rs", "enas": "reinforce"}
_MAKE = "python -m raynas.compare --space {}"


@dataclass(frozen=True)
class Finals:
    """The final cells of one method in one space.

    Attributes:
        method: its name, or its name and the source's: "rs · other".
        space: name of the space.
        weight_sharing: whether it searched with shared weights; None if that is not known.
        seeds: (n,) seed of each run.
        rows: (n,) unique cell of the space that each run ended with; -1 if it ended with none.
        seconds: (n,) how long each run took, nan if that is not known.
        clock: what the seconds are: "simulated" training, or "real" ones of a search.
        source: study or file that the runs are of.
        workers: evaluations that ran at the same time.
        rivals: (m,) unique cell that each random-search run of the same study had after as many
            seconds as the runs took on average; -1 where it had none. None without such runs.
        oracle: whether the cells were chosen by their test errors.
    """

    method: str
    space: str
    weight_sharing: bool | None
    seeds: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    clock: str
    source: str
    workers: int = 1
    rivals: npt.NDArray[np.int64] | None = None
    oracle: bool = False

    @property
    def ended(self) -> npt.NDArray[np.bool_]:
        """Which runs ended with a cell."""
        return self.rows >= 0

    @property
    def mean_seconds(self) -> float:
        """Mean of the runs that ended with a cell; nan if it is not known of all."""
        return float(self.seconds[self.ended].mean()) if self.ended.any() else float("nan")


def finals_of_runs(
    runs: Sequence[Run],
    source: str,
    workers: int = 1,
    planned: Mapping[str, int] | None = None,
    rivals: Rivals | None = None,
    *,
    oracle: bool = False,
) -> list[Finals]:
    """The final incumbents of a study's runs; searches that failed ended with no cell.

    Args:
        runs: of all methods and spaces.
        source: name of the study.
        workers: evaluations that ran at the same time, in black-box runs.
        planned: epochs of the searches by method, see `ended`.
        rivals: the runs of random search among them.
        oracle: whether black-box methods chose their incumbents by test error.

    Raises:
        UserError: no run ended with a cell.
    """
    found = []
    for method, space in dict.fromkeys((run.method, run.space) for run in runs):
        mine = [run for run in runs if (run.method, run.space) == (method, space)]
        shared = mine[0].family == ONE_SHOT
        complete = [ended(run, planned or {}) for run in mine]
        whole = [run for run, came in zip(mine, complete, strict=True) if came]
        cells = [run.cell if came else None for run, came in zip(mine, complete, strict=True)]
        found.append(
            Finals(
                method,
                space,
                shared,
                np.array([run.seed for run in mine], np.int64),
                _rows(space, cells, method, [r.seed for r in mine], source),
                np.array([run.seconds[-1] for run in mine]),
                "real" if shared else "simulated",
                source,
                1 if shared else workers,
                _rivals(whole or mine, rivals, choosing_alike=not (oracle and shared)),
                oracle and not shared,
            )
        )
    return _with_cells(found, source)


def _rivals(
    mine: Sequence[Run], rivals: Rivals | None, *, choosing_alike: bool
) -> npt.NDArray[np.int64] | None:
    if rivals is None or mine[0].method == RANDOM_SEARCH or not choosing_alike:
        return None
    space = mine[0].space
    cells = rivals.after(space, float(np.mean([run.seconds[-1] for run in mine])))
    return find_rows(load_space(space), cells) if cells else None


def finals_of_table(table: pa.Table, source: str, space: str | None) -> list[Finals]:
    """The final cells of a table with one row per run.

    Args:
        table: columns `REQUIRED`, and if there are any `OPTIONAL`. A run that ended without a cell
            has a null module hash.
        source: what to call it.
        space: name of the space; None if the table has a column of it.

    Raises:
        UserError: columns are missing or of another type, a hash is not of the space, or a seed is
            there twice.
    """
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise UserError(
            f"{source} lacks the columns {', '.join(missing)}; one row per run is needed, with "
            f"{', '.join(REQUIRED)} (and, if known, {', '.join(OPTIONAL)})"
        )
    if "space" not in table.column_names:
        if space is None:
            raise UserError(f"{source} has no column space; say which with --space", exit_code=2)
        table = table.append_column("space", pa.repeat(space, table.num_rows))
    rows = _typed(table, source)
    if space is not None and any(row["space"] != space for row in rows):
        other = next(row["space"] for row in rows if row["space"] != space)
        raise UserError(f"{source} is of space {other}, not of space {space}; leave --space out")
    keys = dict.fromkeys((r["method"], r["space"], r["weight_sharing"]) for r in rows)
    found = [
        _group(
            key, [r for r in rows if (r["method"], r["space"], r["weight_sharing"]) == key], source
        )
        for key in keys
    ]
    return _with_cells(found, source)


def _typed(table: pa.Table, source: str) -> list[dict[str, object]]:
    types = {
        "method": pa.string(),
        "seed": pa.int64(),
        "module_hash": pa.string(),
        "space": pa.string(),
        "weight_sharing": pa.bool_(),
        "seconds": pa.float64(),
    }
    columns = {}
    for name, kind in types.items():
        if name not in table.column_names:
            columns[name] = pa.nulls(table.num_rows, kind)
            continue
        try:
            columns[name] = pc.cast(table.column(name), kind)
        except pa.ArrowException as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{source}: the column {name} is no {kind} ({reason})") from error
        if name in ("method", "seed", "space") and columns[name].null_count:
            raise UserError(f"{source}: the column {name} has empty places; fill them in")
    seconds = columns["seconds"].to_pylist()
    wrong = [s for s in seconds if s is not None and (s < 0 or s == float("inf"))]
    if wrong:
        raise UserError(
            f"{source}: the column seconds has {wrong[0]:g}; each must be a number of at least 0, "
            "or empty if it is not known"
        )
    rows: list[dict[str, object]] = pa.table(columns).to_pylist()
    return rows


def _group(
    key: tuple[object, object, object], rows: list[dict[str, object]], source: str
) -> Finals:
    method, space, shared = str(key[0]), str(key[1]), key[2]
    if space not in SPACE_NAMES:
        raise UserError(f"{source}: {space!r} is no space; valid are: {', '.join(SPACE_NAMES)}")
    seeds = [int(str(row["seed"])) for row in rows]
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise UserError(f"{source} has seed {twice} of {method} twice; one row per run is needed")
    hashes = [None if not row["module_hash"] else str(row["module_hash"]) for row in rows]
    seconds = [np.nan if row["seconds"] is None else float(str(row["seconds"])) for row in rows]
    return Finals(
        method,
        space,
        None if shared is None else bool(shared),
        np.array(seeds, np.int64),
        _rows(space, hashes, method, seeds, source),
        np.array(seconds),
        "real" if shared else "simulated",
        source,
    )


def _with_cells(found: list[Finals], source: str) -> list[Finals]:
    if any(finals.ended.any() for finals in found):
        return found
    space = found[0].space if found else "3"
    raise UserError(
        f"{source} has no run that ended with a cell; `{_MAKE.format(space)}` makes a study "
        "that has"
    )


def _rows(
    space: str, hashes: Sequence[str | None], method: str, seeds: Sequence[int], source: str
) -> npt.NDArray[np.int64]:
    found = find_rows(load_space(space), hashes)
    for i, text in enumerate(hashes):
        if text is not None and found[i] < 0:
            raise UserError(
                f"{source}: cell {text} ({method}, seed {seeds[i]}) is not in space {space}; "
                f"{_elsewhere(text, space)}"
            )
    return found


def find_rows(space: Space, hashes: Sequence[str | None]) -> npt.NDArray[np.int64]:
    """Row of each module hash; -1 where there is none, or the space does not have it."""
    keys = as_keys(space.unique_hashes())
    rows = np.full(len(hashes), -1, np.int64)
    for i, text in enumerate(hashes):
        digest = _digest(text)
        if digest is not None:
            place = int(np.searchsorted(keys, digest))
            rows[i] = place if place < len(keys) and keys[place] == digest else -1
    return rows


def _digest(text: str | None) -> np.bytes_ | None:
    try:
        raw = bytes.fromhex(text or "")
    except ValueError:
        return None
    return as_keys(np.frombuffer(raw, np.uint8)[None])[0] if len(raw) == 16 else None


def _elsewhere(text: str, space: str) -> str:
    if _digest(text) is None:
        return "a module hash has 32 hexadecimal digits"
    others = [n for n in ("1", "2", "3") if n != space and find_rows(load_space(n), [text])[0] >= 0]
    if others:
        return f"space {' and '.join(others)} has it: say so with --space or a column space"
    return "NAS-Bench-1Shot1's spaces do not have it; is it of NAS-Bench-101 (--space 101)?"


def distinct(found: Iterable[Finals]) -> list[Finals]:
    """Rename methods that several sources have, so that their runs are not mixed.

    Of a method that is there with weight sharing, runs known to be without it are named so; any
    others of one name are told apart by their source.
    """
    given = list(found)
    shared = {(one.method, one.space) for one in given if one.weight_sharing}
    taken: set[tuple[str, str]] = set()
    result = []
    for finals in given:
        without = finals.weight_sharing is False and (finals.method, finals.space) in shared
        base = label = f"{finals.method}{WITHOUT}" if without else finals.method
        number = 1
        while (label, finals.space) in taken:
            suffix = f" ({number})" if number > 1 else ""
            label = f"{base} · {finals.source}{suffix}"
            number += 1
        taken.add((label, finals.space))
        result.append(replace(finals, method=label))
    return result


def counterpart(finals: Finals, others: Sequence[Finals]) -> Finals | None:
    """The same method without weight sharing, of a method with it; of the same source if it can."""
    if not finals.weight_sharing:
        return None
    base = finals.method.partition(" · ")[0]
    twin = COUNTERPARTS.get(base, base)
    names = {f"{name}{end}" for name in (base, twin) for end in ("", WITHOUT)}
    for other in sorted(others, key=lambda one: one.source != finals.source):
        name, _, elsewhere = other.method.partition(" · ")
        alike = name in names and other.space == finals.space
        near = not elsewhere or other.source == finals.source
        if alike and near and other.weight_sharing is False and not other.oracle:
            return other
    return None
