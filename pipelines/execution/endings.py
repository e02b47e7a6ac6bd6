"""How a run ended, in one clause: for the journal, the message and the person who asked. What it means for the deploy
is `advance`'s."""

import errno
import signal
from pathlib import Path

from pipelines.domain.events import Progress
from pipelines.domain.stepwork import Work
from pipelines.execution import rundir
from pipelines.execution.disk import FULL, full
from pipelines.execution.rundir import Exit, Why
from pipelines.storage.steps import Ending

UNSUPERVISED = Ending(progress=Progress.UNSUPERVISED, detail="runs on without its supervisor")
NEVER_BEGAN = Ending(progress=Progress.ABORTED, detail="was stopped before it began")


class NotBegunError(Exception):
    """Nothing of the script runs, and nothing will: why, as a clause."""


def not_begun(error: OSError) -> NotBegunError:
    return NotBegunError(FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error))


def lost(run_dir: Path) -> Ending:
    """Nobody can know how the run ended: the detail says why."""
    if not run_dir.exists():
        cause = "its run folder is gone"
    elif rundir.rebooted(run_dir):
        cause = "the machine or container was restarted"
    else:
        cause = "its supervisor was killed"
    return Ending(progress=Progress.LOST, detail=cause)


def without_exit(run_dir: Path, *, stopped: bool) -> Ending:
    """Of a run that is over and whose supervisor wrote down no end. `stopped`: it was ended on purpose."""
    started = rundir.read_started(run_dir)
    if started is not None and not started.session:
        return NEVER_BEGAN  # whoever forbade it died before the second of two files
    return Ending(progress=Progress.ABORTED, detail="was ended") if stopped else lost(run_dir)


def ended_as(exit_: Exit, work: Work, run_dir: Path) -> Ending:
    """Of a run whose supervisor wrote down its end."""
    progress, detail = _ended_as(exit_, work)
    if exit_.left:
        detail += f"; processes {exit_.left} could not be ended"
    if progress is not Progress.OK and full(run_dir):
        detail += f"; {FULL}"
    return Ending(progress=progress, detail=detail)


def _ended_as(exit_: Exit, work: Work) -> tuple[Progress, str]:
    match exit_.why:
        case Why.TIMEOUT:
            return Progress.TIMED_OUT, f"took longer than {work.timeout:g} s"
        case Why.SILENCE:
            return Progress.TIMED_OUT, f"printed nothing for {work.silence:g} s, its limit of silence"
        case Why.ABORT:
            return Progress.ABORTED, "was aborted"
        case Why.SPAWN:
            return Progress.FAILED, f"did not start: {exit_.detail}"
        case Why.EXIT if exit_.rc == 0:
            return Progress.OK, ""
        case Why.EXIT if exit_.signal == signal.SIGKILL:
            return Progress.FAILED, "was killed by SIGKILL: by somebody, or for want of memory"
        case Why.EXIT if exit_.signal:
            return Progress.FAILED, f"was killed by {signal.Signals(exit_.signal).name}"
        case Why.EXIT:
            return Progress.FAILED, f"exited {exit_.rc}"
