"""The living message, state by state, as a transcript; and that only a good end says that something is live."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.chat import clicks
from handlers.chat.card import TEXT_LIMIT, Card, plain_text
from handlers.chat.deploy_card import deploy_card
from handlers.chat.status_card import room_lines
from handlers.chat.thread import closing, milestones, settled, tail
from handlers.slack.thread_painter import sayings
from handlers.terminal import render
from pipelines.domain.commands import Abort, Answer, Deploy, Retry, Rollback
from pipelines.domain.deploy import Deploy as DeployState
from pipelines.domain.events import Changes, Held, Progress, Stumbled
from pipelines.domain.views import RoomView
from tests.pipelines.domain.test_plans import FULL
from tests.support.domain import RAJ, ask, commit_of, facts, knowing
from tests.support.walking import Walk, failing, well

TWO = ("stg-1", "stg-2")


def room(*versions: str) -> Walk:
    some = Walk()
    for number, version in enumerate(versions):
        some.facts = knowing(facts(version, recipe=FULL, new_id=f"old{number}", staging=TWO), "v1.3", recipe=FULL)
        some.ask(ask(Deploy(service="api", version=version, environment="staging")))
        some.walk(well)
    some.facts = knowing(facts("v1.4", recipe=FULL, new_id="new", staging=TWO), "v1.3", recipe=FULL)
    changes = Changes(count=4, authors=("raj", "ana"), subjects=("fix checkout",))
    some.facts = replace(some.facts, changes=changes)
    return some


def shown(deploy: DeployState, some: Walk) -> list[str]:
    card = deploy_card(deploy, some.now)
    return [" · ".join((card.title, *card.facts)), *card.lines, *(f"[{b.label}]" for b in card.buttons), *card.notes]


def test_a_deploy_that_stands_still_says_why_and_claims_nothing_else() -> None:
    some = room("v1.3")
    some.ask()
    some.act("new")
    some.append([Stumbled(deploy="new", error="1a2b3c4d")])
    why = (
        "api v1.4 in staging stands still: Shipmate itself broke. Its log has the error under 1a2b3c4d, and it tries "
        "again by itself. What runs on the targets is left as it is."
    )
    card = deploy_card(some.deploy, some.now)
    assert (card.title, card.text, card.lines[0]) == ("⚠️ api v1.4 stands still in staging", why, why)
    assert [said.line for said in sayings(some.deploy) if said.mention] == [why]
    assert render.question(some.deploy) == {"stumbled.1a2b3c4d": [f"! {why}"]}
    view = RoomView(service="api", environment="staging", running=some.deploy)
    [line] = room_lines(view, some.now)
    assert line.endswith("is on its way, by ana, for 0.0 s, but stands still: Shipmate itself broke (error 1a2b3c4d)")
    some.append([Stumbled(deploy="new")])
    assert deploy_card(some.deploy, some.now).title == "🚀 Deploying api v1.4 → staging"
    assert render.question(some.deploy) == {}


def test_a_running_deploy_shows_who_what_and_how_far() -> None:
    some = room("v1.3")
    some.ask()
    some.act("new")
    assert shown(some.deploy, some)[:3] == [
        '🚀 Deploying api v1.4 → staging · by @ana · 4 commits since v1.3 · "fix checkout" · by raj, ana',
        "▸ before",
        "○ traffic to stg-2",
    ]
    assert shown(some.deploy, some)[-2:] == ["[Abort]", "[Roll back to v1.3]"]


def test_before_anything_was_changed_there_is_nothing_to_roll_back() -> None:
    some = room("v1.3")
    some.ask()
    assert [b.label for b in deploy_card(some.deploy, some.now).buttons] == ["Abort"]


def test_a_good_end_says_live_on_one_line_and_how_long_it_took() -> None:
    some = room("v1.3")
    some.ask()
    some.walk(well)
    lines = shown(some.deploy, some)
    assert re.fullmatch(r"✅ api v1\.4 is live in staging · \d+ s · by @ana · .*", lines[0])
    assert lines[1:] == ["[Roll back to v1.3]", "[Log]"]


def test_a_rollback_says_from_where_and_how_long_the_bad_one_was_live() -> None:
    some = room("v1.3", "v1.4")
    some.ask(ask(Rollback(service="api", environment="staging")), replace(some.facts, new_id="back"))
    some.walk(well)
    lines = shown(some.deploy, some)
    assert re.match(r"✅ api v1\.3 is live in staging · rolled back from v1\.4, which was live for \d+ s", lines[0])
    assert lines[1:3] == ["[Deploy v1.4 again]", "[Log]"]
    assert "nothing else was good here and stayed so" in lines[3]
    old = deploy_card(some.state.deploys["old1"], some.now)
    assert re.fullmatch(r"api v1\.4 was live in staging until \d\d:\d\d UTC, replaced by v1\.3 \(@ana\)", old.title)
    assert old.buttons == ()


def test_a_failed_deploy_says_what_failed_and_what_runs_where() -> None:
    some = room("v1.3")
    some.ask()
    some.walk(failing("install on stg-1"))
    assert shown(some.deploy, some)[:4] == [
        '❌ api v1.4 failed in staging: install on stg-1 exited 1 · by @ana · 4 commits since v1.3 · "fix checkout"'
        " · by raj, ana",
        "stg-1: runs v1.3, out of traffic",
        "stg-2: runs v1.3",
        "[Retry]",
    ]


def test_when_nothing_serves_the_old_version_rolling_back_comes_first() -> None:
    some = room("v1.3")
    some.ask()
    some.walk(failing("install on stg-2"))
    lines = shown(some.deploy, some)
    assert "v1.4 is still in traffic." in lines
    assert lines.index("[Roll back to v1.3]") < lines.index("[Retry]")


def test_an_abort_says_who_and_a_retry_which_try_it_is() -> None:
    some = room("v1.3")
    some.ask()
    some.act("new")
    some.ask(ask(Abort(service="api", environment="staging")), replace(some.facts, person=RAJ))
    assert shown(some.deploy, some)[0].startswith("⏹ Aborting api v1.4 in staging")
    some.walk(well)
    assert shown(some.deploy, some)[0].startswith("⏹ api v1.4 aborted in staging by @raj")
    again = replace(some.facts, new_id="again", person=RAJ)
    some.ask(ask(Retry(service="api", environment="staging"), by=RAJ), again)
    some.act("again")
    assert "2nd try, @raj" in shown(some.deploy, some)[0]
    assert deploy_card(some.state.deploys["new"], some.now).buttons == ()


@pytest.mark.parametrize(
    ("progress", "labels"),
    [
        (Progress.LOST, ["Run again", "It worked", "Roll back to v1.3", "Abort"]),
        (Progress.UNSUPERVISED, ["Wait", "Stop it", "Roll back to v1.3", "Abort"]),
    ],
)
def test_what_nobody_knows_is_asked(progress: Progress, labels: list[str]) -> None:
    some = room("v1.3")
    some.ask()
    some.walk(failing("install on stg-1", progress))
    assert [b.label for b in deploy_card(some.deploy, some.now).buttons] == labels


def late() -> Walk:
    """A deploy whose bot was away for an hour while its first script ran, and for a minute of that only."""
    some = room("v1.3")
    some.ask()
    some.act("new")
    began = some.now
    some.now += timedelta(hours=1)
    some.end("new", some.deploy.plan.steps[0], Progress.OK, ended=began + timedelta(minutes=1))
    some.act("new")
    return some


def test_what_is_late_is_asked_and_shows_who_said_go_on() -> None:
    some = late()
    lines = shown(some.deploy, some)
    assert lines[0].startswith("❓ api v1.4 in staging needs an answer · by @ana")
    question = "Shipmate was away at 12:01 UTC, when traffic to stg-2 could have begun. Shall it still begin?"
    assert lines[1] == question
    assert lines[2:4] == ["✓ before  1 min", "○ traffic to stg-2"]
    assert lines[-3:] == ["[Go on]", "[Roll back to v1.3]", "[Abort]"]
    said = ["Say one of:", "    go on api staging", "    rollback api staging now", "    abort api staging"]
    assert list(render.question(some.deploy).values()) == [[f"? {question}", *said]]
    assert [said.mention for said in sayings(some.deploy)][-1]
    button = deploy_card(some.deploy, some.now).buttons[0]
    command = clicks.command_of(button.action, button.value)
    assert isinstance(command, Answer) and command.choice == "go_on"
    some.ask(ask(command, by=RAJ), replace(some.facts, person=RAJ))
    some.act("new")
    assert "Go on: @raj, 13:00 UTC" in shown(some.deploy, some)
    assert render.question(some.deploy) == {}


def test_an_abort_that_is_late_offers_to_go_on_with_it_or_back() -> None:
    some = late()
    some.ask(ask(Abort(service="api", environment="staging")))
    some.state = some.state.with_deploy(
        replace(some.deploy, held=Held(deploy="new", step=some.deploy.plan.steps[1].id, since=some.now))
    )
    assert [b.label for b in deploy_card(some.deploy, some.now).buttons] == ["Go on", "Roll back to v1.3"]


def test_a_pressed_button_is_replaced_by_who_pressed_it() -> None:
    some = room("v1.3", "v1.4")
    button = clicks.roll_back(some.deploy)
    assert button is not None
    command = clicks.command_of(button.action, button.value)
    assert isinstance(command, Rollback)
    some.ask(ask(command), replace(some.facts, new_id="back"))
    card = deploy_card(some.state.deploys["old1"], some.now)
    assert [b.label for b in card.buttons] == ["Log"]
    assert card.notes[0].startswith("Roll back to v1.3: @ana, ")


def test_a_click_becomes_the_command_its_label_says() -> None:
    some = room("v1.3")
    some.ask()
    some.walk(failing("install on stg-1", Progress.LOST))
    deploy = some.deploy
    back, worked = clicks.roll_back(deploy), clicks.answer(deploy, "worked", "003-deploy", 1)
    assert back is not None
    meant = [clicks.command_of(b.action, b.value) for b in (clicks.abort(deploy), clicks.retry(deploy), back, worked)]
    assert [type(one) for one in meant] == [Abort, Retry, Rollback, Answer]
    assert isinstance(meant[2], Rollback) and meant[2].now and meant[2].pin is not None
    assert clicks.command_of("log", clicks.log(deploy).value) == clicks.LogWanted(deploy="new")


@pytest.mark.parametrize("value", ["", "[]", "{}", "null", '{"s": 1}', "x" * 3_000])
def test_a_button_of_somebody_else_is_told_apart(value: str) -> None:
    with pytest.raises(clicks.UnreadableClickError):
        clicks.command_of("rollback", value)


def cards(some: Walk) -> list[tuple[DeployState, Card]]:
    return [(deploy, deploy_card(deploy, some.now)) for deploy in some.state.deploys.values()]


def test_only_what_is_live_says_so() -> None:
    for ending in (well, failing("install on stg-2"), failing("after"), failing("before", Progress.LOST)):
        some = room("v1.3")
        some.ask()
        some.walk(ending)
        for deploy, card in cards(some):
            said = re.search(r"v\d\.\d is live in staging", " ".join((card.title, card.text, *card.facts, *card.lines)))
            live = deploy.outcome is not None and deploy.outcome.value == "live" and deploy.superseded is None
            assert bool(said) == live


def test_protected_environments_ask_once_more_before_they_destroy() -> None:
    some = room("v1.3")
    some.ask()
    some.act("new")
    calm, guarded = some.deploy, replace(some.deploy, plan=replace(some.deploy.plan, protected=True))
    assert [b.confirm for b in deploy_card(calm, some.now).buttons] == [None, None]
    assert all(b.confirm is not None for b in deploy_card(guarded, some.now).buttons)


def test_milestones_only_grow() -> None:
    some = room("v1.3")
    some.ask()
    seen: list[str] = []
    while some.deploy.outcome is None:
        some.act("new")
        for step, _ in list(some.deploy.going()):
            some.end("new", step, Progress.OK)
            lines = list(milestones(some.deploy).values())
            assert lines[: len(seen)] == seen
            seen = lines
    assert [re.sub(r"\d+(\.\d)? s", "N s", line) for line in seen] == [
        "✓ before done in N s",
        "✓ v1.4 installed on stg-1 in N s",
        "✓ v1.4 installed on stg-2 in N s",
        "✓ after done in N s",
    ]
    assert closing(some.deploy).startswith("api v1.4 went live in staging after")


def test_output_is_shown_as_a_terminal_leaves_it_and_its_last_fifteen_lines() -> None:
    assert settled("red\rover\r\nx\ny") == "over\nx\ny"
    assert tail("".join(f"{n}\n" for n in range(40))).split("\n") == [str(n) for n in range(25, 40)]


@pytest.mark.parametrize("text", ["x" * 1_000, "a\u202eb\nc", "*bold* `code` ~strike~"])
def test_a_notification_is_one_plain_sentence(text: str) -> None:
    plain = plain_text(text)
    assert len(plain) <= TEXT_LIMIT and not re.search(r"[\u202e\n*`~]", plain)


def test_the_version_that_a_commit_pins_is_deployed_again() -> None:
    some = room("v1.3", "v1.4")
    some.ask(ask(Rollback(service="api", environment="staging")), replace(some.facts, new_id="back"))
    some.walk(well)
    button = clicks.deploy_again(some.deploy)
    assert button is not None
    command = clicks.command_of(button.action, button.value)
    assert isinstance(command, Deploy) and command.commit == commit_of("v1.4")
