"""`ray up` over ssh on machines made of namespaces, a sweep on the worker, and `ray down`."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.machines import REPOSITORY, Machine, Network, missing_tools

HEAD, WORKER = "10.77.0.2", "10.77.0.3"
OTHER = f"{HEAD}:7000"
#: Seconds for one command; on an overloaded machine each takes many times as long.
PATIENCE = 300
SITE_PACKAGES = Path("lib", f"python3.{sys.version_info.minor}", "site-packages")

SWEEP = """
import socket, sys
from ConfigSpace import ConfigurationSpace
from search_spaces.errors import UserError
from tuning.evaluation import Outcome
from tuning.run import run_sweep
from tuning.settings import SweepSettings

def objective(configuration, epochs, previous_checkpoint, seed):
    error = (configuration["x"] - 0.3) ** 2 + 1 / epochs
    return Outcome(error, device=socket.gethostname())

def sweep(resume):
    return run_sweep(
        SweepSettings("hyperband", min_epochs=1, max_epochs=4, iterations=3, concurrent=2),
        ConfigurationSpace({"x": (0.0, 1.0)}, seed=0),
        objective, sys.argv[1], resume=resume, address="auto", gpus_per_trial=1.0,
        start_timeout=300.0,
    )

for attempt in range(4):  # an overloaded machine does not answer in time
    try:
        result = sweep(resume=attempt > 0)
        break
    except UserError as error:
        print(error)
print("evaluations", result.table.num_rows, "failed", result.failed)
print("ran on", sorted(set(result.table["device"].to_pylist())))
"""

PROBE = "from raynas.execution.cluster import probe_cluster as probe; probe({address!r})"

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(1800),  # a minute and a half where nothing else runs
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or os.geteuid() != 0 or bool(missing_tools()),
        reason="needs root on Linux and openssh-server, rsync, iproute2, util-linux",
    ),
]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Network(tmp_path, ("head", "worker")) as network:
        for machine in network.nodes.values():
            prepare_node(machine)
        prepare_launcher(network.launcher)
        start_other_cluster(network.nodes["head"])
        yield network


def test_from_up_to_down(network: Network, tmp_path: Path) -> None:
    launcher, head, worker = network.launcher, *network.nodes.values()
    others = set(head.processes())

    up(launcher)
    assert launcher.run("ray get-head-ip cluster.yaml", PATIENCE).stdout.split()[-1] == HEAD
    (head.home / "sweep.py").write_text(SWEEP)
    swept = launcher.run("ray exec cluster.yaml 'python ~/sweep.py ~/study'", 2 * PATIENCE).stdout
    # One worker's address is given, and it has the only GPU.
    assert "evaluations 13 failed 0" in swept and "ran on ['worker']" in swept

    joined = probe(head, f"{HEAD}:6379", "export RAY_AUTH_TOKEN=of-another-cluster")
    assert joined.startswith(f"no Ray cluster at {HEAD}:6379: ")
    assert answers(head, f"{HEAD}:6379")

    launcher.run("ray down -y cluster.yaml", PATIENCE)
    assert gone(head, others) == set()
    assert gone(worker, set()) == set()
    assert others <= set(head.processes())
    assert answers(head, OTHER, "unset RAY_AUTH_TOKEN_PATH")

    network.stop()
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert not [machine.name for machine in (launcher, head, worker) if machine.alive]


def prepare_launcher(launcher: Machine) -> None:
    """The files that a user has: those of `make cluster`, and the edited yaml."""
    release = launcher.home / "dist" / "cluster"
    shutil.copytree(REPOSITORY / "dist" / "cluster", release)
    (release / "auth_token").write_text(secrets.token_hex(32))
    config = yaml.safe_load((REPOSITORY / "clusters" / "on_premises.yaml").read_text())
    config["provider"] |= {"head_ip": HEAD, "worker_ips": [WORKER]}
    config["auth"] = {"ssh_user": "root", "ssh_private_key": "~/key"}
    config["setup_commands"] = [_without_items(line) for line in config["setup_commands"]]
    for name, more in {"head": "--num-cpus=0", "worker": "--num-cpus=1 --num-gpus=1"}.items():
        config[f"{name}_start_ray_commands"][-1] += f" {more} --object-store-memory=100000000"
    (launcher.home / "cluster.yaml").write_text(yaml.safe_dump(config))


def prepare_node(machine: Machine) -> None:
    """An environment that finds this test's packages, a stale token, a brisk autoscaler."""
    environment = machine.home / "raynas" / "environment"
    machine.run(f"{sys.executable} -m venv --without-pip {_inside(environment, machine)}", PATIENCE)
    (environment / SITE_PACKAGES / "of_the_test.pth").write_text(
        f"{Path(sys.prefix, SITE_PACKAGES)}\n"
    )
    ray = (Path(sys.prefix) / "bin" / "ray").read_text().split("\n", 1)[1]
    (environment / "bin" / "ray").write_text(f"#!/home/raynas/environment/bin/python\n{ray}")
    (environment / "bin" / "ray").chmod(0o755)
    (machine.home / ".ray").mkdir()
    (machine.home / ".ray" / "auth_token").write_text(secrets.token_hex(32))
    with (machine.home / ".bashrc").open("a") as bashrc:
        bashrc.write("export AUTOSCALER_UPDATE_INTERVAL_S=1\n")
        bashrc.write("export PIP_NO_INDEX=1 PIP_NO_DEPS=1 PIP_NO_COMPILE=1\n")


def start_other_cluster(head: Machine) -> None:
    """A Ray cluster on the head machine, of the same account, that has nothing to do with it."""
    head.run(
        f"~/raynas/environment/bin/ray start --head --port=7000 --node-ip-address={HEAD} "
        "--num-cpus=0 --include-dashboard=false --temp-dir=/tmp/other "
        "--object-store-memory=100000000",
        PATIENCE,
    )


def up(launcher: Machine) -> None:
    """`ray up`; on an overloaded machine Ray sometimes needs a second attempt."""
    command = f"timeout {PATIENCE} ray up -y cluster.yaml"
    if launcher.run(command, PATIENCE + 30, check=False).returncode:
        launcher.run(command, PATIENCE + 30)


def probe(machine: Machine, address: str, before: str = "true") -> str:
    """What somebody who logs in on a machine is told about a cluster; nothing if all is well."""
    command = (
        f". ~/raynas/release/environment.sh; {before}; "
        f'python -c "{PROBE.format(address=address)}" 2>&1 | tail -1'
    )
    said = machine.run(command, PATIENCE).stdout.strip()
    return said.removeprefix("search_spaces.errors.UserError: ")


def answers(machine: Machine, address: str, before: str = "true") -> bool:
    """Whether a cluster can be joined; an overloaded machine may need more than one attempt."""
    return any(probe(machine, address, before) == "" for _ in range(3))


def gone(machine: Machine, others: set[str], seconds: float = 120.0) -> set[str]:
    """What still runs on a machine after so many seconds; returns as soon as nothing does."""
    end = time.monotonic() + seconds
    while (left := set(machine.processes()) - others) and time.monotonic() < end:
        time.sleep(0.5)
    return left


def _without_items(command: str) -> str:
    """The set-up without downloads: these machines reach nobody."""
    assert "setup.sh " in command
    return command.split("setup.sh ")[0] + "setup.sh"


def _inside(path: Path, machine: Machine) -> str:
    return f"/home/{path.relative_to(machine.home)}"
