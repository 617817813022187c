"""Evaluates many architectures at once and computes what they have in common only once."""

from __future__ import annotations

from raynas.supernet.shared.evaluator import SharedEvaluator
from raynas.supernet.shared.schedule import Paths, paths_of

__all__ = ["Paths", "SharedEvaluator", "paths_of"]
