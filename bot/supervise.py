"""`supervise`: keeps a bot running where no systemd does, as the first process of a container. Linux only.

It starts the bot again whenever that ends, collects the processes that nobody else does, and ends when it is told to,
with the bot. Scripts are none of its business: they live in sessions of their own, and a bot that comes back finds
them. Nothing is loaded here that an upgrade of the bot might change: each start takes the bot that is in the folder by
then, also where the folder's name leads to another place than before.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bot.logs import log_to_stderr
from bot.settings import Settings
from pipelines.execution.processes import adopt_orphans

log = logging.getLogger(__name__)

END_SECONDS = 12.0  # a bot promises to be gone in ten
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
SETTLED = 60.0  # seconds after which a bot counts as one that runs well
ENDS = frozenset({signal.SIGTERM, signal.SIGINT})
PASSED_ON = frozenset({signal.SIGHUP})
HEARD = ENDS | PASSED_ON | {signal.SIGCHLD}


def supervise(settings: Settings, arguments: Sequence[str]) -> int:
    """Run `python -m bot ARGUMENTS` until told to end; the exit status, 0."""
    log_to_stderr(settings.log_format, settings.log_level)
    adopt_orphans()
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)  # they are waited for, one at a time
    keeper = Keeper([sys.executable, "-m", "bot", *arguments], folder())
    keeper.keep()
    return 0


def folder() -> Path:
    """The working folder by the name it was entered by: that may be a link to the release of the day."""
    named = Path(os.environ.get("PWD", ""))
    return named if named.is_absolute() and named.is_dir() and named.samefile(Path.cwd()) else Path.cwd()


class Keeper:
    def __init__(self, argv: list[str], folder: Path) -> None:
        self._argv = argv
        self._folder = folder
        self._bot = 0
        self._told = False

    def keep(self) -> None:
        """Until told to end, and the bot has ended."""
        wait = FIRST_WAIT
        while not self._told:
            began = time.monotonic()
            status = self._until_ended() if self._start() else 127
            lived = time.monotonic() - began
            wait = FIRST_WAIT if lived > SETTLED else wait
            if not self._told:
                pause = 0.0 if status == 0 and lived > FIRST_WAIT else wait  # it was told to end, to be restarted
                log.warning("the bot ended with status %d after %.0f s; it is started in %g s", status, lived, pause)
                self._listen(pause)
                wait = min(wait * 2, LONGEST_WAIT) if status else FIRST_WAIT

    def _start(self) -> bool:
        try:
            os.chdir(self._folder)
            self._bot = os.posix_spawn(self._argv[0], self._argv, os.environ, setsigmask=())
        except OSError as error:
            log.error("the bot cannot be started: %s", error)
        return bool(self._bot)

    def _until_ended(self) -> int:
        """The bot's exit status, negative for a signal; it is killed when it does not end in time."""
        until = float("inf")
        while (status := self._reap()) is None:
            before = self._told
            self._listen(max(0.1, min(until - time.monotonic(), 3600.0)))
            if self._told and not before:
                until = time.monotonic() + END_SECONDS
            if time.monotonic() >= until:
                os.kill(self._bot, signal.SIGKILL)
        return status

    def _listen(self, seconds: float) -> None:
        """Wait for one signal, and do what it asks."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not (self._told and not self._bot):
            heard = signal.sigtimedwait(HEARD, left)
            if heard is None:
                return
            if heard.si_signo in ENDS:
                self._told = True
            self._pass_on(heard.si_signo)
            if self._bot:
                return
            self._reap()

    def _pass_on(self, number: int) -> None:
        if self._bot and number in ENDS | PASSED_ON:
            os.kill(self._bot, signal.SIGTERM if number in ENDS else number)

    def _reap(self) -> int | None:
        """Collect whoever ended; the bot's status when it was among them."""
        found: int | None = None
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._bot:
                    found, self._bot = os.waitstatus_to_exitcode(ended[1]), 0
        except ChildProcessError:
            return found
        return found
