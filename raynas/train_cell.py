"""`python -m raynas.train_cell --cell HASH`: train a found cell from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raynas import options
from search_spaces.command_line import run as run_command_line

if TYPE_CHECKING:
    from rich.console import Console

    from raynas.training import CellTraining, FoundCell
    from raynas.training._folder import TrainingFolder
    from search_spaces.benchmark import Benchmark

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_Text = str | None
_Number = int | None


@app.command()
def main(
    cell: Annotated[_Text, typer.Option(help="Module hash, 32 hexadecimal digits.")] = None,
    study: Annotated[
        Path | None, typer.Option(help="Instead: the final cell of a run of this study.")
    ] = None,
    method: Annotated[_Text, typer.Option(help="Of the run in --study.")] = None,
    run_seed: Annotated[_Number, typer.Option(help="Of the run in --study; 0 by default.")] = None,
    space: Annotated[_Text, typer.Option(help="Of the run, if the study has several.")] = None,
    images: Annotated[
        _Text, typer.Option(help="auto, cifar10, digits, or a path; auto by default.")
    ] = None,
    epochs: Annotated[_Number, typer.Option(help="Length of the training.")] = None,
    batch_size: Annotated[_Number, typer.Option(help="Images per step.")] = None,
    channels: Annotated[_Number, typer.Option(help="Width of the stem.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="At the beginning.")] = None,
    precision: Annotated[_Text, typer.Option(help="float32 or bf16.")] = None,
    seed: Annotated[_Number, typer.Option(help="Root of all random numbers; 0.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    benchmark: Annotated[
        str, typer.Option(help="Whose figures to compare with: auto, surrogate, or a path.")
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder of the new training.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a training to continue.")] = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Train the NAS-Bench-101 network of a cell, with a checkpoint after each epoch.

    On CIFAR-10 with NAS-Bench-101's settings (128 channels, 108 epochs of 256 images), on
    scikit-learn's digits with small ones, unless options say otherwise.
    """
    from rich.console import Console

    from raynas.execution.directory import new_path
    from raynas.training import settings_for
    from raynas.training._folder import Description, TrainingFolder
    from search_spaces.sources import open_benchmark

    which = {"cell": cell, "study": study, "method": method, "run_seed": run_seed, "space": space}
    values = {
        "epochs": epochs,
        "batch_size": batch_size,
        "channels": channels,
        "learning_rate": learning_rate,
        "precision": precision,
    }
    console = Console(quiet=quiet, highlight=False, soft_wrap=True)
    opened = open_benchmark(benchmark)  # First: a wrong name must not cost a training.
    if resume is not None:
        _refuse({**which, **values, "images": images, "seed": seed, "out": out}, "--resume")
        folder = TrainingFolder.open(resume)
    else:
        found = _cell(cell, study, method, run_seed, space)
        source, asked = _images(images)
        given = {name: value for name, value in values.items() if value is not None}
        settings = settings_for(source, **given)
        description = Description(found.cell, asked, settings, seed or 0)
        folder = TrainingFolder(
            out or new_path(f"train-{found.cell.module_hash[:12]}"), description
        )
    _train(folder, _device(device), console, new=resume is None)
    _compare(folder, opened, console)


def _cell(
    cell: str | None, study: Path | None, method: str | None, seed: int | None, space: str | None
) -> FoundCell:
    from raynas.training import cell_of_hash, cell_of_run
    from search_spaces.errors import UserError

    if (cell is None) == (study is None):
        raise UserError(
            "give either --cell HASH, or --study DIR with --method NAME, or --resume DIR",
            exit_code=2,
        )
    if cell is not None:
        _refuse({"method": method, "run_seed": seed, "space": space}, "--cell")
        return cell_of_hash(cell)
    assert study is not None
    if method is None:
        raise UserError("--study needs --method, the name of a method in it", exit_code=2)
    return cell_of_run(study, method, seed or 0, space)


def _refuse(options: dict[str, object], reason: str) -> None:
    """No option may be given that would change nothing."""
    from search_spaces.errors import UserError

    for name, value in options.items():
        if value is not None:
            flag = name.replace("_", "-")
            raise UserError(f"--{flag} has no effect with {reason}; leave it out", exit_code=2)


def _images(asked: str | None) -> tuple[str, str]:
    """Name of the source, and how to find it from any working directory."""
    from raynas.images import find_images

    source = find_images(asked or "auto")
    named = asked in (None, "auto", "cifar10", "digits")
    return source.name, source.name if named else str(Path(str(asked)).expanduser().absolute())


def _device(asked: str) -> str:
    import torch

    from search_spaces.errors import UserError, unknown_name

    if asked not in ("auto", "cpu", "cuda"):
        raise unknown_name("device", asked, ["auto", "cpu", "cuda"])
    if asked == "cuda" and not torch.cuda.is_available():
        raise UserError("this machine has no GPU that PyTorch can use; use --device cpu")
    return "cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu"


def _train(folder: TrainingFolder, device: str, console: Console, *, new: bool) -> None:
    from raynas.images import find_images, load_training_images
    from raynas.supernet import keep_freed_memory
    from raynas.training import CellTraining
    from raynas.training._folder import TrainingFolder

    described = folder.description
    images = load_training_images(find_images(described.images), device)
    training = CellTraining(described.cell, images, described.settings, seed=described.seed)
    if new:
        TrainingFolder.create(folder.path, described)
    else:
        folder.load(training)
    if device == "cpu":
        keep_freed_memory()
    settings = described.settings
    console.print(
        f"cell {described.cell.module_hash}: {training.parameters:,} parameters with "
        f"{settings.channels} channels"
    )
    console.print(
        f"{images.source.title}, {device}: {len(images.train):,} training images, "
        f"{settings.epochs} epoch{'' if settings.epochs == 1 else 's'} in batches of "
        f"{settings.batch_size}"
    )
    if training.epoch:
        console.print(f"continues after epoch {training.epoch}")
    _epochs(training, folder, console)
    accuracies = training.final_accuracies()
    folder.finish(training, accuracies)
    console.print(f"\nfolder  {folder.path}\n")
    console.print(
        "accuracy  "
        + ", ".join(f"{part} {100 * share:.2f} %" for part, share in accuracies.items())
    )


def _epochs(training: CellTraining, folder: TrainingFolder, console: Console) -> None:
    """The rest of the training; a live line on a terminal, else a plain one per epoch."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    steps = training.steps_per_epoch
    progress = Progress(
        TextColumn("epoch {task.fields[epoch]}/" + str(training.settings.epochs)),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[shown]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with progress:
        total = training.settings.epochs * steps
        done = training.epoch * steps
        bar = progress.add_task("", total=total, completed=done, epoch=training.epoch, shown="")
        while not training.finished:
            progress.update(bar, epoch=training.epoch + 1)
            result = training.advance(lambda: progress.advance(bar))
            folder.save(training)
            shown = (
                f"loss {result.loss:.3f}, train {100 * result.train_accuracy:.1f} %, "
                f"validation {100 * result.validation_accuracy:.1f} %"
            )
            progress.update(bar, shown=shown)
            if not console.is_terminal:
                console.print(f"epoch {result.epoch}: {shown}")


def _compare(folder: TrainingFolder, benchmark: Benchmark, console: Console) -> None:
    """What the benchmark says of the cell, and whether that can be compared."""
    from raynas.training import cell_of_hash, settings_for

    described = folder.description
    found = cell_of_hash(described.cell.module_hash)
    errors = found.errors(benchmark)
    if errors is None:
        console.print(f"{benchmark.name} does not know this cell")
        return
    validation, test = (100 * (1 - error) for error in errors)
    console.print(
        f"benchmark validation {validation:.2f} %, test {test:.2f} % ({benchmark.name}, CIFAR-10, "
        "108 epochs, mean of 3)"
    )
    if described.images == "digits":
        console.print("accuracies on digits and on CIFAR-10 are not comparable")
    elif described.settings != settings_for("cifar10", precision=described.settings.precision):
        console.print("not comparable: the settings are not those of NAS-Bench-101")


if __name__ == "__main__":
    run_command_line(app)
