"""Deploy and rollback on both transports; what is not Slack's runs nothing; deliveries that come twice do one thing."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from bot.workspace.delivery import Delivery
from bot.workspace.seed import App
from tests.support.scene import Scene, on_stage

HTTP = "signed http"
by_http = pytest.mark.parametrize("scene", [HTTP], indirect=True)


@pytest.fixture(scope="module", params=["socket mode", HTTP])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with on_stage(tmp_path_factory.mktemp("transport"), http=request.param == HTTP) as scene:
        yield scene


def test_a_deploy_and_a_rollback(scene: Scene) -> None:
    scene.types("ana", "/deploy api v1.1 staging")
    scene.shows("✅ api v1.1 is live in staging", "[Roll back to v1.0]")
    scene.clicks("ana", "Roll back to v1.0")
    scene.shows("✅ api v1.0 is live in staging", "rolled back from v1.1")
    assert scene.unacknowledged() == []


def test_a_delivery_that_comes_again_does_one_thing(scene: Scene) -> None:
    """As Slack does when an acknowledgement was lost on its way."""
    before = len(scene.cards())
    scene.deploys("v1.1")
    scene.clicks("ana", "Roll back to v1.0")
    scene.shows("✅ api v1.0 is live in staging")
    deliverer = scene.slack.workspace.deliverer
    typed, clicked = [one for one in deliverer.log if one["kind"] in ("slash_commands", "interactive")][-2:]
    for one in (typed, clicked):
        scene.slack.do(deliverer.deliver(Delivery(kind=one["kind"], payload=one["payload"])))
    scene.deploys("v1.2")  # what came again before it would have been decided by now
    assert len(scene.cards()) == before + 3
    assert scene.unacknowledged() == []


def signed(app: App, body: bytes, *, at: int | None = None, secret: str | None = None) -> urllib.request.Request:
    assert app.request_url is not None
    timestamp = str(at if at is not None else int(time.time()))
    base = b"v0:" + timestamp.encode() + b":" + body
    mac = hmac.new((secret or app.signing_secret).encode(), base, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={mac}",
    }
    return urllib.request.Request(app.request_url, body, headers)


def status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def command(trigger: str) -> bytes:
    fields = {
        "team_id": "T0LOCAL",
        "channel_id": "C0DEPLOYS",
        "user_id": "U0ANA",
        "user_name": "ana",
        "command": "/deploy",
        "text": "api v1.1 staging",
        "api_app_id": "A0LOCAL",
        "trigger_id": trigger,
        "response_url": "http://127.0.0.1:9/nowhere",
    }
    return urlencode(fields).encode()


@by_http
def test_what_is_not_slacks_gets_401_and_runs_nothing(scene: Scene) -> None:
    app = scene.slack.workspace.seed.app
    assert app.request_url is not None
    before, now = len(scene.cards()), int(time.time())
    unsigned = urllib.request.Request(app.request_url, command("t-unsigned"))
    nested = urllib.request.Request(
        app.request_url, b"[" * 100_000, {"Content-Type": "application/json", "X-Slack-Signature": "v0=" + "0" * 64}
    )
    bad = [
        unsigned,
        nested,
        signed(app, command("t-forged"), secret="another"),
        signed(app, command("t-stale"), at=now - 301),
        signed(app, command("t-early"), at=now + 400),
    ]
    assert [status(one) for one in bad] == [401] * len(bad)
    scene.deploys("v1.0")  # what had been kept before it would have been decided by now
    assert len(scene.cards()) == before + 1


@by_http
def test_a_replay_is_refused_and_a_second_delivery_is_not_a_second_command(scene: Scene) -> None:
    app = scene.slack.workspace.seed.app
    before = len(scene.cards())
    once = signed(app, command("t-once"))
    assert [status(once), status(once)] == [200, 401]  # the very same request again is a replay
    later = signed(app, command("t-once"), at=int(time.time()) - 1)
    assert status(later) == 200  # Slack delivers again, signed anew: the same command
    scene.shows("✅ api v1.1 is live in staging")
    assert len(scene.cards()) == before + 1


@by_http
def test_slack_asks_whether_the_address_is_ours(scene: Scene) -> None:
    app = scene.slack.workspace.seed.app
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    request = signed(app, body)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert b"abc" in answer.read()


def test_nothing_that_slack_delivers_stays_unacknowledged(scene: Scene) -> None:
    person = scene.slack.workspace.person("ana")
    scene.slack.do(person.say("#general", "good morning @shipmate"))
    scene.slack.do(person.say("DU0ANA", "hello"))
    assert scene.slack.workspace.deliverer.log[-1]["kind"] == "events_api"
    assert scene.unacknowledged() == []
