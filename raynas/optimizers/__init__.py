"""Black-box optimizers behind one ask-and-tell interface."""

from raynas.optimizers._base import Domain, Evaluation, Optimizer, Proposal
from raynas.optimizers._registry import (
    OPTIMIZERS,
    OptimizerInfo,
    budgets,
    make_optimizer,
    multi_fidelity,
    optimizer_info,
    optimizer_names,
)

__all__ = [
    "OPTIMIZERS",
    "Domain",
    "Evaluation",
    "Optimizer",
    "OptimizerInfo",
    "Proposal",
    "budgets",
    "make_optimizer",
    "multi_fidelity",
    "optimizer_info",
    "optimizer_names",
]
