from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raynas.train_cell import app
from search_spaces.errors import UserError

HASH = "994482045247152d0c454acf4128fbe5"
SMALL = ("--images", "digits", "--device", "cpu", "--channels", "4", "--epochs", "1")


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_a_training_is_shown_kept_and_continued(tmp_path: Path) -> None:
    out = tmp_path / "training"
    shown = _run("--cell", HASH, *SMALL, "--benchmark", "surrogate", "--out", str(out))
    kept = json.loads((out / "training.json").read_text())
    assert "parameters with 4 channels" in shown
    assert "1 epoch in batches of" in shown
    assert "epoch 1: loss" in shown
    test = 100 * kept["accuracies"]["test"]
    assert f"accuracy  train {100 * kept['accuracies']['train']:.2f} %" in shown
    assert f"test {test:.2f} %\nbenchmark validation 92.73 %" in shown
    assert "not comparable" in shown
    assert kept["cell"]["module_hash"] == HASH
    again = _run("--resume", str(out), "--device", "cpu", "--benchmark", "surrogate")
    assert "continues after epoch 1" in again
    assert json.loads((out / "training.json").read_text())["accuracies"] == kept["accuracies"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either --cell HASH"),
        (("--cell", HASH, "--study", "x"), "give either --cell HASH"),
        (("--cell", HASH, "--method", "rs"), "--method has no effect with --cell"),
        (("--study", "x"), "--study needs --method"),
        (("--resume", "x", "--epochs", "3"), "--epochs has no effect with --resume"),
        (("--resume", "nowhere"), "not the folder of a training"),
        (("--cell", HASH, "--device", "tpu"), "unknown device 'tpu'"),
        (("--cell", HASH, "--images", "nowhere"), "unknown images 'nowhere'"),
    ],
)
def test_wrong_options(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        _run(*arguments)


def test_a_wrong_benchmark_is_found_before_the_training(tmp_path: Path) -> None:
    out = tmp_path / "training"
    with pytest.raises(UserError, match="nowhere"):
        _run("--cell", HASH, *SMALL, "--benchmark", "nowhere", "--out", str(out))
    assert not out.exists()


def test_an_error_is_one_line() -> None:
    command = [sys.executable, "-m", "raynas.train_cell", "--cell", "12"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1 and ended.stderr.startswith("error: '12' is no module")
