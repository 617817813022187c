from __future__ import annotations

import numpy as np
import torch

from raynas.oneshot import method_settings
from tests.support.searches import digest, tiny_search


def test_each_step_trains_one_random_path() -> None:
    search = tiny_search("random_ws", space="3")
    own = search.method
    paths = [own.mixing_weights() for _ in range(300)]
    for path in paths[:20]:
        assert path.operation.sum(1).tolist() == [1.0] * 5
        assert path.output.sum().item() == 2
        assert [row.sum().item() for row in path.inputs] == [1, 1, 2, 2]
        assert path.active is not None
    shares = torch.stack([path.operation for path in paths]).mean(0)
    assert (shares - 1 / 3).abs().max() < 0.12


def test_what_is_not_on_the_path_does_not_learn() -> None:
    search = tiny_search("random_ws", weight_decay=0.0)
    own, network = search.method, search.method.network
    vector = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0], np.uint8)  # conv1x1 everywhere
    own.mixing_weights = lambda: own._weights(vector)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    own.weight_step(next(iter(search.images.train.in_order(24))))
    moved = {name for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert any("conv1x1" in name for name in moved)
    assert not any("conv3x3" in name for name in moved)


def test_the_winner_is_the_best_finalist_on_the_whole_half() -> None:
    values = {"candidates": 6, "finalists": 6, "final_rounds": 0}
    search = tiny_search("random_ws", epochs=3, **values)
    seen = []
    new_stream = search.method._new_stream

    def watched_stream():
        seen.append(search.method.generator.get_state())
        return new_stream()

    search.method._new_stream = watched_stream
    (record,) = search.advance()
    search.method.generator.set_state(seen[-1])
    candidates = search.space.sample(new_stream(), 6)
    scores = search.evaluate(candidates)
    assert record.vector == tuple(candidates[scores.argmax()].tolist())
    assert record.validation_accuracy == scores.max()


def test_finalists_are_chosen_by_the_few_batches() -> None:
    calls = []

    def made_up(vectors, batches):
        calls.append((len(vectors), [len(batch.labels) for batch in batches]))
        return np.linspace(0, 1, len(vectors))

    values = {"candidates": 20, "candidate_batches": 2, "finalists": 5, "final_rounds": 0}
    search = tiny_search("random_ws", epochs=3, **values)
    search.evaluator.accuracies = made_up
    search.advance()
    assert calls == [(20, [16, 16]), (5, [16, 16, 16])]


def test_rounds_after_each_epoch_and_at_the_end(monkeypatch) -> None:
    search = tiny_search("random_ws", epochs=3)
    rounds = []
    held = search.method._round

    def watched_round(evaluator):
        rounds.append(search.epoch)
        return held(evaluator)

    monkeypatch.setattr(search.method, "_round", watched_round)
    search.advance(3)
    assert rounds == [0, 1, 2, 2]


def test_the_published_numbers() -> None:
    settings = method_settings("random_ws")
    assert (settings.batch_size, settings.gradient_clip) == (64, 0.25)
    assert (settings.candidates, settings.candidate_batches, settings.finalists) == (1000, 10, 5)


def test_a_tournament_does_not_train() -> None:
    search = tiny_search("random_ws")
    before = digest(search.method.network.state_dict())
    search.method.end_epoch(0, search.evaluator)
    assert digest(search.method.network.state_dict()) == before
