"""The held process between fork and exec: it reads what it is to become, waits at the gate, then is the script.

The only part of a supervisor that reads JSON: whatever this process loads is gone when the script takes its place.
"""

# pathlib would only be loaded to be thrown away, and an exec without a shell is what this is for:
# ruff: noqa: PTH110, PTH118, PTH123, S606

from __future__ import annotations

import errno
import json
import os

from pipelines.execution import cgroup
from pipelines.execution.processes import renounce_privileges

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    import _signal as signal  # its C half; the script is waiting

DEFAULTS: dict[str, Any] = {"stdin": None, "timeout": None, "silence": None, "grace": 10, "detach": False, "limits": {}}


def become(run_dir: str, gate: int, report: int, out: int, group: str) -> NoReturn:
    """Tells the supervisor its limits, four words, and on a second line, escaped, why the script did not begin."""
    spec: dict[str, Any] = {}
    stage = "spec"
    try:
        with open(os.path.join(run_dir, "spec.json"), "rb") as file:
            spec = DEFAULTS | json.load(file)
        limits = [float("inf" if spec[name] is None else spec[name]) for name in ("timeout", "silence", "grace")]
        os.write(report, f"{limits[0]} {limits[1]} {limits[2]} {int(spec['detach'])}".encode())
        cgroup.enter(group)  # takes the kernel some milliseconds, in which the supervisor waits for the disk
        if not os.read(gate, 1):
            os._exit(0)
        stand_alone(out)
        stage = "stdin"
        os.dup2(os.open(spec["stdin"] or "/dev/null", os.O_RDONLY), 0)
        stage = "cwd"
        os.chdir(spec["cwd"])
        stage = "limits"
        limit(**spec["limits"])
        stage = "argv"
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])
    except Exception as error:
        os.write(report, b"\n" + json.dumps(explain(spec, stage, error))[1:-1].encode())
    finally:
        os._exit(127)


def stand_alone(out: int) -> None:
    """Nothing of the supervisor's but the file the output goes to."""
    os.setsid()
    os.umask(0o022)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    os.dup2(out, 1)
    os.dup2(out, 2)


def limit(
    memory: int | None = None, processes: int | None = None, files: int | None = None, no_new_privs: bool = False
) -> None:
    """What the script may take, last of all: no core file, and what its host's owner set. None: as the bot itself."""
    import resource

    wanted = {"CORE": 0, "AS": memory, "NPROC": processes, "NOFILE": files}
    for name, most in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        ours = resource.getrlimit(kind)[1]
        if most is not None and (ours == resource.RLIM_INFINITY or most < ours):
            resource.setrlimit(kind, (most, most))
    if no_new_privs:
        renounce_privileges()


def explain(spec: dict[str, Any], stage: str, error: Exception) -> str:
    """Why the script did not begin, and what to do about it."""
    if stage not in spec:
        return f"what to run could not be read, nothing was run: {error!r}"
    name = str(spec["argv"][0] if stage == "argv" else spec[stage])
    if stage == "argv":
        name = name.removeprefix(f"{spec['cwd']}/")  # as people know it: by its path in the repository
    match stage, getattr(error, "errno", None):
        case "argv", errno.EACCES:
            return f"{name} is not executable: run `git update-index --chmod=+x` on it, commit, and deploy that commit"
        case "argv", errno.ENOEXEC:
            return f"{name} is no program: its first line must name an interpreter, like #!/bin/sh"
        case "argv", errno.ENOENT if os.path.exists(spec["argv"][0]):
            return f"{name} names an interpreter that is not on this machine: install it, or change the first line"
        case _, errno.ENOENT:
            return f"{name} does not exist ({stage})"
    return f"{name} could not be used as {stage}: {getattr(error, 'strerror', None) or error}"
