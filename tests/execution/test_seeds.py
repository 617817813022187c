from __future__ import annotations

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from raynas.seeds import seed_for

step = st.one_of(st.integers(0, 10**6), st.text(max_size=4))
path = st.lists(step, max_size=4).map(tuple)


def words(*where: str | int) -> tuple[int, ...]:
    return tuple(seed_for(7, *where).generate_state(4).tolist())


@given(path, path)
def test_different_paths_have_different_streams(one: tuple, other: tuple) -> None:
    same = [(type(a), a) for a in one] == [(type(b), b) for b in other]
    assert (words(*one) == words(*other)) == same


def test_a_number_is_not_its_text() -> None:
    assert words("rs", "3", 3) != words("rs", 3, "3")


def test_children_are_not_neighbours() -> None:
    child = seed_for(7, "a").spawn(1)[0]
    assert child.generate_state(4).tolist() != list(words("a", 0))


def test_study_seed_matters() -> None:
    assert seed_for(1, "a").generate_state(1) != seed_for(2, "a").generate_state(1)


def test_same_in_another_process_under_another_hash_seed() -> None:
    program = (
        "from raynas.seeds import seed_for;"
        "print(seed_for(7, 'rs', '3', 4, 'optimizer').generate_state(4).tolist())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(list(words("rs", "3", 4, "optimizer")))
