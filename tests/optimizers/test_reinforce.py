from __future__ import annotations

import numpy as np
import pytest

from raynas.optimizers import Evaluation
from raynas.optimizers.reinforce import (
    MovingAverage,
    Reinforce,
    ReinforceSettings,
    log_probability_gradient,
    softmax,
)
from tests.support.domains import CategoricalDomain
from tests.support.optimizer_runs import drive


def test_published_defaults() -> None:
    assert ReinforceSettings() == ReinforceSettings(0.1, 0.9, 108)


def log_probability(logits: list[np.ndarray], vector: tuple[int, ...]) -> float:
    return sum(
        float(np.log(softmax(choice)[option]))
        for choice, option in zip(logits, vector, strict=True)
    )


def test_gradient_equals_finite_differences() -> None:
    rng = np.random.default_rng(0)
    logits = [rng.normal(size=n) for n in (3, 1, 5)]
    vector = (2, 0, 1)
    gradients = log_probability_gradient(logits, vector)
    for choice, gradient in zip(logits, gradients, strict=True):
        for i in range(len(choice)):
            step = 1e-6
            choice[i] += step
            above = log_probability(logits, vector)
            choice[i] -= 2 * step
            below = log_probability(logits, vector)
            choice[i] += step
            assert gradient[i] == pytest.approx((above - below) / (2 * step), abs=1e-8)


def test_baseline_is_the_bias_corrected_moving_average() -> None:
    average = MovingAverage(0.9)
    rewards = [0.5, 0.7, 0.2, 0.9]
    for t, _ in enumerate(rewards, start=1):
        weights = 0.1 * 0.9 ** np.arange(t)[::-1]
        expected = np.dot(weights, rewards[:t]) / (1 - 0.9**t)
        assert average.update(rewards[t - 1]) == pytest.approx(expected)


def test_one_step_is_plain_ascent_along_the_advantage() -> None:
    optimizer = Reinforce(CategoricalDomain((3, 2)), 0)
    first, second = optimizer.ask(), optimizer.ask()
    optimizer.tell(Evaluation(first, 0.4))
    assert all((choice == 0).all() for choice in optimizer.logits), "the first advantage is 0"
    optimizer.tell(Evaluation(second, 0.2))
    advantage = 0.8 - (0.1 * 0.8 + 0.09 * 0.6) / 0.19
    for choice, option in zip(optimizer.logits, second.vector, strict=True):
        one_hot = np.arange(len(choice)) == option
        assert choice == pytest.approx(0.1 * advantage * (one_hot - 1 / len(choice)))


def test_the_policy_learns_which_option_is_good() -> None:
    optimizer = Reinforce(CategoricalDomain((4, 4)), 0, ReinforceSettings(learning_rate=0.5))
    drive(optimizer, 600, evaluate=lambda p: 0.1 if p.vector[0] == 2 else 0.9)
    assert softmax(optimizer.logits[0])[2] > 0.9
    assert softmax(optimizer.logits[1]).max() < 0.6


def test_a_failure_earns_the_worst_reward_and_nothing_before_the_first() -> None:
    failed, worst = (Reinforce(CategoricalDomain((3, 2)), 0) for _ in range(2))
    optimizer = Reinforce(CategoricalDomain((3, 2)), 0)
    optimizer.tell(Evaluation(optimizer.ask(), None))
    assert optimizer._baseline.update(0.5) == 0.5
    for end, run in ((None, failed), (0.7, worst)):
        for error in (0.3, 0.7, end):
            run.tell(Evaluation(run.ask(), error))
    assert all((a == b).all() for a, b in zip(failed.logits, worst.logits, strict=True))


def test_draws_follow_the_policy() -> None:
    optimizer = Reinforce(CategoricalDomain((3,)), 0)
    optimizer.logits[0][:] = np.log([0.2, 0.5, 0.3])
    share = np.bincount([optimizer._draw()[0] for _ in range(5000)]) / 5000
    assert share == pytest.approx([0.2, 0.5, 0.3], abs=0.03)
