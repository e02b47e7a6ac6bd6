"""Starts one script at most once, waits for it, ends it as a whole tree, and writes down how it went.

Run as a file, `python -I -S supervisor.py RUN_DIR`, in a process of its own that outlives the bot. It loads only what
loads fast and small, because every step of every deploy waits for it and hundreds may be there at once. Reading a run
folder from outside is `rundir`; what to run, and what its end means, is the agent's.

    RUN_DIR/spec.json  argv, cwd, env (all of it), stdin, timeout, silence, grace, detach, limits; removed at the start
    RUN_DIR/lock       flock, held as long as the supervisor lives
    RUN_DIR/started    pid, start, session, script_start, boot_id, at, cgroup; on disk before the script's first
                       instruction
    RUN_DIR/out        what the script prints, both streams
    RUN_DIR/exit       rc, signal, why, detail, at, seconds, ended, left; on disk when nothing of the script is left
    RUN_DIR/*.room     room on the disk for `started` and `exit`, taken beforehand: a full disk costs neither

At most once: with the lock held, the script's process is forked first and held at a gate (it reads from a pipe). So its
session is known, and `started` is written whole and on disk, under a name that must not exist yet, in one go; only then
the gate opens. A supervisor that dies earlier closes the pipe, and the held process leaves without having run anything.
So without `started` the script never ran; with it the script may have run, and nobody ever starts it again.
"""

# pathlib alone would add half to the time to start:
# ruff: noqa: PTH100, PTH104, PTH108, PTH110, PTH112, PTH118, PTH123, PTH208

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time

if __name__ == "__main__":  # isolated, so no path leads to the package yet
    sys.path.append(os.path.abspath(f"{__file__}/../../.."))

from pipelines.execution import cgroup
from pipelines.execution.processes import boot_id, descendants, start_time
from pipelines.execution.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    Facts = dict[str, str | float | None]  # text in it is JSON already: plain words, or escaped by the held process
else:
    import _signal as signal

STARTED_ROOM, EXIT_ROOM = "started.room", "exit.room"
TAKEN = 75  # EX_TEMPFAIL: this run is, or was, another supervisor's
LINGER = 0.5  # seconds for leftovers to end by themselves: the `tee` of `exec > >(tee log)` has last lines to write


def record(run_dir: str, name: str, text: str, *, once: bool = False, room: str = "") -> None:
    """Writes a file whole or not at all, on disk before this returns. `once`: FileExistsError when there is one.
    `room` is a file of the caller's alone that has a place on the disk already."""
    path = os.path.join(run_dir, name)
    temporary = os.path.join(run_dir, room or f"{name}.{os.getpid()}.tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(text.encode())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    if once:
        try:
            os.link(temporary, path)
        finally:
            os.unlink(temporary)
    else:
        os.rename(temporary, path)
    folder = os.open(run_dir, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def as_json(facts: Facts) -> str:
    words = {name: f'"{value}"' if isinstance(value, str) else value for name, value in facts.items()}
    pairs = (f'"{name}": {"null" if word is None else word}' for name, word in words.items())
    return f"{{{', '.join(pairs)}}}"


def leave_caller() -> None:
    """Own session, own descriptors, deaf to what ends the caller."""
    if os.getsid(0) != os.getpid() and os.getpgrp() != os.getpid():
        os.setsid()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o077)
    for name in os.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd"):
        os.closerange(int(name), int(name) + 1)  # without complaint: the listing itself was one of them
    while os.open("/dev/null", os.O_RDWR) < 2:
        pass  # the lowest number that is free: 0, 1, 2


def claim(run_dir: str) -> int:
    """The lock, for as long as this process lives. BlockingIOError, FileExistsError: another's, now or once."""
    lock = os.open(os.path.join(run_dir, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if any(os.path.exists(os.path.join(run_dir, name)) for name in ("started", "exit")):
        raise FileExistsError(run_dir)
    return lock


def start(run_dir: str, lock: int, out: int, tree: Tree) -> tuple[str, str]:
    """Starts the script behind its gate; its limits, and why it did not begin, if so. FileExistsError: it once did."""
    (gate, opener), (report, reports) = os.pipe(), os.pipe()
    tree.script = os.fork()
    if not tree.script:
        for fd in (opener, report, lock):
            os.close(fd)
        from pipelines.execution.script import become

        become(run_dir, gate, reports, out, tree.group)
    os.close(reports)
    me: Facts = {"pid": os.getpid(), "start": start_time(os.getpid()), "boot_id": boot_id(), "at": time.time()}
    script: Facts = {"session": tree.script, "script_start": start_time(tree.script), "cgroup": tree.group}
    record(run_dir, "started", as_json(me | script), once=True, room=STARTED_ROOM)
    os.write(opener, b"go")
    with open(report, encoding="utf-8") as file:
        limits, _, wrong = file.read().partition("\n")
    os.unlink(os.path.join(run_dir, "spec.json"))  # its environment may hold secrets
    return limits, wrong if limits or wrong else "nothing was run: its process ended before the script began"


def conclude(why: str, limits: dict[str, float], tree: Tree, out: int) -> Facts:
    """Ends what has to be ended; what `exit` says of the script."""
    good = why == "exit" and tree.status == 0
    gone = (good and limits["detach"]) or (why == "exit" and tree.gone(LINGER)) or tree.end(limits["grace"])
    if why == "exit" and tree.ended:
        say_ended(out, len(tree.ended), good)
    rc, number = tree.outcome()
    match why:
        case "exit":
            detail = (
                f"exited {rc}" if number is None else f"was ended by signal {number}, its own fault or from outside"
            )
        case "timeout":
            detail = f"was ended: it still ran after {limits['timeout']:g} s, its timeout"
        case "silence":
            detail = f"was ended: it printed nothing for {limits['silence']:g} s, its limit of silence"
        case _:
            detail = "was aborted"
    left = "" if gone else ", ".join(str(member.pid) for member in descendants()) or "that fork too fast to be counted"
    return {"rc": rc, "signal": number, "why": why, "detail": detail, "ended": len(tree.ended), "left": left}


def say_ended(out: int, count: int, good: bool) -> None:
    text = f"shipmate: ended {count} process{'es' if count > 1 else ''} that the script left running"
    text += "; write `detach: true` beside its path if they are meant to stay" if good else ""
    size = os.fstat(out).st_size
    glue = "" if not size or os.pread(out, 1, size - 1) == b"\n" else "\n"
    try:
        os.write(out, f"{glue}{text}\n".encode())
    except OSError:
        return  # a full disk costs this line, not the outcome


def finish(run_dir: str, facts: Facts, began: float) -> None:
    """Writes `exit`. On a full disk it waits for room: while the lock is held the outcome is late, not lost."""
    while True:
        try:
            times: Facts = {"at": time.time(), "seconds": round(time.monotonic() - began, 3)}
            return record(run_dir, "exit", as_json(facts | times), room=EXIT_ROOM)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            time.sleep(1)


def supervise(run_dir: str) -> None:
    """Raises BlockingIOError or FileExistsError when this run is, or was, another supervisor's."""
    began = time.monotonic()
    lock, tree = claim(run_dir), Tree()
    try:
        follow(run_dir, lock, tree, began)
    finally:
        cgroup.remove(tree.group)


def follow(run_dir: str, lock: int, tree: Tree, began: float) -> None:
    """From the start to the record of the end."""
    try:
        out = os.open(os.path.join(run_dir, "out"), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 2)  # a fault of our own belongs where people look
        said, wrong = start(run_dir, lock, out, tree)
    except FileExistsError:
        raise
    except OSError as error:
        said, wrong = "", f"nothing was run: {os.strerror(error.errno or 0)}"
    if wrong:
        nothing: Facts = {"rc": None, "signal": None, "why": "spawn", "detail": wrong, "ended": 0, "left": ""}
        return finish(run_dir, nothing, began)
    limits = dict(zip(("timeout", "silence", "grace", "detach"), map(float, said.split()), strict=True))
    why = tree.follow(limits["timeout"], limits["silence"], out)
    return finish(run_dir, conclude(why, limits, tree, out), began)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        sys.exit("usage: python -I -S supervisor.py RUN_DIR, a folder that holds spec.json")
    leave_caller()
    try:
        supervise(sys.argv[1])
    except (BlockingIOError, FileExistsError):
        sys.exit(TAKEN)
