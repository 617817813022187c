"""Runs optimizers on a fixed problem, and writes down what they do.

`python -m tests.support.optimizer_runs digests` prints what each registered optimizer proposes;
`python -m tests.support.optimizer_runs golden` writes the golden recommendations anew. A change of
that file means that an optimizer behaves differently: the commit must say why.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from raynas.optimizers import Domain, Evaluation, Optimizer, Proposal, make_optimizer
from raynas.optimizers import optimizer_names as names
from tests.support.domains import SPACE_3, CategoricalDomain, error_of

GOLDEN = Path(__file__).parent.parent / "conformance" / "golden_recommendations.json"

Event = tuple[str, Proposal, float | None]
Problem = Callable[[Proposal], float | None]


def evaluations_of(name: str) -> int:
    """How many evaluations show the method at work: past its random start, where it is fast."""
    return {"smac3": 14, "smac": 30, "tpe": 40, "re": 150}.get(name, 60)


def make(
    name: str, domain: Domain | None = None, seed: int | np.random.SeedSequence = 0
) -> Optimizer:
    """The optimizer as registered; `smac3`, whose every step takes seconds, with less effort."""
    settings = None
    if name == "smac3":
        from raynas.optimizers.smac3 import Smac3Settings

        settings = Smac3Settings(challengers=50, local_searches=2, retrain_after=4)
    return make_optimizer(name, domain or CategoricalDomain(), seed, settings)


def problem(proposal: Proposal) -> float:
    """The error surface, blurred by fixed noise that shrinks with the epochs."""
    text = f"{proposal.vector}/{proposal.epochs}".encode()
    noise = int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big") / 2**32
    cardinalities = (*SPACE_3, *([3] * len(proposal.vector)))[: len(proposal.vector)]
    return error_of(proposal.vector, cardinalities) * 0.9 + 0.1 * noise * (4 / proposal.epochs)


def failing(share: float, seed: int = 0) -> Problem:
    """The same problem, of which a share of the evaluations fails."""
    rng = np.random.default_rng(seed)
    return lambda proposal: None if rng.random() < share else problem(proposal)


def drive(
    optimizer: Optimizer,
    evaluations: int,
    *,
    workers: int = 1,
    evaluate: Problem = problem,
    seed: int = 0,
) -> list[Event]:
    """Ask and tell with `workers` proposals pending, told in random order; returns all events."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    pending: list[Proposal] = []
    told = 0
    while told < evaluations:
        while len(pending) < workers:
            proposal = optimizer.ask()
            assert proposal is not None, "nothing to propose although a worker is free"
            pending.append(proposal)
            events.append(("ask", proposal, None))
        finished = pending.pop(int(rng.integers(len(pending))))
        error = evaluate(finished)
        optimizer.tell(Evaluation(finished, error))
        events.append(("tell", finished, error))
        told += 1
    return events


def replay(optimizer: Optimizer, events: list[Event]) -> None:
    """Bring a new optimizer to where the log ends; every proposal must be the logged one."""
    for kind, proposal, error in events:
        if kind == "ask":
            assert optimizer.ask() == proposal
        else:
            optimizer.tell(Evaluation(proposal, error))


def asked(events: list[Event]) -> list[Proposal]:
    return [proposal for kind, proposal, _ in events if kind == "ask"]


def fixed_run(name: str, domain: Domain | None = None) -> list[Event]:
    """The run that digests and golden recommendations are taken of."""
    optimizer = make(name, domain, 7)
    return drive(optimizer, evaluations_of(name), workers=3)


def digest(name: str) -> str:
    text = json.dumps([[p.number, p.vector, p.epochs] for p in asked(fixed_run(name))])
    return hashlib.sha256(text.encode()).hexdigest()


def recommendation(name: str) -> dict[str, Any]:
    """The best vector at the largest budget by the error seen, and where it was found."""
    told = [(p, error) for kind, p, error in fixed_run(name) if kind == "tell"]
    largest = max(p.epochs for p, _ in told)
    best, error = min(
        ((p, e) for p, e in told if p.epochs == largest and e is not None), key=lambda x: x[1]
    )
    return {
        "vector": list(best.vector),
        "epochs": largest,
        "number": best.number,
        "error": round(error, 12),
    }


def main(command: str) -> None:
    warnings.simplefilter("ignore")
    if command == "digests":
        print(json.dumps({name: digest(name) for name in names()}))
    elif command == "golden":
        found = {name: recommendation(name) for name in names()}
        lines = [f'  "{name}": {json.dumps(value)}' for name, value in found.items()]
        GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    else:
        raise SystemExit(f"unknown command {command!r}; valid are: digests, golden")


if __name__ == "__main__":
    main(sys.argv[1])
