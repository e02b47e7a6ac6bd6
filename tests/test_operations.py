"""What docs/operations.md and the files it names promise: figures that exist, a backup that can be restored, a unit
that systemd takes, a container that starts what it says."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

import bot.figures
import handlers.slack.figures
from bot.__main__ import _parser
from pipelines.domain import events
from tests.support.process import ROOT, Bot
from tests.support.service import six_steps
from tests.test_docs import OPERATIONS

PAGE = OPERATIONS.read_text()
UNIT = ROOT / "config" / "shipmate.service"
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_info", "")


def figures() -> list[MetricWrapperBase]:
    """All figures of ours."""
    values = [value for module in (bot.figures, handlers.slack.figures) for value in vars(module).values()]
    flat = [one for value in values for one in (value.values() if isinstance(value, dict) else [value])]
    return [one for one in flat if isinstance(one, MetricWrapperBase)]


def names(figure: MetricWrapperBase) -> set[str]:
    """What Prometheus may call it."""
    return {f"{metric.name}{suffix}" for metric in figure.collect() for suffix in SUFFIXES}


def test_every_figure_that_the_page_names_exists_and_every_figure_is_named() -> None:
    named = set(re.findall(r"\bshipmate_[a-z_]+", PAGE))
    assert named <= set().union(*map(names, figures()))
    assert [figure for figure in figures() if not names(figure) & named] == []


def test_the_alerts_are_rules_that_each_look_at_a_figure() -> None:
    block = next(text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "- alert:" in text)
    [group] = yaml.safe_load(block)["groups"]
    assert all({"alert", "expr"} <= set(rule) for rule in group["rules"])
    assert all(re.search(r"shipmate_[a-z_]+|up\{", rule["expr"]) for rule in group["rules"])


def test_the_page_names_every_kind_of_event() -> None:
    listed = PAGE[PAGE.index("`event` is one of") : PAGE.index("Follow one deploy")]
    kinds = {one.kind for one in events.Event.__args__}
    assert set(re.findall(r"[a-z]+(?:_[a-z]+)*", listed.split("is one of")[1])) == kinds | {"decided"}


def scripts() -> list[str]:
    return re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)


def test_shell_blocks_are_shell() -> None:
    for script in scripts():
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=10)


def test_a_backup_is_made_while_the_bot_runs_and_a_bot_starts_from_it(tmp_path: Path) -> None:
    six_steps(tmp_path, pause=0.01)
    running = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml")
    restored = Bot(data=tmp_path / "restored", config=tmp_path / "shipmate.yml")
    try:
        running.start()
        assert running.say("api v1.1 staging", wait=True).status == 0
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        backup = next(script for script in scripts() if "source.backup" in script)
        subprocess.run(["bash", "-ec", backup], cwd=tmp_path, env={**os.environ, "PATH": path}, check=True, timeout=30)
        running.kill()
        restored.data.mkdir()
        shutil.copy(tmp_path / "backup.db", restored.data / "shipmate.db")
        restored.start()
        assert "api in staging: v1.1 since" in restored.say("status").text
        assert "v1.1 by ana: ✅ live" in restored.say("history api staging").text
    finally:
        running.kill()
        restored.kill()
    with sqlite3.connect(tmp_path / "backup.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def unit() -> dict[str, str]:
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_unit_lets_scripts_outlive_the_bot() -> None:
    said = unit()
    expected = {"KillMode": "process", "OOMPolicy": "continue", "Delegate": "yes", "Restart": "always"}
    assert said.items() >= expected.items()
    assert not {"PrivateTmp", "RuntimeDirectory", "NoNewPrivileges", "ProtectSystem"} & said.keys()
    words = said["ExecStart"].split()
    assert words[1:3] == ["-m", "bot"] and _parser().parse_args(words[3:]).command == "run"
    assert float(said["TimeoutStopSec"]) > 10


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    here = UNIT.read_text().replace("/opt/shipmate/current/.venv/bin/python", sys.executable)
    copy = tmp_path / "shipmate.service"
    copy.write_text(re.sub(r"^User=.*$", "User=root", here, flags=re.MULTILINE))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_the_container_starts_what_it_says_from_files_that_are_there() -> None:
    text = (ROOT / "config" / "Containerfile").read_text()
    entry = re.search(r'^ENTRYPOINT \["python", "-m", "bot", "(\w+)"\]$', text, re.MULTILINE)
    assert entry is not None and _parser().parse_args([entry[1]]).command == "supervise"
    for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()[:-1])
