"""The same job in a terminal: what is said, what is printed, and the exit status a script can rely on."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.chat.verbs import VERBS
from tests.support.process import Bot, until
from tests.support.scene import make_service, timeless
from tests.support.service import Service

UNBUILT = [verb.name for verb in VERBS if not verb.built]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bot, Service]]:
    folder: Path = tmp_path_factory.mktemp("say")
    service = make_service(folder, channel=None)
    bot = Bot(data=folder / ("long-" * 40), config=service.config)
    try:
        bot.start()
        yield bot, service
    finally:
        bot.kill()


@pytest.fixture
def bot(there: tuple[Bot, Service]) -> Bot:
    return there[0]


@pytest.fixture
def service(there: tuple[Bot, Service]) -> Service:
    return there[1]


def test_a_data_folder_with_a_name_of_200_characters_has_a_socket(bot: Bot) -> None:
    assert len(bot.data.name) == 200
    assert bot.say("status").text == (
        "What is live\n  api in staging: v1.0 since {0}\n  api in production: v1.0 since {0}\n".format(
            re.findall(r"since (\d\d:\d\d UTC)", bot.say("status").text)[0]
        )
    )


def test_a_deploy_and_its_way_back(bot: Bot) -> None:
    said = bot.say("/deploy api v1.1 staging because it is time", wait=True)
    assert said.status == 0, said.text
    lines = said.text.splitlines()
    assert lines[0] == "api v1.1 → staging has begun."
    assert re.fullmatch(r"✓ install on stg-1 \(\d\.\d s\)", lines[2])
    assert re.match(r"✅ api v1\.1 is live in staging · .* · because it is time", lines[-2])
    assert lines[-1] == "  [Roll back to v1.0] rollback api staging"
    back = bot.say("/rollback api staging", wait=True)
    assert back.status == 0 and "api v1.0 is live in staging · rolled back from v1.1, which was live for" in back.text
    past = timeless(bot.say("history api staging").text).splitlines()
    assert past[1:3] == [
        "  HH:MM UTC  v1.0 by ana (a rollback): ✅ live since HH:MM UTC",
        "  HH:MM UTC  v1.1 by ana because it is time: ✅ live for N s, then v1.0",
    ]
    assert bot.say("rollback").text.startswith("There is nothing to roll back")


@pytest.mark.parametrize(
    ("text", "by", "status", "says"),
    [
        ("", "ana", 0, "Which version of api, and where?\n  versions: v1."),
        ("api", "ana", 0, "  environments: staging, production\n  /deploy api v1."),
        (
            "apii v1.1 stagin",
            "ana",
            2,
            "Did you mean `/deploy api v1.1 staging`?\n  [Choose api v1.1 staging] api v1.1",
        ),
        ("statsu", "ana", 2, "Did you mean `/deploy status`?"),
        ("api v11 staging", "ana", 2, "[Choose api v1.1 staging] api v1.1 staging"),
        ("api v1.1 #deploys", "ana", 2, "'#deploys' is a channel, no environment. Environments:"),
        ("plan api v9 staging", "ana", 2, "✗ There is no tag, branch or commit 'v9'"),
        ("plan api v1.1 production", "mia", 3, "✗ You may not deploy api to production"),
        ("plan api v1.1 production", "ana", 0, "Nothing holds it.\n  1. traffic to stg-2 · deploy/route.sh"),
        ("diff api v1.2 production", "ana", 0, "v1.0 is live · 2 commits ahead"),
        ("who api", "ana", 0, "api → staging: any full member\n  api → production: ana, raj\n"),
        ("who nobody", "ana", 2, "There is no service 'nobody'"),
        ("history api production", "ana", 0, "Nothing was deployed here yet."),
        ("help", "ana", 0, "/deploy rollback api staging"),
        ("status api production", "ana", 0, "api in production: v1.0"),
        ("api v1.1", "ana", 2, "Where shall api v1.1 go?"),
        ("api v9 staging", "ana", 2, "There is no tag, branch or commit 'v9'"),
        ("web v1.1 staging", "ana", 2, "There is no service 'web'. Services: api."),
        ("api v1.1 moon", "ana", 2, "There is no environment 'moon'. Environments: staging"),
        ("status moon", "ana", 2, "There is no service 'moon'"),
        *((f"{name} api v1.1 staging", "ana", 3, f"'{name}' is not built yet, so nothing") for name in UNBUILT),
        ("api v1.1 staging at 02:00", "ana", 3, "scheduling (at …)"),
        ("api v1.1 production", "mia", 3, "that is for ana or raj"),
        ("rollback api production", "ana", 3, "There is no version of api to go back to in production"),
        ("rollback api production to v1.2", "ana", 3, "'v1.2' never ended well in production"),
        ("abort", "ana", 3, "Nothing is being deployed"),
        ("retry api staging", "ana", 3, "There is no failed deploy to retry"),
        ("it worked api staging", "ana", 3, "No step waits for such an answer"),
        ("api v1.0 production", "ana", 3, "api v1.0 is already live in production"),
    ],
)
def test_every_answer_has_its_exit_status(bot: Bot, text: str, by: str, status: int, says: str) -> None:
    said = bot.say(text, by=by)
    assert said.status == status, said.text
    assert says in said.text


def test_every_form_of_a_version_becomes_a_commit(bot: Bot, service: Service) -> None:
    commit = service.git("rev-parse", "v1.2^{commit}")
    service.git("branch", "side", "v1.2")
    service.git("commit", "-q", "--allow-empty", "-m", "no version yet")
    untagged = service.git("rev-parse", "HEAD")
    (service.folder / "go").touch()
    forms = {
        "v1.2": "v1.2",
        "side": "v1.2",
        commit: "v1.2",
        commit[:8]: "v1.2",
        "latest": "v4.0",
        "main": untagged[:12],
    }
    for typed, version in forms.items():
        said = bot.say(f"api {typed} production force", wait=True)
        assert said.status == 0 and f"✅ api {version} is live in production" in said.text, said.text
    previous = bot.say("api previous production", wait=True)
    assert previous.status == 0 and "✅ api v4.0 is live in production" in previous.text, previous.text
    assert f"main ({untagged[:7]})" in said.text


def test_a_deploy_that_fails_and_one_that_is_aborted(bot: Bot, service: Service) -> None:
    failed = bot.say("api v2.0 staging", wait=True)
    assert failed.status == 1 and "❌ api v2.0 failed in staging: install on stg-1 exited 1" in failed.text
    (service.folder / "go").unlink(missing_ok=True)
    waiting = bot.saying("api v4.0 staging", wait=True)
    until(lambda: "v4.0 is on its way, by ana" in bot.say("status").text, what="the deploy")
    aborted = bot.say("abort api staging", by="raj", wait=True)
    assert aborted.status == 0 and "⏹ api v4.0 aborted in staging by @raj" in aborted.text
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 4 and "aborted in staging by @raj" in out
    assert bot.say("rollback api staging", wait=True).status == 0


def test_ctrl_c_leaves_the_deploy_running(bot: Bot, service: Service) -> None:
    (service.folder / "go").unlink(missing_ok=True)
    waiting = bot.saying("api v4.0 staging", wait=True)
    until(lambda: "v4.0 is on its way" in bot.say("status").text, what="the deploy")
    waiting.send_signal(signal.SIGINT)
    out, _ = waiting.communicate(timeout=10)
    assert waiting.returncode == 130 and "What was begun goes on" in out and "Traceback" not in out
    assert "v4.0 is on its way" in bot.say("status").text
    (service.folder / "go").touch()
    until(lambda: "api in staging: v4.0" in bot.say("status").text, what="its end")


def test_where_there_is_no_bot_it_says_how_to_start_one(tmp_path: Path) -> None:
    nobody = Bot(data=tmp_path, config=tmp_path / "shipmate.yml")
    said = nobody.say("status")
    assert said.status == 69 and "shipmate run --data" in said.text


def test_the_socket_is_its_owners_alone(bot: Bot) -> None:
    assert (bot.data / "control.sock").stat().st_mode & 0o777 == 0o600
    assert bot.data.stat().st_mode & 0o077 == 0
