"""The scripts of a node, with stand-ins for what they start."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.support.processes import alive, still_there

pytestmark = pytest.mark.cluster

NODE = Path(__file__).resolve().parents[2] / "clusters" / "node"
SLEEP = shutil.which("sleep") or "/bin/sleep"

PYTHON = """#!/bin/sh
echo "$@" >>{home}/calls
sleep 0.2
"""

#: Starts what Ray starts, one of them without the environment, as a title overwrites it.
RAY = """#!/bin/sh
echo "$@" >>{home}/calls
[ "$1" = start ] || exit 0
exec >/dev/null 2>&1
{bin}/gcs_server 1000 & echo gcs $! >>{home}/started
{bin}/raylet 1000 & echo raylet $! >>{home}/started
env -i {bin}/ray::IDLE 1000 & echo worker $! >>{home}/started
"""


class Node:
    """A home with a release in it, and stand-ins for Python and Ray."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.raynas = folder / "raynas"
        self.release = self.raynas / "release"
        shutil.copytree(NODE, self.release)
        (self.release / "wheel").write_text("raynas-1.2.3-py3-none-any.whl\n")
        (self.release / "raynas-1.2.3-py3-none-any.whl").write_text("wheel")
        (self.release / "constraints.txt").write_text("ray==1\n")
        (self.release / "auth_token").write_text("token")
        self._programs = self.raynas / "environment" / "bin"
        self._programs.mkdir(parents=True)
        for name in ("gcs_server", "raylet", "ray::IDLE"):
            shutil.copy(SLEEP, self._programs / name)
        for name, text in {"python": PYTHON, "ray": RAY}.items():
            program = self._programs / name
            program.write_text(text.format(home=folder, bin=self._programs))
            program.chmod(0o755)

    def run(self, *command: str) -> None:
        environment = os.environ | {"HOME": str(self.home)}
        environment.pop("RAYNAS_DATA", None)
        subprocess.run(command, check=True, env=environment, timeout=60, capture_output=True)

    def set_up(self, *items: str) -> None:
        self.run("bash", str(self.release / "setup.sh"), *items)

    def ray(self, *arguments: str) -> None:
        self.run(str(self.release / "bin" / "ray"), *arguments)

    def calls(self) -> list[str]:
        """What was called since the last time."""
        path = self.home / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def started(self) -> dict[str, psutil.Process]:
        lines = (self.home / "started").read_text().splitlines()
        return {name: psutil.Process(int(pid)) for name, pid in map(str.split, lines)}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "one")
    yield node
    node.ray("stop")


def test_a_node_is_prepared_once(node: Node) -> None:
    install = (
        f"-m pip install --quiet --disable-pip-version-check --constraint "
        f"{node.release}/constraints.txt"
    )
    wheel = f"{node.release}/raynas-1.2.3-py3-none-any.whl"
    node.set_up("nasbench101 --full", "cifar10")
    fetches = ["-m search_spaces.fetch nasbench101 --full", "-m search_spaces.fetch cifar10"]
    assert node.calls() == [f"{install} {wheel}", *fetches]
    node.set_up("cifar10")
    assert node.calls() == fetches[1:]
    Path(wheel).write_text("another build of the same version")
    node.set_up()
    assert node.calls() == [f"{install} {wheel}", f"{install} --force-reinstall --no-deps {wheel}"]
    assert (node.home / ".bashrc").read_text().count("environment.sh ] ||") == 1
    assert stat.S_IMODE((node.release / "auth_token").stat().st_mode) == 0o600


def test_nodes_with_one_home_wait_for_each_other(node: Node) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: node.set_up(), range(3)))
    assert len(node.calls()) == 1


def test_login_shells_know_ray_and_the_token(node: Node) -> None:
    (node.home / ".profile").write_text("[ -f ~/.bashrc ] && . ~/.bashrc\n")
    node.set_up()
    shown = subprocess.run(
        ["bash", "--login", "-ic", 'command -v ray; echo "$RAY_AUTH_MODE $RAY_AUTH_TOKEN_PATH"'],
        env={"HOME": str(node.home), "PATH": os.environ["PATH"], "RAY_AUTH_TOKEN": "stale"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    ).stdout
    assert shown.splitlines()[-2:] == [
        str(node.release / "bin" / "ray"),
        f"token {node.release}/auth_token",
    ]


def test_stop_spares_other_clusters(node: Node, tmp_path: Path) -> None:
    """Of another home, and of Ray's own command."""
    other = Node(tmp_path / "two")
    bare = subprocess.Popen([SLEEP, "1000"], start_new_session=True)
    try:
        for each in (node, other):
            each.ray("start", "--head")
        mine, others = node.started(), other.started()
        assert node.calls() == ["start --head"] and all(map(alive, mine.values()))
        node.ray("stop")
        assert still_there(list(mine.values()), 10) == []
        assert all(map(alive, others.values())) and bare.poll() is None
        node.ray("stop")  # nothing is left to stop
        assert node.calls() == []
    finally:
        other.ray("stop")
        bare.kill()
        bare.wait()
    assert still_there(list(others.values()), 10) == []


def test_what_a_dead_raylet_leaves_behind_ends(node: Node) -> None:
    node.ray("start", "--address=here")
    started = node.started()
    started["raylet"].kill()
    assert still_there(list(started.values()), 60) == []


@pytest.mark.long
def test_a_process_that_will_not_end_is_killed(node: Node) -> None:
    node.ray("start", "--head")
    started = node.started()
    started["raylet"].suspend()  # gets the kind signal only when it goes on
    node.ray("stop")
    assert still_there(list(started.values()), 10) == []


def test_other_commands_are_rays_own(node: Node) -> None:
    node.ray("status", "--address", "here")
    assert node.calls() == ["status --address here"]
