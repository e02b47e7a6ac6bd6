"""Words and doors: what is near is offered with a button, a mention and a direct message take the same text, a thread
knows its deploy, and there is something to look at."""

from collections.abc import Iterator

import pytest

from tests.support.scene import Scene, on_stage, read, timeless


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with on_stage(tmp_path_factory.mktemp("words")) as scene:
        yield scene


def test_a_misspelt_line_is_offered_right_and_the_button_does_it(scene: Scene) -> None:
    scene.types("ana", "/deploy apii v1.1 stagin")
    told = scene.whispered("ana", "There is no service 'apii'", "There is no environment 'stagin'")
    assert read(told).splitlines()[-2:] == ["Did you mean /deploy api v1.1 staging?", "[Choose api v1.1 staging]"]
    scene.clicks("ana", "Choose api v1.1 staging", told)
    scene.shows("api v1.1 is live in staging")


def test_a_misspelt_verb_and_version(scene: Scene) -> None:
    scene.types("ana", "/deploy statsu")
    scene.clicks("ana", "Choose status", scene.whispered("ana", "Did you mean", "[Choose status]"))
    scene.whispered("ana", "What is live", "api in staging: v1.1")
    scene.types("ana", "/deploy api v12 staging")
    scene.clicks("ana", "Choose api v1.2 staging", scene.whispered("ana", "no tag, branch or commit 'v12'"))
    scene.shows("api v1.2 is live in staging")


def test_a_plan_a_history_a_diff_and_who(scene: Scene) -> None:
    scene.types("ana", "/deploy plan api v1.1 staging")
    scene.whispered("ana", "Plan: api v1.1 → staging", "Nothing holds it.", "install on stg-1 · deploy/install.sh")
    scene.types("mia", "/deploy plan api v1.1 production")
    scene.whispered("mia", "1 gate holds it", "You may not deploy api to production")
    scene.types("ana", "/deploy history api staging")
    scene.whispered("ana", "What happened to api in staging", "v1.1 by ana: ✅ live for")
    scene.types("ana", "/deploy diff api v4.0 staging")
    scene.whispered("ana", "v1.2 is live · 3 commits ahead", "make v4.0")
    scene.types("ana", "/deploy who api")
    scene.whispered("ana", "api → production: ana, raj", "lately by ana (2")
    assert scene.runs() == {"stg-1": "v1.2", "stg-2": "v1.2"}


def test_a_bare_rollback_lists_the_last_deploys_with_a_button_each(scene: Scene) -> None:
    scene.types("raj", "/rollback")
    told = scene.whispered("raj", "Which one?")
    lines = timeless(read(told)).splitlines()
    assert lines[-1] == "[Roll back to v1.1 · api staging] [Roll back to v1.0 · api staging]"
    scene.clicks("raj", "Roll back to v1.0", told)
    scene.shows("api v1.0 is live in staging", "rolled back from v1.2")


def test_a_mention_takes_the_same_text_and_is_answered_in_its_thread(scene: Scene) -> None:
    scene.says("ana", "@shipmate status api staging")
    scene.whispered("ana", "api in staging: v1.0")
    scene.says("ana", "hey @shipmate: api v1.2 staging")
    scene.shows("api v1.2 is live in staging")
    root = scene.cards()[-1]
    scene.says("mia", "@shipmate who api", thread=root["ts"])
    assert scene.whispered("mia", "Who may deploy")["thread_ts"] == root["ts"]
    scene.says("mia", "@shipmate @shipmate who api", thread=root["ts"])
    scene.whispered("mia", "Who may deploy")
    scene.says("ana", "@shipmate!", thread=root["ts"])
    scene.whispered("ana", "Which version of api, and where?", "[Choose…]")


def test_a_direct_message_is_answered_there(scene: Scene) -> None:
    scene.says("ana", "status", "@shipmate")
    direct = scene.slack.workspace.person("ana").user.id
    scene.wait(lambda: any("What is live" in read(m) for m in scene.cards(f"D{direct}")), "the answer")
    scene.says("gus", "status", "@shipmate")
    scene.wait(
        lambda: any("Guests may not do this" in read(m) for m in scene.cards("DU0GUS")), "the refusal of a guest"
    )


def test_in_a_thread_a_bare_word_is_about_its_deploy(scene: Scene) -> None:
    scene.hold()
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("Deploying api v4.0 → staging")
    scene.wait(lambda: bool(scene.runs()), "a start")
    root = scene.cards()[-1]
    scene.says("raj", "@shipmate abort", thread=root["ts"])
    scene.shows("api v4.0 aborted in staging by @raj")
    scene.go()
    scene.says("raj", "@shipmate retry", thread=root["ts"])
    scene.shows("api v4.0 is live in staging", "2nd try, @raj")


def test_everything_was_acknowledged(scene: Scene) -> None:
    assert scene.unacknowledged() == []


def test_a_commit_that_can_never_be_put_on_disk_is_refused_when_it_is_asked_for(scene: Scene) -> None:
    service = scene.service
    (service.repository / "out").symlink_to("/etc")
    service.commit({}, message="a link out", tag="v8.0")
    scene.types("ana", "/deploy api v8.0 staging")
    scene.whispered("ana", "out:1: this link leads out of the repository, to /etc")
    (service.repository / "out").unlink()
    (service.repository / "deploy.yml").rename(service.repository / "other.yml")
    (service.repository / "deploy.yml").symlink_to("other.yml")
    service.commit({}, message="a link for a file", tag="v8.1")
    scene.types("ana", "/deploy api v8.1 staging")
    scene.whispered("ana", "deploy.yml:1: this is a symbolic link; the bot reads a file")
