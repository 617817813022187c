"""The batch script, with stand-ins for SLURM and Ray: which commands it gives, where and when."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "clusters" / "slurm.sh"
SCRIPTS = [SCRIPT, *sorted(p for p in (REPOSITORY / "clusters" / "node").rglob("*") if p.is_file())]

STAND_INS = {
    "scontrol": """case "$2" in
hostnames) printf 'n1\\nn2\\nn3\\n' ;;
node) echo "   NodeAddr=$3.private NodeHostName=$3 Version=24" ;;
esac""",
    "getent": 'echo "10.1.2.3 STREAM $2"; echo "10.1.2.3 DGRAM"',
    # A step that starts Ray lasts until it is ended; the others do nothing.
    "srun": """echo "srun $*" >>"$HOME/calls"
case "$*" in *"${FAILING:-none}"*) exit 1 ;; *--block*) exec sleep 1000 ;; esac""",
}
#: The head answers as soon as it was started.
RAY = """echo "ray $*" >>"$HOME/calls"; [ -z "$FAILING" ] && grep -q -e --head "$HOME/calls" """
PYTHON = """echo "python $* $RAY_AUTH_MODE $(cat "$RAY_AUTH_TOKEN_PATH")" >>"$HOME/calls"
[ -z "$LASTING" ] || exec sleep 1000; exit "$CODE" """


class Allocation:
    """A job's environment: a home, the programs on its PATH, and a submit directory."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        programs = folder / "bin"
        release = folder / "submitted" / "dist" / "cluster"
        for name, text in STAND_INS.items():
            _program(programs / name, text)
        environment = self.home / "raynas" / "environment" / "bin"
        _program(environment / "ray", RAY)
        _program(environment / "python", PYTHON)
        shutil.copytree(REPOSITORY / "clusters" / "node", release)
        (release / "auth_token").write_text("secret")
        self._environment = {
            "HOME": str(self.home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SLURM_CPUS_PER_TASK": "16",
            "SLURM_JOB_ID": "12345",
            "SLURM_JOB_NODELIST": "n[1-3]",
            "SLURM_SUBMIT_DIR": str(folder / "submitted"),
        }

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", str(SCRIPT), *arguments],
            env=self._environment | {"FAILING": "", "LASTING": "", "CODE": "0"} | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def calls(self) -> list[str]:
        path = self.home / "calls"
        text = path.read_text() if path.exists() else ""
        return text.replace(str(self.home), "~").splitlines()


@pytest.fixture
def allocation(tmp_path: Path) -> Allocation:
    return Allocation(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_shell_understands_the_script(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=20)
    if checker := shutil.which("shellcheck"):
        command = [checker, "--external-sources", str(script)]
        checked = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
        )
        assert checked.returncode == 0, checked.stdout


def test_head_then_workers_then_the_sweep(allocation: Allocation) -> None:
    job = allocation.start("darts", "--space", "3")
    output, error = job.communicate(timeout=60)
    assert job.returncode == 0, output + error
    step = "srun --overlap --cpus-per-task=16 --nodes={0} --ntasks={0}"
    ports = "--node-manager-port=22761 --object-manager-port=22762"
    calls = allocation.calls()
    setup = "bash ~/raynas/release/setup.sh nasbench101 --full --remove-download cifar10"
    head = (
        f"{step.format(1)} --nodelist=n1 ~/raynas/environment/bin/ray start --block --head "
        f"--node-ip-address=10.1.2.3 --port=22760 {ports} --temp-dir=/tmp/raynas-12345 "
        "--include-dashboard=false --num-cpus=16"
    )
    workers = [
        f"{step.format(1)} --nodelist={node} ~/raynas/environment/bin/ray start --block "
        f"--address=10.1.2.3:22760 {ports} --num-cpus=16"
        for node in ("n2", "n3")
    ]
    sweep = "python -m tuning.sweep darts --space 3 --address 10.1.2.3:22760 token secret"
    assert calls[0] == f"{step.format(3)} {setup}"
    asked = [call for call in calls if call.startswith("ray ")]
    assert set(asked) == {"ray status --address=10.1.2.3:22760"}
    assert sorted(set(calls[1:-1]) - set(asked)) == sorted([head, *workers, sweep])
    assert calls.index(head) < min(map(calls.index, workers))
    assert calls[-1] == f"{step.format(3)} rm -rf /tmp/raynas-12345"


def test_the_job_ends_as_the_sweep_did(allocation: Allocation) -> None:
    job = allocation.start("darts", CODE="3")
    job.communicate(timeout=60)
    assert job.returncode == 3


def test_the_time_limit_ends_everything(allocation: Allocation) -> None:
    job = allocation.start("darts", LASTING="yes")
    end = time.monotonic() + 30
    while not any("tuning.sweep" in call for call in allocation.calls()):
        assert time.monotonic() < end
        time.sleep(0.05)
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)  # the stand-ins hold the pipes for as long as they live
    assert job.returncode == 143
    assert allocation.calls()[-1].endswith("rm -rf /tmp/raynas-12345")


def test_a_head_that_does_not_come_up(allocation: Allocation) -> None:
    job = allocation.start("darts", FAILING="--head")
    _, error = job.communicate(timeout=60)
    assert job.returncode == 1
    assert "error: no Ray on n1 (10.1.2.3:22760)" in error
    assert not any("tuning.sweep" in call for call in allocation.calls())


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
