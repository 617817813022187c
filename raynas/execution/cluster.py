"""A Ray cluster for the length of a study: joined by address, or started and ended here."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from raynas.execution.watchdog import guarded
from search_spaces.errors import UserError

_CONNECT_SECONDS = 3.0
_JOIN_SECONDS = 60.0
_JOIN = """
import json, logging, sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False, logging_level=logging.CRITICAL)
    answer = ray.cluster_resources()
except Exception as error:
    answer = str(error).strip() or type(error).__name__
sys.stdout.write("\\n" + sys.argv[2] + json.dumps(answer) + "\\n")
"""
#: Begins the line of the answer: Ray prints what happens to machines and workers beside it.
_ANSWER = "raynas-answer "
_OBJECT_STORE_BYTES = 256 * 2**20
_LONGEST_TEMPORARY = 30
_PREFIX = "raynas-ray"

#: One thread per process, nothing sent anywhere, no log files or tables of Tune's own.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
    "TUNE_WARN_THRESHOLD_S": "60",
}


@contextlib.contextmanager
def cluster(address: str | None, cpus: int | None, gpus: int | None = None) -> Iterator[Path]:
    """Have Ray for a while; yields a folder on this machine that is deleted afterwards.

    A Ray that this process has started already is used and left running.

    Args:
        address: "host:port" of a running cluster's head, or "auto"; None starts a local cluster.
        cpus: size of a local cluster; None takes all cores that this process may use.
        gpus: the same for GPUs; None takes all that Ray finds.

    Raises:
        UserError: there is no cluster at `address`.
    """
    _remove_abandoned()
    if address is not None:
        probe_cluster(address)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-", dir=_temporary_directory()))
    try:
        with _environment(_ENVIRONMENT | (_local_environment() if address is None else {})):
            import ray

            if ray.is_initialized():
                with _quiet():
                    yield folder
                return
            with guarded(folder):
                try:
                    with _quiet():
                        _start(address, cpus, gpus, folder)
                        yield folder
                finally:
                    with _undisturbed():
                        ray.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _local_environment() -> dict[str, str]:
    """For a cluster of our own: only this machine and only this user's study may talk to it."""
    # Ray then uses 127.0.0.1 and nothing else, as it does by itself on a Mac; must be set before
    # Ray is imported.
    values = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    chosen = any(name.startswith("RAY_AUTH_") for name in os.environ)
    if not chosen and not (Path.home() / ".ray" / "auth_token").exists():
        # Ray would write a token into the home directory, which then changes other clusters.
        values |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
    return values


@cache
def _token() -> str:
    """One for the whole process, as Ray reads it once only."""
    return secrets.token_hex(32)


def _start(address: str | None, cpus: int | None, gpus: int | None, folder: Path) -> None:
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address is None:
        _start_local(cpus or available_cores(), gpus, folder, quiet)
        return
    ray.init(address=address, runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}}, **quiet)


def _start_local(cpus: int, gpus: int | None, folder: Path, quiet: dict[str, Any]) -> None:
    """Start Ray here; on an overloaded machine it sometimes needs a second attempt.

    Raises:
        UserError: both attempts failed.
    """
    import ray

    for attempt in (1, 2):
        try:
            ray.init(
                address="local",
                num_cpus=cpus,
                num_gpus=gpus,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder / str(attempt)),
                **quiet,
            )
            return
        except Exception as error:  # Ray raises a bare Exception when its start takes too long
            ray.shutdown()
            if attempt == 2:
                reason = str(error).strip().splitlines()[0]
                raise UserError(
                    f"Ray did not start ({reason}); the machine may be overloaded, try again, "
                    "with --resume if the study has begun"
                ) from error


def probe_cluster(address: str) -> dict[str, float]:
    """Find out in seconds whether Ray answers; Ray itself would try for minutes, and not quietly.

    A process of its own joins the cluster for a moment. Whatever goes wrong on the way, from a
    port where something else listens to a cluster of another Ray version, ends that process only.

    Args:
        address: "host:port" of a cluster's head, or "auto".

    Returns:
        The resources of all its machines, for instance "CPU" and "GPU".

    Raises:
        UserError: there is no cluster.
    """
    if address != "auto":
        _connect(address)
    try:
        joined = subprocess.run(
            [sys.executable, "-c", _JOIN, address, _ANSWER],
            capture_output=True,
            timeout=_JOIN_SECONDS,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unreachable(address, f"no answer within {_JOIN_SECONDS:.0f} s") from error
    answers = [line for line in joined.stdout.splitlines() if line.startswith(_ANSWER)]
    answer = json.loads(answers[-1].removeprefix(_ANSWER)) if answers else "Ray gave up"
    if isinstance(answer, str):
        raise _unreachable(address, answer.splitlines()[0].rstrip("."))
    resources: dict[str, float] = answer
    return resources


def _connect(address: str) -> None:
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit() or "/" in host:
        raise UserError(
            f"address {address!r} is not host:port of a Ray head node, nor auto", exit_code=2
        )
    try:
        with socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS):
            pass
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, reason: str) -> UserError:
    return UserError(
        f"no Ray cluster at {address}: {reason}; start one with `ray start --head` and run this "
        "on one of its machines, or leave --address out to run locally"
    )


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: value for name, value in values.items() if before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray's log off the console: what matters is in the study and its summary."""
    import ray._private.worker as ray_worker

    # Ray prints messages of its servers whatever `log_to_driver` says; this flag is the one switch.
    printing = getattr(ray_worker, "_worker_logs_enabled", True)
    ray_worker._worker_logs_enabled = False
    loggers = [logging.getLogger(name) for name in ("ray", "ray.tune", "ray.train", "ray.data")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        ray_worker._worker_logs_enabled = printing
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Finish cleaning up even if Ctrl-C is pressed again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _temporary_directory() -> Path:
    """A place whose path is short: Ray makes sockets below it, limited to 107 characters."""
    usual = Path(tempfile.gettempdir())
    short = Path("/tmp")
    return short if len(str(usual)) > _LONGEST_TEMPORARY and short.is_dir() else usual


def _remove_abandoned() -> None:
    """Delete the folders of runs that were killed before they could."""
    for folder in _temporary_directory().glob(f"{_PREFIX}-*-*"):
        pid = folder.name.split("-")[2]
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == os.getuid() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(folder, ignore_errors=True)
