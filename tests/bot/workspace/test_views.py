"""What views Slack takes, its sentences for what it does not, and how views.open, push and update go together."""

from typing import Any

import pytest

from bot.workspace import Workspace
from bot.workspace.views import checked, completed
from bot.workspace.wire import ApiError
from tests.bot.workspace.conftest import Api
from tests.bot.workspace.modal_app import BLOCKS, ENVIRONMENT, VERSION, asks, form, option, plain

MISMATCH = "failed to match all allowed schemas @"


def asking(element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return form({"type": "input", "label": plain("a"), "element": element, **more})


def without(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}


OPTIONS = [option("a"), option("b")]
SELECT: dict[str, Any] = {"type": "static_select", "options": OPTIONS}
GROUPS = [{"label": plain("Tags"), "options": OPTIONS}]


GOOD_INPUTS: list[dict[str, Any]] = [
    SELECT | {"initial_option": option("b"), "placeholder": plain("p" * 150), "focus_on_load": True},
    {"type": "static_select", "option_groups": GROUPS, "initial_option": {**option("b"), "text": plain("b")}},
    {"type": "external_select", "action_id": "a", "min_query_length": 0, "initial_option": option("z")},
    {"type": "checkboxes", "options": OPTIONS, "initial_options": OPTIONS},
    {"type": "radio_buttons", "options": [{"text": {"type": "mrkdwn", "text": "*a*"}, "value": "a"}]},
    {"type": "plain_text_input", "multiline": True, "min_length": 0, "max_length": 3_000, "initial_value": "x"},
    {
        "type": "plain_text_input",
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed", "on_character_entered"]},
    },
    {"type": "datepicker"},
]


@pytest.mark.parametrize("element", GOOD_INPUTS)
def test_good_inputs_pass(element: dict[str, Any]) -> None:
    assert checked(asking(element, hint=plain("h" * 2_000), optional=True, dispatch_action=True))


TEXT: dict[str, Any] = {"type": "plain_text_input"}
EXTERNAL: dict[str, Any] = {"type": "external_select", "action_id": "a"}
LONG = [{"label": plain("a"), "options": [{**option("x"), "value": "v" * 151}]}]
TWICE = {"type": "actions", "elements": [{"type": "multi_static_select", "options": OPTIONS}, TEXT]}

BAD_VIEWS: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "modal", "submit": plain("a")}, [f"missing required field: {name} @" for name in ("title", "blocks")]),
    (form(title="x" * 25), ["must be less than 25 characters @/title/text", f"{MISMATCH}/title"]),
    (form(submit_disabled=True), [MISMATCH, "invalid additional property: submit_disabled @"]),
    (form(external_id="x" * 256), ["must be less than 256 characters @/external_id"]),
    (form(private_metadata="x" * 3_001), ["must be less than 3001 characters @/private_metadata"]),
    (form(notify_on_close="yes"), [f"{MISMATCH}/notify_on_close"]),
    (form(VERSION, submit=None), ["must define `submit` to use an `input` block in modals @/blocks/0/input"]),
    (form(without(VERSION, "label")), ["missing required field: label @/blocks/0"]),
    (form(without(VERSION, "element")), ["missing required field: element @/blocks/0"]),
    (
        form({**VERSION, "label": plain("x" * 2_001)}),
        ["must be less than 2001 characters @/blocks/0/label/text", f"{MISMATCH}/blocks/0/label"],
    ),
    (form({**VERSION, "hint": {"type": "mrkdwn", "text": "h"}}), [f"{MISMATCH}/blocks/0/hint"]),
    (form({**VERSION, "optional": "yes"}), [f"{MISMATCH}/blocks/0/optional"]),
    (form({**VERSION, "colour": "red"}), ["invalid additional property: colour @/blocks/0"]),
    (form(VERSION, VERSION), ["`block_id` already exists: version @/blocks"]),
    (form({"type": "markdown", "text": "a"}), ["unsupported type: markdown @/blocks/0/type"]),
    (
        form(TWICE),
        [
            "unsupported type: multi_static_select @/blocks/0/elements/0/type",
            "unsupported type: plain_text_input @/blocks/0/elements/1/type",
        ],
    ),
    (asking({"type": "file_input"}, dispatch_action=True), ["unsupported type: file_input @/blocks/0/element/type"]),
]

BAD_INPUTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "button", "text": plain("a")}, ["unsupported type: button @/type"]),
    ({"type": "external_select"}, ["missing required field: action_id @"]),
    (EXTERNAL | {"options": OPTIONS}, ["invalid additional property: options @"]),
    (EXTERNAL | {"min_query_length": "1"}, [f"{MISMATCH}/min_query_length"]),
    (EXTERNAL | {"initial_option": "z"}, [f"{MISMATCH}/initial_option"]),
    ({"type": "static_select"}, ["missing required field: options @"]),
    (SELECT | {"option_groups": GROUPS}, [MISMATCH]),
    (SELECT | {"initial_option": option("z")}, ["must be one of the provided options @/initial_option"]),
    (
        SELECT | {"placeholder": plain("x" * 151)},
        ["must be less than 151 characters @/placeholder/text", f"{MISMATCH}/placeholder"],
    ),
    (SELECT | {"options": [option("x")] * 101}, ["no more than 100 items allowed @/options"]),
    (SELECT | {"options": [without(option("x"), "value")]}, ["missing required field: value @/options/0"]),
    (
        {"type": "static_select", "option_groups": LONG},
        ["must be less than 151 characters @/option_groups/0/options/0/value"],
    ),
    (
        {"type": "checkboxes", "options": OPTIONS, "initial_options": []},
        ["must be one of the provided options @/initial_options"],
    ),
    ({"type": "radio_buttons", "options": [option("x")] * 11}, ["no more than 10 items allowed @/options"]),
    (TEXT | {"max_length": 3_001}, [f"{MISMATCH}/max_length"]),
    (TEXT | {"initial_value": "x" * 3_001}, ["must be less than 3001 characters @/initial_value"]),
    (TEXT | {"dispatch_action_config": {"trigger_actions_on": ["on_blur"]}}, [f"{MISMATCH}/dispatch_action_config"]),
]


@pytest.mark.parametrize(("view", "problems"), BAD_VIEWS)
def test_bad_views_are_named(view: dict[str, Any], problems: list[str]) -> None:
    assert complaints(view) == [f"[ERROR] {one.replace('@', '[json-pointer:/view')}]" for one in problems]


@pytest.mark.parametrize(("element", "problems"), BAD_INPUTS)
def test_bad_inputs_are_named(element: dict[str, Any], problems: list[str]) -> None:
    said = [one.replace("@", "[json-pointer:/view/blocks/0/element") for one in problems]
    assert complaints(asking(element)) == [f"[ERROR] {one}]" for one in said]


def complaints(view: dict[str, Any]) -> list[str]:
    with pytest.raises(ApiError, match="invalid_arguments") as refused:
        checked(view)
    found: list[str] = refused.value.answer["response_metadata"]["messages"]
    return found


def test_a_view_that_is_too_large_is_refused() -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}
    with pytest.raises(ApiError, match="view_too_large"):
        checked(form(*[section] * 90))


def test_ids_are_given_where_an_app_gives_none(workspace: Workspace) -> None:
    button = {"type": "button", "text": plain("a")}
    picture = {"type": "image", "image_url": "http://a", "alt_text": "a"}
    blocks: list[dict[str, Any]] = [
        {"type": "actions", "elements": [button, button]},
        {"type": "section", "text": plain("a"), "accessory": picture},
        without(ENVIRONMENT, "block_id"),
    ]
    view = completed(workspace.seed, form(*blocks), ident="V1", root="V1", previous=None)
    one, two, three = view["blocks"]
    assert len({one["block_id"], two["block_id"], three["block_id"]} - {None, ""}) == 3
    assert len({element["action_id"] for element in one["elements"]}) == 2
    assert ("action_id" in two["accessory"], three["element"]["action_id"]) == (False, "environment")


async def test_a_modal_is_for_the_person_whose_trigger_it_is(workspace: Workspace, api: Api) -> None:
    opened = (await api("views.open", trigger_id=workspace.people.triggers.new("U0RAJ"), view=form()))["view"]
    assert opened["state"] == {"values": {}}
    seen = workspace.modal("raj")
    assert seen and (seen["id"], workspace.modal("ana")) == (opened["id"], None)
    assert seen["state"]["values"]["because"] == {"because": {"type": "plain_text_input", "value": None}}
    again = (await api("views.open", trigger_id=workspace.people.triggers.new("U0RAJ"), view=form()))["view"]
    assert workspace.modal("raj")["id"] == again["id"]  # type: ignore[index]
    assert (await api("views.update", view_id=opened["id"], view=form()))["error"] == "not_found"


async def test_a_trigger_lasts_three_seconds(workspace: Workspace, api: Api) -> None:
    trigger = workspace.people.triggers.new("U0RAJ")
    workspace.people.triggers._given[trigger].until -= 3.1
    assert (await api("views.open", trigger_id=trigger, view=form()))["error"] == "expired_trigger_id"
    assert workspace.modal("raj") is None


async def test_an_external_id_is_one_views_own(workspace: Workspace, api: Api) -> None:
    new = workspace.people.triggers.new
    mine = form(external_id="mine")
    opened = (await api("views.open", trigger_id=new("U0RAJ"), view=mine))["view"]
    trigger = new("U0ANA")
    assert (await api("views.open", trigger_id=trigger, view=mine))["error"] == "duplicate_external_id"
    changed = await api("views.update", external_id="mine", view=form(*BLOCKS[1:3], external_id="mine"))
    assert (changed["view"]["id"], changed["view"]["hash"] != opened["hash"]) == (opened["id"], True)
    stale = await api("views.update", external_id="mine", hash=opened["hash"], view=mine)
    assert stale["error"] == "hash_conflict"
    for ids, said in (
        ({"external_id": "mine", "view_id": "V1"}, "[ERROR] Cannot provide both `view_id` and `external_id`"),
        ({}, "[ERROR] missing required field: view_id"),
    ):
        assert (await api("views.update", view=mine, **ids))["response_metadata"]["messages"] == [said]


async def test_only_what_was_done_in_a_view_can_push_onto_it(workspace: Workspace, api: Api) -> None:
    new = workspace.people.triggers.new
    first = (await api("views.open", trigger_id=new("U0RAJ"), view=form()))["view"]
    assert (await api("views.push", trigger_id=new("U0RAJ"), view=form()))["error"] == "not_found"
    pushed = (await api("views.push", trigger_id=new("U0RAJ", first["id"]), view=form()))["view"]
    assert (pushed["root_view_id"], pushed["previous_view_id"]) == (first["id"], first["id"])
    assert workspace.modal("raj")["id"] == pushed["id"]  # type: ignore[index]


async def test_what_is_filled_in_survives_an_update_where_the_ids_stay(workspace: Workspace, api: Api) -> None:
    note = asks("note", "Note", {"type": "plain_text_input", "initial_value": "first"})
    opened = await api("views.open", trigger_id=workspace.people.triggers.new("U0RAJ"), view=form(note, ENVIRONMENT))
    raj = workspace.person("raj")
    await raj.fill("note", "typed")
    await raj.pick("environment", "production")
    fewer = {**ENVIRONMENT, "element": {**ENVIRONMENT["element"], "options": [option("staging")]}}
    other = {**note, "block_id": "other"}
    await api("views.update", view_id=opened["view"]["id"], view=form(note, other, fewer))
    values = workspace.modal("raj")["state"]["values"]  # type: ignore[index]
    assert (values["note"]["note"]["value"], values["other"]["note"]["value"]) == ("typed", "first")
    assert values["environment"]["environment"]["selected_option"] is None  # it is not offered any more
