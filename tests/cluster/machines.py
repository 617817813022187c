"""Machines to try a cluster on: namespaces of the kernel with an ssh server each.

A machine has a process table, a network address, a home and a /tmp of its own, so that whatever
is started or stopped on one neither sees the others nor the host. Its processes end with the
test, even if that is killed. Needs root, and openssh-server, rsync, iproute2 and util-linux.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = ("sshd", "ssh-keygen", "rsync", "ip", "unshare", "nsenter", "setpriv")

_START_SECONDS = 180.0
#: Of what takes a moment on a machine that is not overloaded.
_COMMAND_SECONDS = 180.0
_STOP_SECONDS = 60.0
#: Hidden by a machine's own folders, but needed: what runs this test lives there, maybe.
_SHARED = (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix))

_BOOT = """
set -eu
hostname {name}
ip link set lo up
mount --bind {folder}/passwd /etc/passwd
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
{keep}
mount --rbind {folder}/home /home
mount --rbind {folder}/tmp /tmp
touch /home/booted
exec {command}
"""

_SSHD = """
Port 22
HostKey /home/host_key
AuthorizedKeysFile /home/authorized_keys
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
PidFile none
StrictModes no
MaxStartups 100
"""

#: What a new account has on Debian and Ubuntu.
_PROFILE = '[ -n "$BASH_VERSION" ] && [ -f ~/.bashrc ] && . ~/.bashrc\n'
_BASHRC = "case $- in *i*) ;; *) return ;; esac\n"


class Machine:
    """One machine; its home is /home.

    Args:
        folder: where its files lie on the host.
        name: of the host.
        server: run an ssh server that lets `key` in.
        key: path of the private key of the machines' user.
    """

    def __init__(self, folder: Path, name: str, *, server: bool, key: Path) -> None:
        self.name = name
        self.home = folder / "home"
        (folder / "tmp").mkdir(parents=True)
        (folder / "tmp").chmod(0o1777)
        self.home.mkdir()
        (self.home / ".profile").write_text(_PROFILE)
        (self.home / ".bashrc").write_text(_BASHRC)
        (folder / "passwd").write_text(_passwd())
        if server:
            (self.home / "sshd_config").write_text(_SSHD)
            shutil.copy(f"{key}.pub", self.home / "authorized_keys")
            _make_key(self.home / "host_key")
        else:
            shutil.copy(key, self.home / "key")
        command = "/usr/sbin/sshd -D -e -f /home/sshd_config" if server else "sleep infinity"
        script = _BOOT.format(name=name, folder=folder, keep=_keep(folder), command=command)
        self._log = (folder / "boot.log").open("w")
        spaces = ("--mount", "--pid", "--net", "--uts", "--ipc")
        unshare = ("unshare", *spaces, "--fork", "--kill-child", "--mount-proc")
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *unshare, "sh", "-c", script],
            stdout=self._log,
            stderr=self._log,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        self._wait_until_booted(folder)
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        #: Id of its first process, seen from the host.
        self.pid = int(children.read_text().split()[0])

    def run(
        self, command: str, seconds: float, *, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command on it; a nonzero exit code is an error that shows the output."""
        done = subprocess.run(
            self._enter(command),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            env=self._environment(environment),
        )
        if check and done.returncode:
            raise AssertionError(f"{self.name}: {command}\n{done.stdout}\n{done.stderr}")
        return done

    def processes(self) -> list[str]:
        """Command lines of what runs on it, apart from the ssh server."""
        lines = self.run("ps -e -o args=", _COMMAND_SECONDS).stdout.splitlines()
        return [line for line in lines if "sshd" not in line and not line.startswith("ps -e")]

    @property
    def alive(self) -> bool:
        """Whether anything of it runs."""
        return Path(f"/proc/{self.pid}").exists()

    def stop(self) -> None:
        """End everything that runs on it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # the kernel ends the others with the first one
        try:
            self._process.wait(_STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
            self._log.close()

    def _enter(self, command: str) -> list[str]:
        inside = ("--mount", "--net", "--uts", "--ipc", "--pid")
        return ["nsenter", "--target", str(self.pid), *inside, "bash", "-c", f"cd && {command}"]

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        path = f"{sys.prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        basic = {"HOME": "/home", "PATH": path, "USER": "root", "LANG": "C.UTF-8"}
        return basic | {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"} | more

    def _wait_until_booted(self, folder: Path) -> None:
        end = time.monotonic() + _START_SECONDS
        while not (self.home / "booted").exists():
            if self._process.poll() is not None or time.monotonic() > end:
                self._process.kill()
                raise AssertionError(f"{self.name}: {(folder / 'boot.log').read_text()}")
            time.sleep(0.02)


class Network:
    """A launcher and the machines that it reaches over ssh, each at an address of its own."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        key = folder / "key"
        _make_key(key)
        self._stack = ExitStack()
        with ExitStack() as starting:
            self.launcher = Machine(folder / "launcher", "launcher", server=False, key=key)
            starting.callback(self.launcher.stop)
            self.launcher.run("ip link add net type bridge && ip link set net up", _COMMAND_SECONDS)
            self.launcher.run("ip address add 10.77.0.1/24 dev net", _COMMAND_SECONDS)
            self.nodes = {}
            for number, name in enumerate(names, start=2):
                machine = Machine(folder / name, name, server=True, key=key)
                starting.callback(machine.stop)
                self._connect(machine, f"10.77.0.{number}", number)
                self.nodes[name] = machine
            self._stack = starting.pop_all()

    def __enter__(self) -> Network:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all machines; for a second time does nothing."""
        self._stack.close()

    def _connect(self, machine: Machine, address: str, number: int) -> None:
        link = f"link{number}"
        self.launcher.run(
            f"ip link add {link} type veth peer name eth0 && ip link set {link} master net up",
            _COMMAND_SECONDS,
        )
        # The kernel knows the other machine by its pid on the host, so this runs on the host.
        launcher = f"--net=/proc/{self.launcher.pid}/ns/net"
        move = ["ip", "link", "set", "eth0", "netns", str(machine.pid)]
        subprocess.run(["nsenter", launcher, *move], check=True, timeout=_COMMAND_SECONDS)
        machine.run(
            f"ip address add {address}/24 dev eth0 && ip link set eth0 up", _COMMAND_SECONDS
        )


def missing_tools() -> list[str]:
    """What this host lacks to make machines."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [tool for tool in TOOLS if shutil.which(tool, path=path) is None]


def _keep(folder: Path) -> str:
    lines = []
    for path in dict.fromkeys(_SHARED):
        for hidden in ("tmp", "home"):
            if path.is_relative_to(f"/{hidden}"):
                inside = shlex.quote(str(folder / path.relative_to("/")))
                lines.append(f"mkdir -p {inside}; mount --bind {shlex.quote(str(path))} {inside}")
    return "\n".join(lines)


def _passwd() -> str:
    lines = Path("/etc/passwd").read_text().splitlines()
    others = [line for line in lines if not line.startswith("root:")]
    return "\n".join(["root:x:0:0:root:/home:/bin/bash", *others, ""])


def _make_key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=_COMMAND_SECONDS)
