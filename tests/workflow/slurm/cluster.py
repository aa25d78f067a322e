"""A real one-node Slurm without systemd: slurmctld, slurmd and a private munge, with fake GPUs.

``with Cluster(folder) as cluster`` starts the daemons as root and stops everything it started, by process id. Slurm's
own records are read back with ``cluster.jobs()`` and ``cluster.completed()``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path

ETC = Path("/etc/slurm")
PREFIX = "strangecast-slurm-"  # of state folders, so that what a killed test left behind is recognised
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])

SLURM_CONF = """\
ClusterName=strangecast
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge/socket
CredType=cred/munge
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
StateSaveLocation={state}/controller
SlurmdSpoolDir={state}/spool
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd.pid
SlurmctldLogFile={state}/log/slurmctld.log
SlurmdLogFile={state}/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={state}/log/completed.txt
SwitchType=switch/none
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=0,batch_sched_delay=0,max_rpc_cnt=0,defer_batch
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/basic
MinJobAge=3600
KillWait=5
InactiveLimit=0
MaxArraySize=1001
MaxJobCount=20000
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:fake:{gpus} State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP OverSubscribe=NO
"""

GRES_CONF = """\
AutoDetect=off
NodeName={host} Name=gpu Type=fake Flags=nvidia_gpu_env File={state}/gpu[0-{last}]
"""


class Cluster:
    """One node with ``cpus`` declared processors and ``gpus`` devices that are nothing but names.

    Memory limits are not enforced (that needs cgroups), so ``memory`` only has to be larger than what jobs ask for.
    Raises RuntimeError when /etc/slurm belongs to a real installation or the node does not come up.
    """

    def __init__(self, state: Path, *, cpus: int = 8, gpus: int = 4, memory: int = 1_000_000) -> None:
        self.state = state
        self.host = socket.gethostname().split(".")[0]
        self.cpus, self.gpus, self.memory = cpus, gpus, memory
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def run(self, *command: str, check: bool = True) -> str:
        """Standard output of a Slurm command, with a time limit of its own."""
        done = subprocess.run(
            ["timeout", "-s", "KILL", "10", *command], capture_output=True, text=True, env={**os.environ, "PATH": PATH}
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed ({done.returncode}): {done.stderr.strip()}")
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Every job that the controller knows, finished ones too: ``scontrol show job`` as dictionaries."""
        text = self.run("scontrol", "--oneliner", "--details", "show", "job", check=False)
        return [_fields(line) for line in text.splitlines() if line.startswith("JobId=")]

    def completed(self) -> dict[str, dict[str, str]]:
        """Job id -> the record that Slurm itself wrote when the job ended."""
        log = self.state / "log" / "completed.txt"
        lines = log.read_text().splitlines() if log.exists() else []
        return {record["JobId"]: record for record in map(_fields, lines)}

    def cancel(self, job: str) -> None:
        """End one job as a user would."""
        self.run("scancel", job)

    def _start(self) -> None:
        self._one_at_a_time()
        self.state.mkdir(parents=True, exist_ok=True)
        for name in ("controller", "spool", "log", "munge"):
            (self.state / name).mkdir(mode=0o755)
        # munged asks that every folder above its socket and key can be searched by its user.
        for folder in (self.state, *self.state.parents):
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
                self._undo.callback(folder.chmod, stat.S_IMODE(mode))
        for i in range(self.gpus):
            os.mknod(self.state / f"gpu{i}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        ctld_port, slurmd_port = _free_ports(2)
        values = {"host": self.host, "state": self.state, "cpus": self.cpus, "memory": self.memory, "gpus": self.gpus}
        values |= {"ctld_port": ctld_port, "slurmd_port": slurmd_port, "last": self.gpus - 1}
        (self.state / "slurm.conf").write_text(SLURM_CONF.format(**values))
        (self.state / "gres.conf").write_text(GRES_CONF.format(**values))
        self._link_configuration()
        self._start_munge()
        conf = str(self.state / "slurm.conf")
        self._daemon("slurmctld", "-f", conf)
        self._daemon("slurmd", "-f", conf, "-N", self.host)
        self._undo.callback(self._cancel_everything)
        self._wait_until_idle()

    def _one_at_a_time(self) -> None:
        """Wait for another test process that has its Slurm in /etc/slurm."""
        lock = open(Path(tempfile.gettempdir()) / "strangecast-slurm.lock", "w")  # noqa: SIM115
        self._undo.callback(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)

    def _link_configuration(self) -> None:
        """Put slurm.conf where srun looks: the job step drops SLURM_CONF from the environment."""
        made = not ETC.exists()
        ETC.mkdir(exist_ok=True)
        if made:
            self._undo.callback(shutil.rmtree, ETC, ignore_errors=True)
        for name in ("slurm.conf", "gres.conf"):
            link = ETC / name
            if link.is_symlink() and PREFIX in str(link.readlink()):
                _end_all(link.readlink().parent)  # of a test that was killed: nobody else holds our lock
                link.unlink()
            if link.exists() or link.is_symlink():
                raise RuntimeError(f"{link} exists: a Slurm is installed here and is left alone")
            link.symlink_to(self.state / name)
            self._undo.callback(link.unlink, missing_ok=True)

    def _start_munge(self) -> None:
        """A munge of our own: key, socket, log and seed in the state folder; the system's one stays untouched."""
        user = pwd.getpwnam("munge")
        folder = self.state / "munge"
        key = folder / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        for path in (folder, key):
            os.chown(path, user.pw_uid, user.pw_gid)
        files = [f"--{name}={folder}/{name}" for name in ("socket", "seed-file", "log-file", "pid-file")]
        command = ["munged", "--force", "--num-threads=2", f"--key-file={key}", *files]
        subprocess.run(
            command, check=True, timeout=20, user=user.pw_uid, group=user.pw_gid, extra_groups=[],
            env={"PATH": PATH}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._undo.callback(_end, folder / "pid-file")

    def _daemon(self, program: str, *arguments: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")} | {"PATH": PATH}
        log = self.state / "log" / f"{program}.out"
        with open(log, "w") as out:
            subprocess.run([program, *arguments], check=True, timeout=20, env=environment, stdout=out, stderr=out)
        self._undo.callback(_end, self.state / f"{program}.pid")

    def _cancel_everything(self) -> None:
        for extra in (["--signal=KILL"], []):
            self.run("scancel", *extra, "--user=root", check=False)
        _poll(lambda: not self.run("squeue", "--noheader", check=False).strip(), 10)

    def _wait_until_idle(self) -> None:
        def ready() -> bool:
            found = self.run("sinfo", "--noheader", "-o", "%T", check=False).split()
            if any(state.startswith(("down", "drain")) for state in found):
                self.run("scontrol", "update", f"nodename={self.host}", "state=resume", check=False)
            return bool(found) and all(state in ("idle", "mixed", "allocated") for state in found)

        if not _poll(ready, 40):
            logs = "\n".join(p.read_text()[-2000:] for p in sorted((self.state / "log").iterdir()))
            raise RuntimeError(f"the node did not come up in 40 s:\n{logs}")


def _fields(line: str) -> dict[str, str]:
    """``A=1 B=x=y C=`` -> {'A': '1', 'B': 'x=y', 'C': ''}; words without '=' belong to the value before them."""
    fields: dict[str, str] = {}
    last = ""
    for word in line.split():
        name, equals, value = word.partition("=")
        if equals and name[:1].isupper():
            fields[name] = value
            last = name
        elif last:
            fields[last] += f" {word}"
    return fields


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def _poll(condition, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _end(pid_file: Path) -> None:
    """TERM, a grace of 3 s, KILL for the process that wrote ``pid_file``."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return
    for sign, grace in ((signal.SIGTERM, 3), (signal.SIGKILL, 2)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        if _poll(lambda: not _alive(pid), grace):
            return


def _end_all(state: Path) -> None:
    for name in ("slurmd.pid", "slurmctld.pid", "munge/pid-file"):
        _end(state / name)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
