"""`init`: three questions, files that `check` takes as they are, scripts that never end well having done nothing."""

import io
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.init import WAYS
from bot.init import init as ask_and_write
from tests.support.process import ROOT

HERE = """
How does a version get onto a target?
  1  it runs on this machine, to try Shipmate out
  2  it is copied to a host with ssh, and restarted there
  3  another way: I write the script
[1] 
Which URL says that the service is well? `-`: none
[http://$TARGET/healthz] 
Which URL says what version runs? `script`: a script asks; `-`: nobody can tell
[http://$TARGET/version] 
Wrote deploy.yml, deploy/install.sh.

To be filled in; until then the script exits 1 and says so:
  START in deploy/install.sh: what starts the service

Then:
  git add deploy.yml deploy/install.sh
  shipmate check .
  git commit -m "How this service is deployed"
  git tag v1.0

and in the bot's configuration, such as shipmate.yml:
  services:
    web-shop:
      repo: "{root}"
      targets:
        staging: ["127.0.0.1:8001", "127.0.0.1:8002"]
  environments:
    staging: {}

To ship it, each in a terminal of its own and in the folder of shipmate.yml:
  shipmate run --config shipmate.yml
  shipmate say "web-shop v1.0 staging" --wait
"""  # noqa: W291 (a prompt ends in a blank)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "web-shop"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SHIPMATE_CONFIG", raising=False)
    return folder


def init(monkeypatch: pytest.MonkeyPatch, answers: str = "\n\n\n", path: str = ".") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    return main(["init", path])


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts}


def test_three_times_enter(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert init(monkeypatch) == 0
    assert capsys.readouterr().out == HERE[1:].replace("{root}", str(root))
    assert (root / "deploy.yml").read_text() == (
        "# How this service is deployed, the same in every environment. Look at the plans with: shipmate check\n"
        "deploy:\n"
        "  run: deploy/install.sh\n"
        "  detach: true # the service that it starts stays when it has ended\n"
        "status: http://$TARGET/version # its first line has the version or the commit\n"
        "check:\n"
        "  - http: http://$TARGET/healthz\n"
    )


@pytest.mark.parametrize(
    "answers", list(product("123", ("", "-", "/up", 'http://$TARGET/a b?c={"d"}#e'), ("", "-", "script"))), ids=" ".join
)
def test_what_is_written_can_be_deployed_as_it_is_and_owns_up_to_what_is_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answers: tuple[str, str, str]
) -> None:
    way, _, version = answers
    assert init(monkeypatch, "\n".join(answers)) == 0
    written = {"deploy.yml", "deploy/install.sh"} | ({"deploy/status.sh"} if version == "script" else set())
    assert files(root) == written
    capsys.readouterr()
    assert main(["check", "."]) == 0, capsys.readouterr().err
    unfilled = [name for name in written if name.endswith("install.sh") or (way == "3" and name.endswith("status.sh"))]
    for name in unfilled:
        done = run(root, name)
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.count("\n") == 1 and f" {name}" in done.stderr and "and commit that." in done.stderr


def run(root: Path, script: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """A script as the bot runs it: by its whole path, in the tree's root, with Shipmate's variables."""
    told = {"SERVICE": "web-shop", "TARGET": "127.0.0.1:1", "VERSION": "v1.0", "COMMIT": "0" * 40, "LANG": "C.UTF-8"}
    argv, path = [str(root / script)], os.environ["PATH"]
    return subprocess.run(
        argv,
        cwd=root,
        env={"PATH": path, **told, **env},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_what_does_not_fit_is_asked_again_and_at_last_nothing_is_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(monkeypatch, "4\nssh\nhealthz\nhttp://$HOST/\n/up\n-\n") == 0
    said = capsys.readouterr().out
    assert "That does not fit: say 1, 2 or 3." in said
    assert "That does not fit: `healthz` is no URL; write http://$TARGET/healthz." in said
    assert "That does not fit: `$HOST` is not a name that is replaced here." in said
    assert (root / "deploy.yml").read_text().splitlines()[1:] == [
        "deploy: deploy/install.sh",
        "# Without `status:` a deploy is good when its scripts exit 0, and the message says: not verified.",
        "check:",
        "  - http: http://$TARGET/up",
    ]
    (root / "deploy.yml").unlink()
    (root / "deploy/install.sh").unlink()
    assert init(monkeypatch, "4\n5\n6\n") == 1 and files(root) == set()
    assert capsys.readouterr().err == "Nothing was written. Start again with: shipmate init\n"


@pytest.mark.parametrize("name", ["deploy.yml", "deploy/install.sh", "deploy/status.sh", "deploy"])
def test_nothing_is_overwritten(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("mine\n")
    assert init(monkeypatch, "1\n\nscript\n") == 1
    assert files(root) == {name} and (root / name).read_text() == "mine\n"
    assert f"In the way: {name}" in capsys.readouterr().err


def test_a_link_is_not_written_through(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (root / "deploy").symlink_to(tmp_path / "outside")
    (root / "deploy.yml").symlink_to(tmp_path / "outside" / "deploy.yml")
    assert init(monkeypatch) == 1
    assert files(tmp_path / "outside") == set()


def test_in_a_folder_of_a_repository_and_where_git_does_not_look_at_modes(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "services" / "api").mkdir(parents=True)
    subprocess.run(["git", "-C", str(root), "config", "core.fileMode", "false"], check=True)
    assert init(monkeypatch, path="services/api") == 0
    said = capsys.readouterr().out
    assert "  cd services/api\n  git add deploy.yml deploy/install.sh\n" in said
    assert "  git update-index --chmod=+x deploy/install.sh\n  shipmate check .\n" in said
    assert f'    api:\n      repo: "{root}"\n      path: "services/api"\n' in said
    assert main(["check", "services/api"]) == 1  # not added yet, and git takes nothing as executable
    for line in ("git add deploy.yml deploy/install.sh", "git update-index --chmod=+x deploy/install.sh"):
        subprocess.run(line.split(), cwd=root / "services" / "api", check=True)
    assert main(["check", "services/api"]) == 0


def test_outside_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path} is in no git repository; what is deployed is a commit. Make it one with: git init {tmp_path}\n"
    )
    assert main(["init", str(tmp_path / "nowhere")]) == 1
    assert "Name one in the service's git repository." in capsys.readouterr().err


def test_an_interrupt_leaves_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_prompt: str) -> str:
        raise KeyboardInterrupt

    assert ask_and_write(root, interrupted) == 130 and files(root) == set()
    assert capsys.readouterr().err == "\nNothing was written.\n"


def test_as_a_program_that_has_nobody_to_ask(root: Path) -> None:
    argv = [sys.executable, "-m", "bot", "init", str(root)]
    done = subprocess.run(argv, cwd=ROOT, input="", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and files(root) == {"deploy.yml", "deploy/install.sh"}


SSH = """#!/bin/sh
echo "$*" >> "$FAKE/asked"
while [ "$1" = -o ]; do shift 2; done
shift
exec sh -c "$*"
"""


def test_the_way_over_ssh(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a stand-in for ssh that runs on this machine what it is told to run over there."""
    assert init(monkeypatch, "2\n-\nscript\n") == 0
    for name in ("deploy/install.sh", "deploy/status.sh"):
        text = (root / name).read_text().replace('"/opt/$SERVICE"', f'"{tmp_path}/opt/$SERVICE"')
        (root / name).write_text(text.replace("RESTART=''", f"RESTART='echo restarted >> {tmp_path}/restarts'"))
    (root / "app.py").write_text("print(1)\n")
    (root / "app.py").chmod(0o444)
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "FAKE": str(tmp_path), "TARGET": "api-1:8080"}
    for version, commit in (("v1.0;touch x", "1" * 40), ("v1.1", "2" * 40), ("v1.1", "2" * 40)):
        done = run(root, "deploy/install.sh", VERSION=version, COMMIT=commit, **env)
        assert done.returncode == 0, done.stderr
        assert run(root, "deploy/status.sh", **env).stdout == f"{version} {commit}\n"
        assert (tmp_path / "opt/web-shop/current/app.py").read_text() == "print(1)\n"
    assert (tmp_path / "restarts").read_text() == "restarted\n" * 3
    assert all("BatchMode=yes -o ConnectTimeout=10 api-1 " in line for line in asked(tmp_path))
    assert not any("touch" in line for line in asked(tmp_path))


def asked(folder: Path) -> list[str]:
    return [line for line in (folder / "asked").read_text().splitlines() if line.startswith("-o")]


def test_there_is_a_folder_for_every_way() -> None:
    assert {path.name for path in (ROOT / "config" / "init").iterdir()} == set(WAYS.values())


@pytest.mark.parametrize(
    ("folder", "name", "why"),
    [
        ("rollback", "rollback-service", "`rollback` is a word of the commands, so nothing can be called that."),
        ("force", "force-service", "`force` is a word of the commands"),
        ("My_Api", "my-api", "`My_Api` cannot be a name: names are lower-case letters, digits and single dashes"),
        ("2048", "api", "`2048` cannot be a name"),
        ("x" * 60, "x" * 32, f"`{'x' * 60}` cannot be a name"),
    ],
)
def test_a_folder_that_no_service_can_be_called_as(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str, name: str, why: str
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / folder)], check=True)
    assert ask_and_write(tmp_path / folder, lambda _prompt: "") == 0
    said = capsys.readouterr().out
    assert f"  services:\n    {name}:\n" in said and f'shipmate say "{name} v1.0 staging"' in said
    assert f"It is called `{name}` there; choose any name that you like better: {why}" in said
