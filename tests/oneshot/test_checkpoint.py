from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from raynas.oneshot import read_checkpoint, write_checkpoint
from search_spaces.errors import UserError


class Surprise:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with pytest.raises(UserError, match=f"cannot read the checkpoint {path}"):
        read_checkpoint(path)
    write_checkpoint(path, {"weights": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(UserError, match="cannot read the checkpoint"):
        read_checkpoint(path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match="cannot read the checkpoint"):
        read_checkpoint(path)


def test_code_in_a_file_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "state"
    torch.save({"x": Surprise()}, path)
    with pytest.raises(UserError, match="cannot read the checkpoint"):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps(Surprise()))
    with pytest.raises(UserError, match="cannot read the checkpoint"):
        read_checkpoint(path)
    assert "this must not run" not in capsys.readouterr().out


def test_a_file_with_something_else_is_refused(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "state")
    with pytest.raises(UserError, match="is not that of a search"):
        read_checkpoint(tmp_path / "state")


def test_a_failed_write_keeps_the_old_state(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_checkpoint(path, {"epoch": 1})
    with pytest.raises(AttributeError):
        write_checkpoint(path, {"epoch": lambda: None})
    assert read_checkpoint(path) == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state"]
