"""Modals with Slack's own Python library on the other side: opened, filled in, searched, submitted, left."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.workspace import Workspace, default_seed
from bot.workspace.forms import TROUBLE
from bot.workspace.input_blocks import REQUIRED
from bot.workspace.person import PersonAtWork
from bot.workspace.searches import NoOptionsError
from bot.workspace.state import NotThereError
from tests.bot.workspace.conftest import Api
from tests.bot.workspace.modal_app import (
    BECAUSE,
    ENVIRONMENT,
    SERVICE,
    VERSION,
    ModalApp,
    asks,
    form,
    modal_app,
    modal_app_by_http,
    opened,
    option,
)

SAID = {"user", "api_app_id", "token", "team", "enterprise", "is_enterprise_install"}  # by every interaction
VIEW = {
    *("id", "team_id", "type", "blocks", "private_metadata", "callback_id", "hash", "state", "title", "clear_on_close"),
    *("notify_on_close", "close", "submit", "previous_view_id", "root_view_id", "app_id", "external_id"),
    *("app_installed_team_id", "bot_id"),
}
NO_ANSWER = 0.02  # of Slack's waits: a silent app is given up after 60 ms


@pytest.fixture
async def app(workspace: Workspace) -> AsyncIterator[ModalApp]:
    async with modal_app(workspace) as app:
        yield app


@pytest.fixture
async def hasty() -> AsyncIterator[tuple[Workspace, ModalApp]]:
    """A workspace that waits for no app."""
    workspace = Workspace(default_seed(), pace=NO_ANSWER)
    await workspace.start()
    async with modal_app(workspace) as app:
        yield workspace, app
    await workspace.stop()


async def filled(workspace: Workspace, app: ModalApp) -> PersonAtWork:
    """ana with everything filled in that must be."""
    ana = await opened(workspace, app)
    for action_id, typed in (("service", ""), ("version", "v1.4")):
        [*_, last] = await ana.search(action_id, typed)
        assert await ana.pick(action_id, last["value"])
    await ana.pick("environment", "staging")
    return ana


async def go_round(workspace: Workspace, app: ModalApp) -> None:
    ana = await filled(workspace, app)
    await ana.pick("how", "all at once")
    await ana.pick("also", "warm caches", "migrate")
    app.answer = {"response_action": "errors", "errors": {"version": "v1.4 is live in staging already."}}
    assert await ana.submit() == {"version": "v1.4 is live in staging already."}
    assert workspace.modal("ana") is not None
    app.answer = {}
    await ana.pick("version", "v1.4")
    assert await ana.submit() == {}
    assert workspace.modal("ana") is None
    assert workspace.modal("raj") is None


async def test_a_form_goes_round_by_socket_mode(workspace: Workspace, app: ModalApp) -> None:
    await go_round(workspace, app)
    search, action, submitted = app.searches[-1], app.actions[0], app.submitted[-1]
    assert search.keys() == {
        *("type", "user", "team", "api_app_id", "token", "container", "action_id", "block_id", "value", "view"),
    }
    assert (search["block_id"], search["action_id"], search["value"]) == ("version", "version", "v1.4")
    assert search["view"]["state"] == {"values": {}}  # the service is chosen already: Slack does not tell
    assert action.keys() == {*SAID, "type", "container", "trigger_id", "view", "actions"}
    assert action["container"] == {"type": "view", "view_id": action["view"]["id"]}
    assert action["actions"][0]["selected_option"]["value"] == "v2.0-rc.1"
    assert action["view"]["state"]["values"]["service"]["service"]["selected_option"]["value"] == "v2.0-rc.1"
    assert submitted.keys() == {*SAID, "type", "trigger_id", "view", "response_urls"}
    assert submitted["view"].keys() == VIEW
    assert (submitted["view"]["root_view_id"], submitted["view"]["previous_view_id"]) == (submitted["view"]["id"], None)
    assert submitted["view"]["title"] == {"type": "plain_text", "text": "Deploy", "emoji": True}


async def test_a_form_goes_round_by_signed_http() -> None:
    async with modal_app_by_http() as (workspace, app):
        await go_round(workspace, app)
        assert [one["value"] for one in app.searches] == ["", "v1.4"]


async def test_an_app_is_told_of_every_input(workspace: Workspace, app: ModalApp) -> None:
    await go_round(workspace, app)
    chosen = {"text": {"type": "plain_text", "text": "v1.4", "emoji": True}, "value": "v1.4"}
    values = app.submitted[-1]["view"]["state"]["values"]
    assert values["version"] == {"version": {"type": "external_select", "selected_option": chosen}}
    assert values["environment"]["environment"]["selected_option"]["value"] == "staging"
    assert values["because"] == {"because": {"type": "plain_text_input", "value": None}}
    assert values["how"]["how"]["selected_option"]["description"]["text"] == "fast, and down"
    assert [one["value"] for one in values["also"]["also"]["selected_options"]] == ["migrate", "warm caches"]
    assert values.keys() == {"service", "version", "environment", "because", "how", "also"}


async def test_what_must_be_filled_in_is_asked_for_and_nothing_is_sent(workspace: Workspace, app: ModalApp) -> None:
    view = form(SERVICE, BECAUSE, asks("note", "Note", {"type": "plain_text_input", "min_length": 3, "max_length": 5}))
    ana = await opened(workspace, app, view)
    assert await ana.submit() == {"service": REQUIRED, "note": REQUIRED}
    for note, said in (("ab", "Write at least 3 characters."), ("abcdef", "Write no more than 5 characters.")):
        await ana.fill("note", note)
        assert await ana.submit() == {"service": REQUIRED, "note": said}
    assert app.submitted == []


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "errors", "errors": {"ways": "a block, but not of an input"}},
        {"response_action": "errors", "errors": {"version": ""}},
        {"response_action": "update", "view": form(title="x" * 25)},
        {"response_action": "push", "view": {"type": "home"}},
        {"response_action": "dance"},
        {"text": "thanks"},
    ],
)
async def test_an_answer_that_slack_would_not_take_is_trouble_and_the_modal_stays(
    workspace: Workspace, app: ModalApp, answer: dict[str, Any]
) -> None:
    ana = await filled(workspace, app)
    app.answer = answer
    assert await ana.submit() == {"": TROUBLE}
    view = workspace.modal("ana")
    assert view is not None and view["title"]["text"] == "Deploy"
    assert view["state"]["values"]["version"]["version"]["selected_option"]["value"] == "v1.4"


async def test_silence_is_trouble_and_nothing_is_sent_again(hasty: tuple[Workspace, ModalApp]) -> None:
    workspace, app = hasty
    app.deaf = True
    ana = workspace.person("ana")
    workspace.modals.open(ana.user.id, form(BECAUSE, VERSION | {"optional": True}))
    assert await ana.submit() == {"": TROUBLE}
    with pytest.raises(NoOptionsError, match="did not respond"):
        await ana.search("version", "v1")
    assert not workspace.deliverer._tasks
    assert {one["attempt"] for one in workspace.deliverer.log} == {0}
    seen = await ana.do({"modal": True})
    assert (seen["trouble"], seen["why"]) == (TROUBLE, "the app did not respond in time")


async def test_a_button_in_a_modal_without_an_acknowledgement_says_so(hasty: tuple[Workspace, ModalApp]) -> None:
    workspace, app = hasty
    app.deaf = True
    ana = workspace.person("ana")
    workspace.modals.open(ana.user.id, form())
    assert not await ana.press("Reset")
    assert (await ana.do({"modal": True}))["trouble"] == TROUBLE
    await workspace.wait_for(lambda: app.actions)
    assert app.actions[0]["actions"][0].keys() == {"action_id", "block_id", "type", "text", "style", "action_ts"}


async def test_an_answer_may_put_another_view_in_its_place_or_on_top(workspace: Workspace, app: ModalApp) -> None:
    ana = await filled(workspace, app)
    first = workspace.modal("ana")
    app.answer = {"response_action": "update", "view": form(VERSION, ENVIRONMENT, title="Sure?", private_metadata="1")}
    assert await ana.submit() == {}
    second = workspace.modal("ana")
    assert first and second and (second["id"], second["private_metadata"]) == (first["id"], "1")
    assert second["hash"] != first["hash"]
    assert second["state"]["values"]["version"]["version"]["selected_option"]["value"] == "v1.4"  # same ids: kept
    app.answer = {"response_action": "push", "view": form(BECAUSE, title="Why?")}
    assert await ana.submit() == {}
    third = workspace.modal("ana")
    assert third and (third["previous_view_id"], third["root_view_id"]) == (first["id"], first["id"])
    app.answer = {}
    assert await ana.submit() == {}  # the one below is seen again, as it was
    below = workspace.modal("ana")
    assert below and below["state"]["values"]["environment"]["environment"]["selected_option"]["value"] == "staging"
    app.answer = {"response_action": "clear"}
    assert await ana.submit() == {}
    assert workspace.modal("ana") is None


async def test_three_views_and_no_more(workspace: Workspace, app: ModalApp, api: Api) -> None:
    ana = await opened(workspace, app, form(VERSION | {"optional": True}, *form()["blocks"][-1:]))
    assert await ana.press("More")
    await workspace.wait_for(lambda: workspace.modals.depth("U0ANA") == 2)
    trigger = workspace.people.triggers.new("U0ANA", workspace.modals.top("U0ANA").id)  # type: ignore[union-attr]
    third = form(BECAUSE, title="Third", external_id="third")
    assert (await api("views.push", trigger_id=trigger, view=third))["view"]["external_id"] == "third"
    trigger = workspace.people.triggers.new("U0ANA", workspace.modals.top("U0ANA").id)  # type: ignore[union-attr]
    assert (await api("views.push", trigger_id=trigger, view=form(BECAUSE)))["error"] == "push_limit_reached"
    app.answer = {"response_action": "push", "view": form(BECAUSE)}
    assert await ana.submit() == {"": TROUBLE}
    await ana.close()
    await ana.close()
    assert [one["view"]["title"]["text"] for one in app.closed] == ["More"]
    assert (app.closed[0]["is_cleared"], app.closed[0]["view"]["state"]) == (False, {"values": {}})
    await ana.close(whole=True)
    assert len(app.closed) == 1  # the first view did not ask to be told


async def test_a_whole_stack_that_is_left_is_told_once_by_its_first_view(workspace: Workspace, app: ModalApp) -> None:
    first = form(*form()["blocks"][-1:], title="First", notify_on_close=True)
    ana = await opened(workspace, app, first)
    await ana.press("More")
    await workspace.wait_for(lambda: workspace.modals.depth("U0ANA") == 2)
    await ana.close(whole=True)
    assert [(one["view"]["title"]["text"], one["is_cleared"]) for one in app.closed] == [("First", True)]
    assert app.closed[0].keys() == {*SAID, "type", "view", "is_cleared"}
    assert workspace.modal("ana") is None
    await opened(workspace, app, first | {"clear_on_close": True})
    await ana.close()
    assert app.closed[1]["is_cleared"]


async def test_inputs_are_told_at_once_only_where_a_block_asks_for_it(workspace: Workspace, app: ModalApp) -> None:
    told = {"dispatch_action": True, "optional": True}
    each = {"dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]}}
    blocks = (
        {**BECAUSE, **told, "element": {**BECAUSE["element"], **each}},
        ENVIRONMENT | {"block_id": "quiet"},
        asks("how", "How", {"type": "plain_text_input"}, **told),
    )
    ana = await opened(workspace, app, form(*blocks))
    await ana.pick("environment", "staging")
    await ana.fill("how", "slowly")
    assert app.actions == []
    assert await ana.fill("because", "ab")
    assert await ana.fill("how", "slowly", enter=True)
    actions = [one["actions"][0] for one in app.actions]
    assert [(one["action_id"], one["type"], one["value"]) for one in actions] == [
        ("because", "plain_text_input", "ab"),
        ("how", "plain_text_input", "slowly"),
    ]
    values = app.actions[-1]["view"]["state"]["values"]
    assert values["quiet"]["environment"]["selected_option"]["value"] == "staging"


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"options": [option("v")] * 101}, r"no more than 100 items allowed \[json-pointer:/options\]"),
        ({"options": [option("x" * 76)]}, r"must be less than 76 characters \[json-pointer:/options/0/text/text\]"),
        (
            {"options": [{**option("v"), "value": "x" * 151}]},
            r"less than 151 characters \[json-pointer:/options/0/value",
        ),
        ({"options": [{"text": {"type": "mrkdwn", "text": "v"}, "value": "v"}]}, "failed to match all allowed schemas"),
        ({"option_groups": [{"options": [option("v")]}]}, r"failed to match .*/option_groups/0/label"),
    ],
)
async def test_options_that_break_the_limits_are_none(
    workspace: Workspace, app: ModalApp, answer: dict[str, Any], wrong: str
) -> None:
    ana = await opened(workspace, app)
    app.options = answer
    with pytest.raises(NoOptionsError, match=wrong):
        await ana.search("version", "v1")
    with pytest.raises(KeyError, match="no option 'v'"):
        await ana.pick("version", "v")


async def test_options_may_come_in_groups_and_none_is_an_answer(workspace: Workspace, app: ModalApp) -> None:
    ana = await opened(workspace, app)
    tags = {"label": {"type": "plain_text", "text": "Tags"}, "options": [option("v1.3"), option("v1.4")]}
    app.options = {"option_groups": [tags, {**tags, "options": [option("main")]}]}
    assert [one["value"] for one in await ana.search("version", "1")] == ["v1.3", "v1.4", "main"]
    await ana.pick("version", "main")
    app.options = {"options": []}
    assert await ana.search("version", "zzz") == []


async def test_a_search_needs_as_many_characters_as_the_select_says(workspace: Workspace, app: ModalApp) -> None:
    ana = await opened(workspace, app, form(asks("version", "Version", {"type": "external_select"}), ENVIRONMENT))
    with pytest.raises(NotThereError, match="from 3 characters on"):
        await ana.search("version", "v1")
    with pytest.raises(NotThereError, match="nothing to search"):
        await ana.search("environment", "stag")
    assert app.searches == []
    assert await ana.search("version", "v1.")


async def test_only_what_is_there_can_be_used(workspace: Workspace, app: ModalApp) -> None:
    with pytest.raises(NotThereError, match="modal is gone"):
        await workspace.person("ana").submit()
    ana = await opened(workspace, app)
    with pytest.raises(KeyError, match="no speed in the modal Deploy"):
        await ana.pick("speed", "fast")
    with pytest.raises(KeyError, match="no option 'moon'; there are: staging, production"):
        await ana.pick("environment", "moon")
    with pytest.raises(KeyError, match="no button 'Launch'"):
        await ana.press("Launch")
    with pytest.raises(NotThereError, match="modal is gone"):
        await workspace.person("raj").submit()
    await opened(workspace, app, form(form()["blocks"][0], submit=None))
    with pytest.raises(NotThereError, match="nothing to submit"):
        await ana.submit()


async def test_a_select_in_a_message_is_searched_and_told_with_what_else_is_selected(
    workspace: Workspace, app: ModalApp, api: Api
) -> None:
    choice = {"type": "radio_buttons", "action_id": "how", "options": [option("a"), option("b")]}
    start = {**choice, "action_id": "also", "type": "checkboxes", "initial_options": [option("b")]}
    elements = [{**VERSION["element"], "action_id": "service"}, choice, start]
    blocks = [{"type": "actions", "block_id": "ways", "elements": elements}]
    await api("chat.postMessage", channel="C0DEPLOYS", text="pick", blocks=blocks)
    [message] = workspace.messages("#deploys")
    ana = workspace.person("ana")
    assert [one["value"] for one in await ana.search_in(message, "service", "v2")] == ["v2.0-rc.1"]
    search = app.searches[-1]
    assert search["container"]["message_ts"] == search["message"]["ts"] == message["ts"]
    assert (search["channel"]["name"], "view" in search) == ("deploys", False)
    assert await ana.choose(message, "service", "v2.0-rc.1")
    assert await ana.choose(message, "how", "b")
    told = app.actions[-1]
    assert told["actions"][0]["selected_option"]["value"] == "b"
    values = told["state"]["values"]["ways"]
    assert values["service"]["selected_option"]["value"] == "v2.0-rc.1"
    assert [one["value"] for one in values["also"]["selected_options"]] == ["b"]
