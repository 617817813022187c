"""The studies that artefacts are read from, and the commands that make them.

Several artefacts read the same study, so it is named once here and run once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raynas.execution.manifest import MANIFEST
from search_spaces.errors import unknown_name

PRESETS = ("quick", "paper")
STUDIES_FOLDER = "studies"


@dataclass(frozen=True, slots=True)
class Options:
    """What a reproduction hands on to every command that knows the option; None: not given.

    Attributes:
        benchmark: "auto", "surrogate" or a path.
        images: "auto", "cifar10", "digits" or a path.
        device: "auto", "cpu" or "cuda".
        address: of a Ray cluster.
    """

    benchmark: str | None = None
    images: str | None = None
    device: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """A command and the folder that it fills.

    Attributes:
        name: of the folder.
        module: what runs, `python -m MODULE`.
        arguments: by preset.
        needs: studies whose folders are its first arguments.
        takes: which of `Options` it knows.
        resume: "--resume" of the command: "folder" (it names the study), "flag" (beside --out), or
            "none" (it is run again).
        done: the file that is there when it has finished.
        named: whether its first argument says what to run, and stands before --resume, too.
    """

    name: str
    module: str
    arguments: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ("benchmark", "images", "device", "address")
    resume: str = "folder"
    done: str = MANIFEST
    named: bool = False


_FIRST_ORDER = "darts,gdas,pc_darts,random_ws"
_ONE_SHOT = "darts,darts2,gdas,pc_darts,random_ws"
_CIFAR = ("--images", "cifar10")


def _study(name: str, quick_seeds: int = 5) -> Study:
    quick = (name, "--preset", "quick", "--space", "3", "--search-seeds", str(quick_seeds))
    paper = (name, "--preset", "paper", "--space", "1,2,3", *_CIFAR)
    return Study(name, "raynas.study", {"quick": quick, "paper": paper}, named=True)


def _sweep(method: str) -> Study:
    name = f"tuning-{method.replace('_', '-')}"
    quick = (method, "--space", "3", "--preset", "quick")
    paper = (method, "--space", "3", "--preset", "paper", "--restart", *_CIFAR)
    return Study(name, "tuning.sweep", {"quick": quick, "paper": paper})


STUDIES = {
    study.name: study
    for study in (
        Study(
            "black-box",
            "raynas.compare",
            {
                preset: (
                    *("--space", "1,2,3", "--methods", "rs,re,ls,reinforce,tpe,smac,hb,bohb"),
                    *("--evaluations", "280", "--seeds", seeds),
                )
                for preset, seeds in (("quick", "20"), ("paper", "500"))
            },
            takes=("benchmark", "address"),
        ),
        Study(
            "evolution",
            "raynas.compare",
            {
                preset: ("--space", "1,2,3", "--methods", "rs,re", "--seeds", seeds)
                for preset, seeds in (("quick", "200"), ("paper", "500"))
            },
            takes=("benchmark", "address"),
        ),
        Study(
            "one-shot",
            "raynas.compare",
            {
                "quick": (
                    *("--space", "3", "--methods", _FIRST_ORDER),
                    *("--search-seeds", "5", "--epochs", "20", "--keep-checkpoints", "all"),
                ),
                "paper": (
                    *("--space", "1,2,3", "--methods", _ONE_SHOT, "--preset", "paper"),
                    *("--search-seeds", "12", "--keep-checkpoints", "all", *_CIFAR),
                ),
            },
        ),
        Study(
            "correlation",
            "raynas.correlation",
            {
                "quick": (
                    *("--cells", "150", "--labellings", "2", "--images-limit", "256"),
                    *("--statistics", "batch", "--epochs", "5,10,20"),
                ),
                # All cells of spaces 1 and 2; as many images as the published evaluation had.
                "paper": (
                    *("--epochs", "5,15,25,35,45", "--seeds", "0,1,2", "--cells", "10000"),
                    *("--images-limit", "10000", "--statistics", "batch"),
                ),
            },
            needs=("one-shot",),
            takes=("benchmark", "device", "address"),
            resume="flag",
        ),
        Study(
            "random-policy",
            "raynas.random_policy",
            dict.fromkeys(PRESETS, ()),
            needs=("black-box", "one-shot"),
            takes=("benchmark",),
            resume="none",
            done="random_policy.parquet",
        ),
        _study("regularisation"),
        _study("learning-rate"),
        _study("epochs"),
        _study("warm-start"),
        _sweep("darts"),
        _sweep("gdas"),
        _sweep("pc_darts"),
    )
}


def find_study(name: str) -> Study:
    """The study of that name.

    Raises:
        UserError: if there is none.
    """
    if name not in STUDIES:
        raise unknown_name("study", name, list(STUDIES))
    return STUDIES[name]


def with_needed(names: Sequence[str]) -> list[str]:
    """The studies and all that they need, each after what it needs."""
    needed = {need for name in names for need in STUDIES[name].needs}
    return [name for name in STUDIES if name in needed.union(names)]


def arguments(
    study: Study, preset: str, options: Options, folders: Mapping[str, Path]
) -> tuple[str, ...]:
    """What follows `python -m MODULE`, without --out and --resume.

    Args:
        study: which.
        preset: "quick" or "paper".
        options: handed on where the command knows them; images override the preset's.
        folders: where the studies that it needs are.
    """
    own = [str(folders[name]) for name in study.needs] + list(study.arguments[preset])
    for name in study.takes:
        value = getattr(options, name)
        if value in (None, "auto"):  # which is what every command does by itself
            continue
        flag = f"--{name}"
        if flag in own:
            own[own.index(flag) + 1] = value
        else:
            own += [flag, value]
    return tuple(own)


def command_line(study: Study, given: Sequence[str], folder: Path, *, resume: bool) -> list[str]:
    """The whole command after the interpreter: ["-m", "raynas.compare", ...]."""
    start = ["-m", study.module]
    if resume and study.resume == "folder":
        return [*start, *given[: study.named], "--resume", str(folder)]
    flag = ["--resume"] if resume and study.resume == "flag" else []
    return [*start, *given, "--out", str(folder), *flag]
