"""The spaces: published counts, encodings, and how architectures map to unique cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import ArchitectureError, Cell, Space, UserError, load_space
from search_spaces.graph_arrays import used_vertices
from search_spaces.index import build_index
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.published import RULES, Rule, published_architectures
from search_spaces.space import as_keys

#: Counts of the three spaces: by rule, and unique cells of the last two rules.
COUNTS = {
    "1": ([14_580, 6_240, 5_508, 3_702, 2_487], [2_685, 2_127]),
    "2": ([29_160, 16_632, 16_038, 12_474, 3_609], [7_773, 3_258]),
    "3": ([1_312_200, 363_648, 265_860, 135_900, 24_066], [55_854, 17_940]),
}
THREE = tuple(COUNTS)


def shot1(name: str) -> NASBench1Shot1Space:
    space = load_space(name)
    assert isinstance(space, NASBench1Shot1Space)
    return space


@pytest.mark.parametrize("name", THREE)
@pytest.mark.parametrize("rule", RULES)
def test_published_counts(name: str, rule: Rule) -> None:
    by_rule, _ = COUNTS[name]
    vectors = published_architectures(shot1(name), rule)
    assert len(vectors) == by_rule[RULES.index(rule)]
    # As numbers: a million rows would take ten seconds to sort.
    numbers = np.ravel_multi_index(tuple(vectors.T), shot1(name).cardinalities)
    assert len(np.unique(numbers)) == len(vectors)


@pytest.mark.parametrize("name", THREE)
def test_unique_counts_of_the_sets_without_loose_ends(name: str) -> None:
    space = shot1(name)
    for rule, expected in zip(RULES[-2:], COUNTS[name][1], strict=True):
        assert len(np.unique(space.rows(published_architectures(space, rule)))) == expected
    assert space.num_architectures == COUNTS[name][0][0]
    assert space.num_unique == len(space.unique_hashes()) == COUNTS[name][1][0]


def test_unknown_counting_rule_is_refused() -> None:
    with pytest.raises(UserError, match="with-loose-ends"):
        published_architectures(shot1("1"), "all")  # type: ignore[arg-type]


def test_shared_cells_of_the_spaces() -> None:
    keys = {name: set(as_keys(load_space(name).unique_hashes()).tolist()) for name in THREE}
    assert not keys["1"] & keys["2"]
    assert not keys["2"] & keys["3"]
    assert len(keys["1"] & keys["3"]) == 201
    assert len(keys["1"] | keys["2"] | keys["3"]) == 66_111


@pytest.mark.parametrize("name", THREE)
def test_hashes_are_sorted(name: str) -> None:
    keys = as_keys(load_space(name).unique_hashes())
    assert (keys[1:] > keys[:-1]).all()


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("1", {3: 3, 4: 18, 5: 180, 6: 2484}),
        ("2", {4: 24, 5: 513, 6: 7236}),
        ("3", {3: 3, 4: 42, 5: 567, 6: 6210, 7: 49032}),
    ],
)
def test_unique_cells_by_number_of_vertices(name: str, counts: dict[int, int]) -> None:
    space = shot1(name)
    vectors = np.stack([space.representative(row) for row in range(space.num_unique)])
    sizes = used_vertices(space.matrices(vectors)).sum(1)
    for row in range(0, space.num_unique, 500):
        assert space.cell(row).num_vertices == sizes[row]
    assert dict(zip(*np.unique(sizes, return_counts=True), strict=True)) == counts


@pytest.mark.parametrize("name", THREE)
def test_parameter_range_of_the_smallest_and_largest_cells(name: str) -> None:
    space = shot1(name)
    rows = np.random.default_rng(0).integers(space.num_unique, size=200)
    counts = [space.cell(int(row)).parameter_count() for row in rows]
    low, high = {
        "1": (882_570, 41_557_898),
        "2": (301_074, 11_930_506),
        "3": (445_706, 49_979_274),
    }[name]
    assert low <= min(counts) <= max(counts) <= high


def test_stored_index_equals_a_rebuilt_one() -> None:
    space = shot1("1")
    rows, hashes = build_index(space)
    assert (space.rows(space.enumerate()) == rows).all()
    assert (space.unique_hashes() == hashes).all()


@pytest.mark.long
@pytest.mark.parametrize("name", ["2", "3"])
def test_stored_index_of_the_larger_spaces(name: str) -> None:
    space = shot1(name)
    rows, hashes = build_index(space)
    assert (space.rows(space.enumerate()) == rows).all()
    assert (space.unique_hashes() == hashes).all()


@pytest.mark.parametrize("name", [*THREE, 1, 2, 3])
def test_rows_agree_with_the_module_hash(name: str | int) -> None:
    space = load_space(name)
    vectors = space.sample(np.random.default_rng(1), 100)
    for vector, row in zip(vectors, space.rows(vectors), strict=True):
        assert space.decode(vector).digest == space.unique_hashes()[row].tobytes()
        assert space.row_of_hash(space.decode(vector).module_hash) == row


@given(st.sampled_from(THREE), st.integers(0, 2**32 - 1))
def test_encodings_round_trip(name: str, seed: int) -> None:
    space = shot1(name)
    vector = space.sample(np.random.default_rng(seed), 1)[0]
    cell = space.decode(vector)
    assert (space.encode(cell) == vector).all()
    assert space.decode(space.encode(cell.prune())) == cell
    assert (space.vectors(space.numbers(vector[None]))[0] == vector).all()
    assert (space.from_config(space.to_config(vector)) == vector).all()


@given(st.sampled_from(THREE), st.integers(0, 2**32 - 1))
def test_mutation_makes_at_most_one_change(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = load_space(name)
    parent = space.sample(rng, 1)[0]
    child = space.mutate(rng, parent)
    assert space.valid(child[None])[0]
    assert (child != parent).sum() <= 1
    if (child != parent).any():
        assert any((child == neighbour).all() for neighbour in space.neighbours(parent))


def test_mutation_kinds_are_equally_likely() -> None:
    space = shot1("3")
    rng = np.random.default_rng(0)
    parent = space.sample(rng, 1)[0]
    children = np.stack([space.mutate(rng, parent) for _ in range(6000)])
    changed = (children != parent).any(0)
    operations = (children != parent)[:, : space.num_blocks].any(1).mean()
    parents = (children != parent)[:, space.num_blocks :].any(1).mean()
    assert operations == pytest.approx(1 / 3, abs=0.03)
    assert parents == pytest.approx(1 / 3, abs=0.03)
    free = [n > 1 for n in space.cardinalities]
    assert (changed == free).all()


def test_neighbours_differ_by_one_operation_or_one_parent() -> None:
    space = shot1("3")
    centre = space.sample(np.random.default_rng(3), 1)[0]
    neighbours = space.neighbours(centre)
    assert len(np.unique(neighbours, axis=0)) == len(neighbours)
    for neighbour in neighbours:
        (choice,) = np.flatnonzero(neighbour != centre)
        if choice >= space.num_blocks:
            sets = space.parent_sets[choice - space.num_blocks]
            assert len(set(sets[neighbour[choice]]) & set(sets[centre[choice]])) == len(sets[0]) - 1
    expected = 2 * 5 + sum(k * (v - k) for v, k in enumerate(space.num_parents, start=1))
    assert len(neighbours) == expected


def test_sampling_is_uniform_over_architectures() -> None:
    space = shot1("1")
    rows = space.rows(space.sample(np.random.default_rng(0), 200_000))
    expected = space.multiplicities() / space.num_architectures
    heaviest = np.argsort(expected)[-5:]
    assert np.bincount(rows, minlength=space.num_unique)[heaviest] / len(rows) == pytest.approx(
        expected[heaviest], rel=0.05
    )
    assert space.multiplicities().sum() == space.num_architectures
    assert (space.multiplicities().max(), shot1("3").multiplicities().max()) == (486, 53_460)


def test_sampling_unique_cells_is_uniform() -> None:
    space = shot1("1")
    rows = space.rows(space.sample_unique(np.random.default_rng(0), 100_000))
    counts = np.bincount(rows, minlength=space.num_unique)
    assert counts.min() > 0
    assert counts.var() == pytest.approx(counts.mean(), rel=0.15)  # Poisson


def test_configuration_space_has_the_published_names() -> None:
    configuration_space = shot1("3").configuration_space(seed=1)
    assert sorted(configuration_space) == sorted(
        [f"choice_block_{i}_op" for i in range(1, 6)]
        + [f"choice_block_{i}_parents" for i in range(1, 7)]
    )
    config = dict(configuration_space.sample_configuration())
    vector = shot1("3").from_config(config)
    assert shot1("3").to_config(vector) == config


def test_cells_of_spaces_1_and_2_in_the_seven_vertex_form() -> None:
    space = shot1("2")
    cell = space.decode(space.sample(np.random.default_rng(5), 1)[0])
    matrix = np.insert(np.insert(cell.matrix, 5, 0, axis=0), 5, 0, axis=1)
    dummy = Cell(matrix, [*cell.ops[:-1], "conv1x1-bn-relu", "output"])
    assert dummy == cell


@pytest.mark.parametrize("vectors", [[[0] * 9], [[3] + [0] * 10], [[-1] + [0] * 10], [0] * 11])
def test_vectors_outside_the_space_are_refused(vectors: list[object]) -> None:
    with pytest.raises(ArchitectureError, match="space 3"):
        load_space(3).rows(vectors)


def test_errors_name_the_way_out() -> None:
    space: Space = load_space(1)
    with pytest.raises(UserError, match="valid are: 1, 2, 3, 101") as caught:
        load_space(4)
    assert caught.value.exit_code == 2
    with pytest.raises(ArchitectureError, match="no cell with hash"):
        space.row_of_hash("0" * 32)
    with pytest.raises(ArchitectureError, match="lacks 'choice_block_1_op'"):
        space.from_config({})
