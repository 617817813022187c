"""States of searches in files."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from search_spaces.data_directory import write_atomically
from search_spaces.errors import UserError


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a state so that afterwards either the whole of it is there, or what was before.

    Raises:
        OSError: if the folder is missing, full, or not writable.
    """
    write_atomically(path, lambda temporary: torch.save(state, temporary))


def read_checkpoint(source: Path | bytes) -> dict[str, Any]:
    """Read a state without running any code of the file.

    All tensors are on the CPU, where states of generators must be; a search that takes the state
    copies the others to its device.

    Args:
        source: a file, or the content of one.

    Raises:
        UserError: the file is missing, broken, or holds more than a state may hold.
    """
    file, name = (io.BytesIO(source), "") if isinstance(source, bytes) else (source, f" {source}")
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"cannot read the checkpoint{name}: {reason}") from error
    if not isinstance(state, dict):
        raise UserError(f"the checkpoint{name} is not that of a search")
    return state
