"""The two doors to a modal: what the page is told and may do, and what tests outside of the process may."""

from typing import Any

import aiohttp
import pytest

from bot.workspace import Workspace
from bot.workspace.forms import TROUBLE
from bot.workspace.input_blocks import REQUIRED
from tests.bot.workspace.conftest import Api
from tests.bot.workspace.modal_app import BECAUSE, ENVIRONMENT, VERSION, WAYS, form, modal_app, opened, option
from tests.bot.workspace.test_page import browser


async def test_the_page_of_one_person_alone_is_told_of_a_modal(
    workspace: Workspace, http: aiohttp.ClientSession
) -> None:
    async with modal_app(workspace) as app, browser(workspace, http, "U0ANA") as (page, state):
        assert state["modal"] is None
        await opened(workspace, app, form(VERSION, BECAUSE))
        modal = (await page.hears("modal"))["modal"]
        assert (modal["view"]["title"]["text"], modal["depth"], modal["waiting"]) == ("Deploy", 1, False)
        assert modal["values"]["because"]["because"]["value"] is None
        async with browser(workspace, http, "U0RAJ") as (_, his), browser(workspace, http, "U0ANA") as (_, hers):
            assert (his["modal"], hers["modal"]) == (None, modal)


async def test_the_page_fills_in_searches_submits_and_closes(workspace: Workspace, http: aiohttp.ClientSession) -> None:
    async with modal_app(workspace) as app:
        await opened(workspace, app, form(VERSION, ENVIRONMENT, WAYS))
        async with browser(workspace, http, "U0ANA") as (page, state), browser(workspace, http, "U0ANA") as (other, _):
            view = state["modal"]["view"]["id"]
            version = {"view": view, "block_id": "version", "action_id": "version"}
            await page.say(op="search", **version, typed="v1.4", number=7)
            answer = await page.hears("options")
            assert (answer["number"], [one["value"] for one in answer["options"]]) == (7, ["v1.4"])
            await page.say(op="search", **version, typed="", number=8)
            assert (await page.hears("options"))["trouble"] == "This searches from 1 characters on."
            app.options = {"options": [option("x" * 76)]}
            await page.say(op="search", **version, typed="v", number=9)
            failed = await page.hears("options")
            assert (failed["trouble"], "less than 76" in failed["why"]) == ("Nothing could be found", True)
            await page.say(op="use", **version, given={"value": "v1.3"})
            assert (await page.hears("error"))["text"] == "That option is gone."
            await page.say(op="submit", view=view)
            assert (await page.hears("modal"))["modal"]["errors"] == {"version": REQUIRED, "environment": REQUIRED}
            app.options = None
            await page.say(op="search", **version, typed="v1.3", number=10)
            await page.hears("options")
            await page.say(op="use", **version, given={"value": "v1.3"})
            await page.hears("used")
            shared = (await other.hears("modal"))["modal"]
            while not shared["values"]["version"]["version"]["selected_option"]:
                shared = (await other.hears("modal"))["modal"]
            assert shared["errors"] == {"environment": REQUIRED}
            await page.say(op="close", view=view, whole=True)
            while (await page.hears("modal"))["modal"] is not None:
                pass
            for late in ({"op": "submit", "view": view}, {"op": "use", **version}, {"op": "close", "view": view}):
                await page.say(**late)
                assert (await page.hears("error"))["text"] == "That modal is gone."
            await page.say(op="use", view=view)
            assert (await page.hears("error"))["text"] == "That modal is gone."
            await page.say(op="search")
            assert "does not know" in (await page.hears("error"))["text"]


async def test_tests_outside_of_the_process_use_a_modal(
    workspace: Workspace, http: aiohttp.ClientSession, api: Api
) -> None:
    async def do(**said: Any) -> dict[str, Any]:
        async with http.post(f"{workspace.page_url}_person", json={"user": "ana", **said}) as answer:
            found: dict[str, Any] = await answer.json()
            assert (answer.status == 200) == found.pop("ok")
            return found

    async with modal_app(workspace) as app:
        assert await do(modal=True) == {"modal": None}
        await opened(workspace, app, form(VERSION, ENVIRONMENT, BECAUSE, WAYS))
        assert await do(submit=True) == {"errors": {"version": REQUIRED, "environment": REQUIRED}}
        assert (await do(modal=True))["errors"] == {"version": REQUIRED, "environment": REQUIRED}
        assert [one["value"] for one in (await do(search="version", text="v1.4"))["options"]] == ["v1.4"]
        assert await do(pick="version", option="v1.4") == {"acked": True}
        assert await do(pick="environment", options=["staging"]) == {"acked": True}
        assert await do(fill="because", text="a reason") == {"acked": True}
        assert await do(press="Reset") == {"acked": True}
        seen = (await do(modal=True))["modal"]["state"]["values"]
        assert seen["because"]["because"]["value"] == "a reason"
        app.answer = {"response_action": "dance"}
        assert await do(submit=True) == {"errors": {"": TROUBLE}}
        assert "dance" in (await do(modal=True))["why"]
        app.answer = {}
        assert await do(submit=True) == {"errors": {}}
        assert "error" in await do(submit=True)
        await opened(workspace, app)
        assert await do(close=True) == {}
        assert "say what to do" in (await do(dance=True))["error"]

        select = VERSION["element"] | {"action_id": "service"}
        blocks = [{"type": "actions", "elements": [select]}]
        posted = await api("chat.postMessage", channel="C0DEPLOYS", text="pick", blocks=blocks)
        at = {"channel": "#deploys", "ts": posted["ts"]}
        assert (await do(**at, search="service", text="v1.3"))["options"][0]["value"] == "v1.3"
        assert await do(**at, choose="service", option="v1.3") == {"acked": True}
        app.options = {"options": [option("x" * 76)]}
        assert "less than 76" in (await do(**at, search="service", text="v"))["error"]


THREADED = {"thread_ts", "parent_user_id"}
TYPED = {"client_msg_id", "type", "text", "user", "ts", "team", "blocks", "channel", "event_ts"}


@pytest.mark.parametrize("threaded", [False, True])
async def test_a_mention_and_a_direct_message_are_told_key_by_key(
    workspace: Workspace, api: Api, threaded: bool
) -> None:
    root = (await api("chat.postMessage", channel="C0DEPLOYS", text="root"))["ts"] if threaded else None
    direct = (await api("chat.postMessage", channel="U0ANA", text="root"))["ts"] if threaded else None
    ana = workspace.person("ana")
    await ana.say("#deploys", "@shipmate deploy", root)
    await ana.say("@shipmate", "@shipmate deploy", direct)
    mention, message = (one["payload"]["event"] for one in workspace.deliverer.log)
    more = THREADED if threaded else set()
    assert mention.keys() == TYPED | more
    assert (mention["type"], mention.get("thread_ts")) == ("app_mention", root)
    assert message.keys() == TYPED | more | {"channel_type"}
    assert (message["type"], message["channel_type"], message.get("thread_ts")) == ("message", "im", direct)
    assert message["event_ts"] == message["ts"]
