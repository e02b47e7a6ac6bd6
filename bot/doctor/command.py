"""`doctor`: what is wrong, and what to do about it, a line each as it becomes known. It changes nothing, may be asked
beside a bot that works, and is over within 20 s whatever hangs.

Exit status: 1 for a problem, which is what keeps a bot from starting or a service from being deployed; 0 otherwise.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from bot.doctor import clock, configuration, machine, repositories, slack, storage
from bot.doctor.examination import Examination, Tell
from bot.doctor.findings import Check, Finding, Findings, Level, in_thread, problem, skipped
from bot.settings import Settings, SettingsError, read_settings
from pipelines.catalog import ConfigErrors
from pipelines.domain.model import Config
from pipelines.execution.source import Processes

SECONDS = 15.0
CLOSE_SECONDS = 3.0
INTERRUPTED = 130
TOKENS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
OURS = ("SHIPMATE_CONFIG", "SHIPMATE_DATA")

Loading = asyncio.Task[Config | ConfigErrors]
Asking = asyncio.Task[machine.Facts | None]


def doctor(*, config: str | None, data: str | None) -> int:
    """Look at everything and print what is found; the exit status. Ends this process where something hangs on."""
    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        print(finding, flush=True)

    settings = settled(config, data, tell)
    loop = asyncio.new_event_loop()  # not asyncio.run's: that one would wait for a name server that does not answer
    try:
        loop.run_until_complete(examine(settings, tell))
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        loop.close()
    print(summary(found), flush=True)
    status = 1 if any(finding.level is Level.PROBLEM for finding in found) else 0
    _leave_what_hangs(status)
    return status


def settled(config: str | None, data: str | None, tell: Tell) -> Settings:
    """The settings; a variable that is wrong is told, and the rest is looked at without it."""
    env = dict(os.environ)
    while True:
        try:
            return read_settings(env, config=config, data=data)
        except SettingsError as error:
            tell(problem("settings", str(error)))
            named = [name for name in env if name in str(error)]
            if "SLACK_API_URL" in named:  # whose tokens these are is not known
                named += TOKENS
            env = {name: value for name, value in env.items() if name not in named and (named or name in OURS)}


async def examine(settings: Settings, tell: Tell, *, seconds: float = SECONDS) -> None:
    """Every check, until all is known or the time is over."""
    processes = Processes()
    examination = Examination(tell, seconds)
    asking = asyncio.create_task(machine.facts_of(settings.data))
    loading = asyncio.create_task(configuration.loaded(settings.config))
    try:
        for check in _checks(settings, asking, loading):
            examination.begin(check)
        examination.begin(Check(what="repositories", look=partial(_repositories, loading, processes, examination)))
        await examination.over()
    finally:
        for task in (asking, loading):
            task.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(in_thread(processes.close), CLOSE_SECONDS)


def _checks(settings: Settings, asking: Asking, loading: Loading) -> Iterator[Check]:
    known = partial(configuration.known, loading)
    yield Check(what="system", look=machine.system)
    yield Check(what="user", look=machine.user)
    yield Check(what="data folder", look=partial(machine.folder, settings.data, settings.upkeep.keep_free))
    yield Check(what="database", look=partial(storage.database, settings))
    yield Check(what="configuration", look=partial(configuration.configuration, settings.config, loading))
    yield Check(what="bot", look=partial(machine.running, settings, asking))
    if settings.slack is not None:
        yield Check(what="Slack", look=partial(slack.slack, settings.slack, known, asking))
    else:
        yield Check(what="Slack", look=no_slack)
        yield Check(what="clock", look=partial(clock.by_git_hosts, known))


async def _repositories(loading: Loading, processes: Processes, examination: Examination) -> Findings:
    config = await configuration.known(loading)
    if config is None:
        yield skipped("repositories", "which there are is known once the configuration is mended")
        return
    for check in repositories.checks(config, processes):
        examination.begin(check)


async def no_slack() -> Findings:
    if any(os.environ.get(name) for name in TOKENS):
        yield skipped("Slack", "what is set for it is not whole, as the line above on settings says")
    else:
        yield skipped("Slack", "SLACK_BOT_TOKEN is not set, so a bot would serve the command line alone")


def summary(found: list[Finding]) -> str:
    counts = [
        f"{number} {name}{'s' if number > 1 else ''}"
        for name in (Level.PROBLEM, Level.WARNING)
        if (number := sum(finding.level is name for finding in found))
    ]
    return f"\n{' and '.join(counts)}." if counts else "\nNothing is wrong."


def _leave_what_hangs(status: int) -> None:
    """A thread that hangs in the system, such as a look-up of a name, would keep this process: it is not waited for."""
    until = time.monotonic() + 1.0
    while any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        if time.monotonic() > until:
            sys.stdout.flush()
            os._exit(status)
        time.sleep(0.01)
