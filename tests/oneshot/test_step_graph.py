from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from raynas.images import Pass
from raynas.oneshot.darts import Darts
from raynas.oneshot.darts2 import Darts2
from raynas.oneshot.step_graph import WARM_UP, StepGraph, step_function
from tests.support.searches import digest, tiny_search
from tests.support.supernets import generator


def _result(method_name: str, capture: object, *, searching: bool = True, steps: int = 3):
    """State after some steps: without graph if `capture` is None."""
    search = tiny_search(method_name, space="3", arch_learning_rate=0.1)
    method = search.method
    train = Pass.draw(search.images.train, 8, generator())
    validation = Pass.draw(search.images.validation, 8, generator(1))
    take = step_function(method, searching=searching)
    if capture is not None:
        take = StepGraph(method, searching=searching, capture=capture)
    losses = [float(take(train[step], validation[step])[0]) for step in range(steps)]
    return digest([method.state_dict(), losses])


def _record(calls: list[int]):
    """In place of a GPU: what is captured is not done, and done again at each replay."""

    def capture(work: Callable[[], object]) -> Callable[[], object]:
        calls.append(0)

        def replay() -> None:
            calls[-1] += 1
            work()

        return replay

    return capture


@pytest.mark.parametrize("name", ["darts", "darts2", "pc_darts"])
@pytest.mark.parametrize("searching", [True, False])
def test_replays_take_the_same_steps(name: str, searching: bool) -> None:
    calls: list[int] = []
    steps = WARM_UP + 2
    plain = _result(name, None, searching=searching, steps=steps)
    assert _result(name, _record(calls), searching=searching, steps=steps) == plain
    assert calls == [2]


def test_without_a_capture_the_steps_go_on(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(work: Callable[[], object]) -> Callable[[], object]:
        raise RuntimeError("operation not permitted")

    steps = WARM_UP + 2
    assert _result("darts", refuse, steps=steps) == _result("darts", None, steps=steps)
    assert caplog.messages == ["steps are not replayed as a CUDA graph: operation not permitted"]


def test_too_little_memory_for_a_capture_is_no_reason_to_go_on() -> None:
    """The trial is given a larger share of the GPU."""

    def too_little(work: Callable[[], object]) -> Callable[[], object]:
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        _result("darts", too_little, steps=WARM_UP + 1)


def test_a_derived_method_is_captured_only_if_it_says_so() -> None:
    class Noisy(Darts):
        name = "noisy"

    assert Darts.capturable and Darts2.capturable and not Noisy.capturable


def test_a_cpu_has_no_graphs() -> None:
    method = tiny_search("darts").method
    assert method.capturable
    assert not isinstance(step_function(method, searching=True), StepGraph)


def test_methods_that_draw_are_not_captured() -> None:
    method = tiny_search("gdas").method
    method.device = torch.device("cuda")
    assert not isinstance(step_function(method, searching=True), StepGraph)
