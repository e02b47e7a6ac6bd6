"""Stories of secrets: asked for before they are there, gone in between, used, printed in every form, and seen nowhere.
One bot, one room; the search for leaks comes last and looks at all that the stories left."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.canary import API_KEY, CERT, PASSED, Canary, canary, leaks
from tests.support.scene import Scene, on_stage, timeless


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Canary]]:
    folder = tmp_path_factory.mktemp("secrets")
    with (
        canary(folder) as service,
        on_stage(folder, rates=False, service=service.service, environ={"PASSED": PASSED}) as scene,
    ):
        yield scene, service


@pytest.fixture
def scene(there: tuple[Scene, Canary]) -> Scene:
    return there[0]


@pytest.fixture
def service(there: tuple[Scene, Canary]) -> Canary:
    return there[1]


def run_folders(scene: Scene) -> list[Path]:
    return list((scene.bot.data / "runs").glob("*/*"))


def test_secrets_that_are_not_there_are_all_told_before_anything_runs(scene: Scene, service: Canary) -> None:
    service.put(CERT="")
    scene.types("ana", "/deploy api v1.0 staging")
    scene.whispered(
        "ana",
        "These secrets of api cannot be read for staging:",
        f"API_KEY: there is no file {service.secrets}/API_KEY; write the value into it",
        f"CERT: {service.secrets}/CERT is empty; write the value into it",
        "Put each value into its file, readable by the bot's user, then ask again.",
    )
    scene.types("ana", "/deploy api v1.0 bare")
    scene.whispered(
        "ana",
        "deploy.yml names the secrets API_KEY and CERT",
        "Write secrets_from: file:///etc/",
        "its environment bare.",
    )
    assert scene.cards() == []


def test_a_deploy_with_secrets(scene: Scene, service: Canary) -> None:
    service.put(API_KEY=f"{API_KEY}\n", CERT=CERT)
    scene.types("ana", "/deploy api v1.0 staging")
    assert timeless(scene.shows("✅ api v1.0 is live in staging")).startswith(
        "✅ api v1.0 is live in staging\nN s · by"
    )
    thread = scene.in_thread("API_KEY ***\n", "PASSED ***", "?token=$API_KEY: v1.0 for *** at /version/stg-1?token=***")
    assert f"http http://127.0.0.1:{port(thread)}/healthz?token=${{API_KEY}}: yes" in thread
    assert service.asked and set(service.asked) == {API_KEY}


def port(thread: str) -> str:
    return thread.partition("http://127.0.0.1:")[2].partition("/")[0]


def test_nothing_of_a_value_stays_in_the_run_folder(scene: Scene) -> None:
    scene.wait(lambda: not list((scene.bot.data / "runs").glob("*/*/hidden")), "the end of the cleaning up")
    left = {path.name for folder in run_folders(scene) for path in folder.iterdir()}
    assert left == {"exit", "lock", "out", "started"}
    assert all(stat.S_IMODE((folder / "exit").stat().st_mode) == 0o600 for folder in run_folders(scene))


def test_a_secret_that_vanishes_between_the_plan_and_the_start_fails_the_step(scene: Scene, service: Canary) -> None:
    scene.types("ana", "/deploy api v2.0 staging")
    scene.shows(
        f"❌ api v2.0 failed in staging: install on stg-1 did not start: API_KEY: there is no file {service.secrets}"
    )
    scene.types("ana", "/rollback api staging")
    scene.whispered("ana", f"API_KEY: there is no file {service.secrets}/API_KEY; write the value into it")
    service.put(API_KEY=API_KEY)
    scene.types("ana", "/rollback api staging")
    scene.shows("✅ api v1.0 is live in staging", "rolled back from v2.0")


def test_a_check_that_fails_does_not_show_what_its_url_holds(scene: Scene) -> None:
    scene.types("ana", "/deploy api v4.0 staging")
    scene.shows("❌ api v4.0 failed in staging: check on stg-1 answered 500")
    scene.in_thread("/sick/$API_KEY?token=${API_KEY}: answered 500")
    scene.types("ana", "/rollback api staging now")
    scene.shows("✅ api v1.0 is live in staging")


def test_a_restart_in_the_middle_masks_on_though_the_secret_is_another_by_now(scene: Scene, service: Canary) -> None:
    scene.types("ana", "/deploy api v3.0 staging")
    scene.shows("▸ install on stg-1")
    scene.in_thread("PASSED ***")
    scene.bot.kill()
    held = next((scene.bot.data / "runs").glob("*/*/hidden"))
    assert stat.S_IMODE(held.stat().st_mode) == 0o600 and API_KEY in json.loads(held.read_bytes())["values"]
    assert stat.S_IMODE(held.parent.stat().st_mode) == 0o700 == stat.S_IMODE(scene.bot.data.stat().st_mode)
    service.put(API_KEY="another-canary-5e1d")
    scene.go()
    scene.bot.start()
    scene.connected()
    scene.shows("✅ api v3.0 is live in staging")
    assert "old: ***.\n" in scene.in_thread("old: ***.")


def test_in_a_terminal(scene: Scene, service: Canary) -> None:
    service.put(API_KEY=API_KEY)
    said = scene.bot.say("api v4.0 staging", wait=True)
    assert said.status == 1 and "answered 500" in said.text
    said = scene.bot.say("rollback api staging", wait=True)
    assert said.status == 0 and "api v3.0 is live in staging" in said.text


def test_no_canary_is_anywhere(scene: Scene, service: Canary) -> None:
    said = [scene.bot.say(text).text for text in ("status", "status api staging")]
    scene.bot.stop()
    state = scene.slack.workspace.state
    slack = [json.dumps(m, ensure_ascii=False) for c in ("#deploys",) for m in scene.slack.workspace.messages(c)]
    slack += [
        json.dumps(m, ensure_ascii=False) for person in ("ana", "raj") for m in scene.slack.workspace.whispers(person)
    ]
    files = [str(state.files[file]["content"]) for file in state.files.known]
    assert len(files) >= 5 and any("API_KEY ***" in text for text in files)
    assert leaks(service.folder, *said, *slack, *files) == []
    assert leaks(service.folder, f"x {API_KEY}")  # the search finds what is there


def test_a_variable_that_the_bot_does_not_have_is_refused(scene: Scene) -> None:
    left = scene.bot.data / "runs" / "gone" / "001-deploy.1"
    left.mkdir(parents=True)
    (left / "hidden").write_text(json.dumps({"values": ["left by a bot that was killed"], "detach": False}))
    scene.bot.env = {name: value for name, value in scene.bot.env.items() if name != "PASSED"}
    scene.bot.start()
    scene.wait(lambda: not (left / "hidden").exists(), "the end of what was left")
    said = scene.bot.say("api v1.1 staging")
    assert (said.status, said.text) == (
        3,
        "What `pass_env` hands to scripts in staging cannot be given:\n"
        "PASSED is not set in the bot's own environment\n"
        "Start the bot with the variable, or change `pass_env` in its configuration.\n",
    )
