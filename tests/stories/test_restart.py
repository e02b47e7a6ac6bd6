"""The bot goes away in the middle of a deploy and comes back: told to end, upgraded, or its engine's tables gone.
Judged from the scripts' own ledger and from what `say` prints. Deaths of all kinds are in `tests/torture`."""

import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.holding import holder
from bot.roles import Role
from bot.say import NO_BOT
from tests.support.process import ROOT, Bot, until
from tests.support.service import Service, six_steps


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")
    yield running
    running.kill()


def in_install(service: Service) -> bool:
    return any(entry[:2] == ["start", "install"] for entry in service.entries())


def live(bot: Bot) -> bool:
    status = bot.say("status").text
    return "api in staging: v1.1" in status and "on its way" not in status


def begun(tmp_path: Path, bot: Bot, pause: float = 0.2) -> Service:
    """A deploy in the middle of its first install."""
    service = six_steps(tmp_path, pause=pause)
    bot.start()
    assert bot.say("api v1.1 staging").status == 0
    until(lambda: in_install(service), what="the first install")
    return service


def each_once(service: Service) -> bool:
    counts = Counter(tuple(entry[:3]) for entry in service.entries())
    return set(counts.values()) == {1} and len(counts) == 12


def test_told_to_end_it_leaves_scripts_alone_and_goes_on_later(tmp_path: Path, bot: Bot) -> None:
    service = begun(tmp_path, bot)
    assert bot.stop(seconds=10) == 0
    until(lambda: ["end", "install"] in [e[:2] for e in service.entries()], what="the script's own end")
    assert "Traceback" not in bot.log()
    assert bot.say("status").status == NO_BOT
    bot.start(wait=False)
    until(lambda: holder(bot.data, Role.WEB) is not None, what="a bot that starts")
    said = bot.say("status")  # which waits for it
    assert said.status == 0 and "api in staging" in said.text, said.text
    until(lambda: live(bot), what="v1.1 live")
    assert each_once(service)


@pytest.mark.long
def test_nothing_is_lost_with_the_engines_tables(tmp_path: Path, bot: Bot) -> None:
    service = begun(tmp_path, bot)
    bot.stop()
    with sqlite3.connect(bot.data / "shipmate.db") as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in tables & {"operation_outputs", "workflow_events", "notifications", "workflow_status", "queues"}:
            database.execute(f"DELETE FROM {table}")
    bot.start()
    until(lambda: live(bot), what="v1.1 live")
    assert each_once(service)


@pytest.mark.long
def test_an_upgrade_finishes_what_the_older_bot_began(tmp_path: Path, bot: Bot) -> None:
    """The workflow's body has changed: it has one step more, before the one it had."""
    service = begun(tmp_path, bot)
    bot.kill()
    changed = tmp_path / "changed"
    changed.mkdir()
    source = (ROOT / "pipelines/execution/engine.py").read_text()
    body = "        async def workflow(deploy: str) -> None:\n"
    assert body in source
    newer = source.replace(body, body + "            await asyncio.sleep(0)\n            await walk(deploy)\n")
    (changed / "sitecustomize.py").write_text(
        "import importlib.abc, importlib.util, sys\n"
        f"SOURCE = {newer!r}\n"
        "class Newer(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'pipelines.execution.engine':\n"
        "            return importlib.util.spec_from_loader(name, self, origin='newer engine')\n"
        "    def get_filename(self, name): return 'newer engine'\n"
        "    def get_data(self, path): return SOURCE.encode()\n"
        "sys.meta_path.insert(0, Newer())\n"
    )
    bot.env = {"PYTHONPATH": f"{changed}:{ROOT}"}
    bot.start()
    until(lambda: live(bot), what="v1.1 live")
    assert each_once(service)


def test_a_second_bot_on_the_same_sqlite_file_says_who_is_there(tmp_path: Path, bot: Bot) -> None:
    """Also where it is the first one's own, in its data folder."""
    six_steps(tmp_path)
    for file in (tmp_path / "shared.db", bot.data / "shipmate.db"):
        bot.env = {"DATABASE_URL": f"sqlite:///{file}"} if file.parent != bot.data else {}
        bot.start()
        assert bot.process is not None
        second = Bot(data=tmp_path / "other", config=bot.config, env={"DATABASE_URL": f"sqlite:///{file}"})
        second.start(wait=False)
        assert second.process is not None and second.process.wait(30) == 1
        assert f"A bot works on {file} already: process {bot.process.pid}" in second.log()
        bot.stop()


def test_who_reads_along_with_say_may_leave(tmp_path: Path, bot: Bot) -> None:
    six_steps(tmp_path)
    bot.start()
    saying = bot.saying("deploy api v1.1 staging", wait=True)
    assert saying.stdout is not None
    saying.stdout.readline()
    saying.stdout.close()
    assert saying.wait(30) == -signal.SIGPIPE
