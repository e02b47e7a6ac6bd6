"""The form: `/deploy` alone opens it, it searches as one types, what is wrong stands at its field, and it deploys."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from bot.workspace.person import PersonAtWork
from bot.workspace.searches import NoOptionsError
from tests.support.scene import Scene, on_stage, read


@pytest.fixture(scope="module", params=["socket", "http"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with on_stage(tmp_path_factory.mktemp("form"), http=request.param == "http") as scene:
        yield scene


def ana(scene: Scene) -> PersonAtWork:
    return scene.slack.workspace.person("ana")


def opened(scene: Scene, person: str = "ana") -> dict[str, Any]:
    scene.wait(lambda: scene.slack.workspace.modal(person) is not None, "the form")
    view = scene.slack.workspace.modal(person)
    assert view is not None
    return view


def searched(scene: Scene, typed: str) -> list[str]:
    """What a search offers; a machine that has much else to do may take longer than Slack waits."""
    found: list[list[str]] = []

    def offered() -> bool:
        with suppress(NoOptionsError):
            found.append([option["value"] for option in scene.slack.do(ana(scene).search("version", typed))])
        return bool(found)

    scene.wait(offered, f"an answer to {typed!r}")
    return found[0]


def test_deploy_alone_opens_a_form_that_searches_and_deploys(scene: Scene) -> None:
    scene.types("ana", "/deploy")
    assert opened(scene)["title"]["text"] == "Deploy"
    scene.wait(lambda: searched(scene, "mai") == ["main"], "the versions of a repository nobody fetched before")
    assert searched(scene, "v1") == ["v1.2", "v1.1", "v1.0"]
    scene.slack.do(ana(scene).pick("version", "v1.1"))
    assert scene.slack.do(ana(scene).submit()) == {}
    assert scene.slack.workspace.modal("ana") is None
    scene.shows("api v1.1 is live in staging", "by @ana")


def test_what_was_deployed_is_offered_first(scene: Scene) -> None:
    scene.types("ana", "/deploy api")
    opened(scene)
    assert searched(scene, "")[0] == "v1.1"
    scene.slack.do(ana(scene).close())


def test_what_is_wrong_stands_at_its_field(scene: Scene) -> None:
    scene.types("mia", "/deploy api")
    mia = scene.slack.workspace.person("mia")
    opened(scene, "mia")
    scene.slack.do(mia.search("version", "v1"))
    scene.slack.do(mia.pick("version", "v1.1"))
    scene.slack.do(mia.pick("environment", "production"))
    errors = scene.slack.do(mia.submit())
    assert list(errors) == ["environment"] and "that is for ana or raj" in errors["environment"]
    scene.slack.do(mia.pick("environment", "staging"))
    errors = scene.slack.do(mia.submit())
    assert "already live" in errors["environment"]
    scene.slack.do(mia.close())
    assert not any("already live" in said for said in scene.whispers("mia")), "it was told at its field"


def test_a_mention_gets_a_button_that_opens_it(scene: Scene) -> None:
    scene.says("raj", "@shipmate")
    told = scene.whispered("raj", "Which version of api, and where?", "[Choose…]")
    scene.clicks("raj", "Choose…", told)
    opened(scene, "raj")
    scene.slack.do(scene.slack.workspace.person("raj").close())


def test_guests_do_not_get_it_and_a_service_nobody_knows_is_told(scene: Scene) -> None:
    scene.types("gus", "/deploy")
    scene.whispered("gus", "Guests may not do this")
    assert scene.slack.workspace.modal("gus") is None
    scene.types("ana", "/deploy apii")
    assert "[Choose" in read(scene.whispered("ana", "There is no service 'apii'"))
    assert scene.unacknowledged() == []
