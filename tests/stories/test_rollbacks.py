"""The ways back: by button and by word, while a deploy runs, by a button from before, by two people at once. One bot,
one room; each story leaves the room with something good live."""

from collections.abc import Iterator

import pytest

from tests.support.scene import Scene, on_stage, read


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with on_stage(tmp_path_factory.mktemp("scene"), rates=False) as scene:
        scene.deploys("v1.1")
        yield scene


def begin(scene: Scene) -> None:
    """A deploy that is in the middle of its first script, for as long as nobody ends it."""
    scene.hold()
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("▸ install on stg-1", "[Abort] [Roll back to v1.1]")


def test_by_button_and_pressed_twice(scene: Scene) -> None:
    scene.deploys("v1.2")
    old, seen = scene.cards()[-1], scene.seen()
    scene.clicks("raj", "Roll back to v1.1")
    card = scene.shows("✅ api v1.1 is live in staging", "rolled back from v1.2, which was live for")
    assert "[Roll back to v1.0] [Deploy v1.2 again] [Log]" in card
    scene.wait(lambda: "api v1.2 was live in staging until" in read(old), "the old message to say so")
    assert "replaced by v1.1 (@raj)" in read(old) and "[" not in read(old)
    before = len(scene.cards())
    scene.clicks("mia", "Roll back to v1.1", seen)
    scene.whispered("mia", "raj did that already")
    assert len(scene.cards()) == before


def test_by_word_to_a_version(scene: Scene) -> None:
    scene.types("mia", "/rollback api staging to v1.0")
    scene.shows("✅ api v1.0 is live in staging", "rolled back from v1.1", "@mia")
    scene.deploys("v1.1")


def test_by_word_while_a_deploy_runs(scene: Scene) -> None:
    begin(scene)
    scene.types("raj", "/rollback api staging")
    whisper = scene.whispered("raj", "A rollback to v1.1 ends that first", "[Abort and roll back to v1.1]")
    scene.clicks("raj", "Abort and roll back", whisper)
    scene.wait(lambda: "aborted in staging by @raj" in read(scene.cards()[-2]), "the end of the first")
    scene.shows("✅ api v1.1 is live in staging")
    assert scene.runs() == {"stg-1": "v1.1", "stg-2": "v1.1"}


def test_at_once_by_word_while_a_deploy_runs(scene: Scene) -> None:
    begin(scene)
    scene.types("raj", "/rollback api staging now because pages are slow")
    scene.wait(lambda: "aborted in staging by @raj" in read(scene.cards()[-2]), "the end of the first")
    scene.shows("✅ api v1.1 is live in staging", "pages are slow")
    assert scene.traffic() == "stg-1 1 stg-2 1"


def test_by_the_button_of_a_running_deploy(scene: Scene) -> None:
    begin(scene)
    scene.clicks("mia", "Roll back to v1.1")
    scene.shows("✅ api v1.1 is live in staging", "by @mia")


def test_by_a_button_from_before(scene: Scene) -> None:
    scene.deploys("v1.2")
    stale = scene.seen()
    scene.deploys("v1.0")
    scene.clicks("ana", "Roll back to v1.1", stale)
    whisper = scene.whispered("ana", "That button is from before: v1.0 went live since by ana", "[Roll back to v1.2]")
    assert scene.runs() == {"stg-1": "v1.0", "stg-2": "v1.0"}
    scene.clicks("ana", "Roll back to v1.2", whisper)
    scene.shows("✅ api v1.2 is live in staging")


def test_what_was_rolled_back_from_again(scene: Scene) -> None:
    scene.clicks("ana", "Deploy v1.0 again")
    scene.shows("✅ api v1.0 is live in staging", "[Roll back to v1.2] [Log]")


def test_where_nothing_was_ever_good(scene: Scene) -> None:
    scene.types("ana", "/rollback api production")
    scene.whispered("ana", "There is no version of api to go back to in production")
    assert scene.unacknowledged() == []
