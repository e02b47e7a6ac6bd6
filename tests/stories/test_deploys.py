"""Stories in Slack: what is typed, what the message and its thread show, what the targets run. One bot, one room after
the other; each story leaves the room with something good live."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from handlers.chat.verbs import VERBS
from tests.support.process import until
from tests.support.scene import Scene, on_stage, timeless


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with on_stage(tmp_path_factory.mktemp("scene"), rates=False) as scene:
        yield scene


def test_a_deploy(scene: Scene) -> None:
    scene.types("ana", "/deploy api v1.1 staging")
    card = scene.shows("✅ api v1.1 is live in staging", "[Roll back to v1.0] [Log]")
    assert timeless(card) == (
        '✅ api v1.1 is live in staging\nN s · by @ana · 1 commit since v1.0 · "make v1.1"\n[Roll back to v1.0] [Log]'
    )
    thread = scene.in_thread("installed v1.1 on stg-2", "<@U0ANA> api v1.1 went live in staging after")
    assert "✓ v1.1 installed on stg-1" in thread
    assert scene.runs() == {"stg-1": "v1.1", "stg-2": "v1.1"}
    tables = (scene.service.folder / "tables").read_text().splitlines()
    assert tables == ["stg-2 1 stg-1 0", "stg-1 1 stg-2 0", "stg-1 1 stg-2 1"]


def test_an_unknown_version(scene: Scene) -> None:
    before = len(scene.cards())
    scene.types("ana", "/deploy api v1.11 staging")
    scene.wait(lambda: bool(scene.whispers("ana")), "an answer")
    assert scene.whispers("ana")[0].splitlines() == [
        "There is no tag, branch or commit 'v1.11'. Near it: v1.1, v1.2, v1.0.",
        "Did you mean /deploy api v1.1 staging or /deploy api v1.2 staging or /deploy api v1.0 staging?",
        "[Choose api v1.1 staging] [Choose api v1.2 staging] [Choose api v1.0 staging]",
    ]
    assert len(scene.cards()) == before


def test_a_script_that_exits_1(scene: Scene) -> None:
    scene.types("ana", "/deploy api v2.0 staging")
    card = scene.shows("❌ api v2.0 failed in staging", "[Retry]")
    assert timeless(card) == (
        "❌ api v2.0 failed in staging: install on stg-1 exited 1\n"
        'by @ana · 2 commits since v1.1 · "make v2.0"\n'
        "stg-1: runs v1.1, out of traffic\n"
        "stg-2: runs v1.1\n"
        "[Retry] [Roll back to v1.1] [Log]"
    )
    scene.in_thread("disk is full", "<@U0ANA> api v2.0 failed in staging: install on stg-1 exited 1")


def test_a_retry_takes_over_the_message_and_the_thread(scene: Scene) -> None:
    first, seen = [card["ts"] for card in scene.cards()], scene.seen()
    scene.clicks("raj", "Retry")
    scene.shows("❌ api v2.0 failed in staging", "2nd try, @raj", "[Retry] [Roll back to v1.1] [Log]")
    thread = scene.in_thread("<@U0ANA> api v2.0 failed in staging", "<@U0RAJ> api v2.0 failed in staging")
    assert thread.count("disk is full") >= 2
    assert [card["ts"] for card in scene.cards()] == first
    scene.clicks("ana", "Retry", seen)
    scene.whispered("ana", "raj did that already")
    scene.clicks("raj", "Roll back")
    scene.shows("✅ api v1.1 is live in staging", "rolled back from v2.0, which never went live")
    assert scene.traffic() == "stg-1 1 stg-2 1"


def test_a_script_that_exits_0_and_did_nothing(scene: Scene) -> None:
    scene.types("ana", "/deploy api v3.0 staging")
    scene.shows("❌ api v3.0 failed in staging: status of stg-1 reports 'v1.1", "not v3.0")
    scene.types("ana", "/rollback api staging")
    scene.shows("✅ api v1.1 is live in staging")
    assert scene.runs() == {"stg-1": "v1.1", "stg-2": "v1.1"}


def test_what_is_live_already(scene: Scene) -> None:
    scene.types("ana", "/deploy api v1.1 staging")
    whisper = scene.whispered("ana", "api v1.1 is already live in staging", "[Deploy again]")
    before = len(scene.cards())
    scene.clicks("ana", "Deploy again", whisper)
    scene.wait(lambda: len(scene.cards()) > before, "a new message")
    scene.shows("✅ api v1.1 is live in staging")


def test_an_abort_in_the_middle(scene: Scene) -> None:
    scene.hold()
    scene.types("ana", "/deploy api v4.0 staging")
    running = scene.shows("▸ install on stg-1", "[Abort] [Roll back to v1.1]")
    assert running.splitlines()[:2] == [
        "🚀 Deploying api v4.0 → staging",
        'by @ana · 4 commits since v1.1 · "make v4.0"',
    ]
    assert "○ install on stg-2" in running
    scene.clicks("raj", "Abort")
    card = scene.shows("⏹ api v4.0 aborted in staging by @raj", "[Retry] [Roll back to v1.1] [Log]")
    assert "stg-1: runs v1.1, out of traffic" in card and "stg-2: runs v1.1" in card
    scene.in_thread("⏹ raj aborts", "<@U0ANA> api v4.0 was aborted in staging")
    assert scene.traffic() == "stg-2 1 stg-1 0"
    scene.clicks("ana", "Roll back")
    scene.shows("✅ api v1.1 is live in staging")
    assert scene.traffic() == "stg-1 1 stg-2 1"


def test_a_second_deploy_to_a_busy_room(scene: Scene) -> None:
    scene.hold()
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("▸ install on stg-1")
    scene.types("raj", "/deploy api v1.2 staging")
    scene.whispered("raj", "api is being deployed to staging: v4.0 by ana, for", "/deploy abort api staging")
    scene.go()
    scene.shows("✅ api v4.0 is live in staging")


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ("gus", "Guests may not do this"),
        ("eve", "People of another workspace may not do this"),
        ("otherbot", "Bots may not do this"),
        ("olddan", "Deactivated users may not do this"),
    ],
)
def test_who_may_do_nothing(scene: Scene, person: str, says: str) -> None:
    card = scene.card()
    assert "[Roll back to" in card
    for line in ("/deploy api v1.1 staging", "/rollback api staging", "/deploy status"):
        scene.types(person, line)
    for label in ("Roll back", "Log"):
        scene.clicks(person, label)
    until(
        lambda: len(scene.whispers(person)) == 5,
        seconds=30,
        what=lambda: f"an answer to each: {scene.whispers(person)} {scene.bot.log()[-3000:]}",
    )
    assert all(says in whisper for whisper in scene.whispers(person))
    assert scene.card() == card


def test_who_may_deploy_here_and_not_there(scene: Scene) -> None:
    before = len(scene.cards())
    scene.types("mia", "/deploy api v1.1 production")
    scene.whispered("mia", "You may not deploy api to production: that is for ana or raj")
    assert len(scene.cards()) == before
    scene.deploys("v1.2", "mia")


def test_what_is_not_built_is_refused_by_name(scene: Scene) -> None:
    before = len(scene.cards())
    for verb in (verb for verb in VERBS if not verb.built):
        scene.types("ana", f"/deploy {verb.name} api v1.1 staging")
        scene.whispered("ana", f"'{verb.name}' is not built yet, so nothing was done")
    scene.types("ana", "/deploy api v1.1 staging at 02:00")
    scene.whispered("ana", "scheduling (at …)", "so nothing was done")
    assert len(scene.cards()) == before


def test_a_channel_the_bot_cannot_post_in(scene: Scene) -> None:
    scene.service.channel = None
    scene.service.configure(staging={}, production={"protected": True})
    scene.restart()
    scene.types("ana", "/deploy api v1.1 staging", "#random")
    scene.whispered("ana", "Shipmate cannot post in #random, so nothing was started", "/invite")
    assert scene.runs() == {"stg-1": "v1.2", "stg-2": "v1.2"}
    scene.types("ana", "/rollback api staging", "#random")
    scene.wait(lambda: set(scene.runs().values()) == {"v4.0"}, "the rollback to go on")
    scene.wait(lambda: "went live in staging" in str(scene.whispers("ana")), "the answer")


def test_what_was_delivered_was_acknowledged(scene: Scene) -> None:
    scene.slack.do(scene.slack.workspace.person("ana").say("#general", "good morning @shipmate"))
    scene.slack.do(scene.slack.workspace.person("ana").say("DU0ANA", "hello"))
    log = scene.slack.workspace.deliverer.log
    assert log[-2]["kind"] == log[-1]["kind"] == "events_api"
    assert scene.unacknowledged() == []


def test_no_message_was_edited_twice_within_three_seconds(scene: Scene) -> None:
    edits: dict[str, list[float]] = {}
    for call in scene.slack.workspace.calls:
        if call.method == "chat.update" and call.answer["ok"]:
            edits.setdefault(str(call.args["ts"]), []).append(call.at)
    gaps = [b - a for times in edits.values() for a, b in pairwise(times)]
    assert gaps and min(gaps) >= 3.0, min(gaps)
