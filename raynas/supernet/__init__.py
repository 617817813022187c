"""The weight-sharing network: operations, cell, network, explicit architecture weights.

Importing this package loads torch.
"""

from __future__ import annotations

from raynas.supernet.alphas import Alphas
from raynas.supernet.extraction import SubNetwork, extract
from raynas.supernet.memory import keep_freed_memory
from raynas.supernet.network import FLAVOURS, Supernet, SupernetSettings
from raynas.supernet.operations import PRIMITIVES
from raynas.supernet.standalone import NASBench101Network
from raynas.supernet.statistics import STATISTICS, evaluation
from raynas.supernet.weights import ActivePaths, ArchitectureWeights, one_hot

__all__ = [
    "FLAVOURS",
    "PRIMITIVES",
    "STATISTICS",
    "ActivePaths",
    "Alphas",
    "ArchitectureWeights",
    "NASBench101Network",
    "SubNetwork",
    "Supernet",
    "SupernetSettings",
    "evaluation",
    "extract",
    "keep_freed_memory",
    "one_hot",
]
