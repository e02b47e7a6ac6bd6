"""What blocks Slack takes, and its sentences for what it does not."""

from typing import Any

import pytest

from bot.workspace.blocks import check_blocks, check_modal_blocks, text_size
from bot.workspace.options import check_answer
from tests.bot.workspace.bolt import ACTIONS, BUTTON
from tests.bot.workspace.conftest import Api


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def actions(*elements: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


PLAIN = {"type": "plain_text", "text": "a"}
OPTION = {"text": PLAIN, "value": "v"}
TASK = {"task_id": "t", "title": "Install", "status": "complete"}
GOOD: list[dict[str, Any]] = [
    section("x" * 3_000, accessory=BUTTON, fields=[PLAIN] * 10),
    {"type": "header", "text": PLAIN},
    {"type": "divider"},
    {"type": "context", "elements": [PLAIN, {"type": "image", "image_url": "http://a", "alt_text": "a"}]},
    {"type": "markdown", "text": "*a*"},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]},
    {"type": "plan", "title": "Plan", "tasks": [TASK]},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}]},
    actions({"type": "static_select", "action_id": "s", "placeholder": PLAIN, "options": [OPTION]}),
    *ACTIONS,
]


def test_good_blocks_pass() -> None:
    assert check_blocks(GOOD) == []


NEVER_SCHEMA = "failed to match all allowed schemas [json-pointer:"
BAD: list[tuple[Any, list[str]]] = [
    ("text", ["must be an array [json-pointer:/blocks]"]),
    ([{"type": "divider"}] * 51, ["no more than 50 items allowed [json-pointer:/blocks]"]),
    ([7], ["must be an object [json-pointer:/blocks/0]"]),
    ([{}], ["missing required field: type [json-pointer:/blocks/0]"]),
    ([{"type": "sections"}], ["unsupported type: sections [json-pointer:/blocks/0/type]"]),
    ([{"type": "input"}], ["unsupported type: input [json-pointer:/blocks/0/type]"]),
    (
        [section("x" * 3_001)],
        [
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
            f"{NEVER_SCHEMA}/blocks/0/text]",
        ],
    ),
    (
        [section("")],
        ["must be more than 0 characters [json-pointer:/blocks/0/text/text]", f"{NEVER_SCHEMA}/blocks/0/text]"],
    ),
    ([{"type": "section"}], ["missing required field: text [json-pointer:/blocks/0]"]),
    ([section("a", colour="red")], ["invalid additional property: colour [json-pointer:/blocks/0]"]),
    ([section("a", fields=[PLAIN] * 11)], ["no more than 10 items allowed [json-pointer:/blocks/0/fields]"]),
    ([section("a", fields=7)], ["missing required field: fields [json-pointer:/blocks/0]"]),
    ([section("a", block_id="b" * 256)], ["must be less than 256 characters [json-pointer:/blocks/0/block_id]"]),
    ([section("a", block_id="b")] * 2, ["`block_id` already exists: b [json-pointer:/blocks]"]),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}], [f"{NEVER_SCHEMA}/blocks/0/text]"]),
    ([actions()], ["must provide at least 1 items [json-pointer:/blocks/0/elements]"]),
    ([{"type": "actions"}], ["missing required field: elements [json-pointer:/blocks/0]"]),
    ([actions(BUTTON, BUTTON)], ["`action_id` already exists: rollback [json-pointer:/blocks/0/elements]"]),
    ([actions("go")], [f"{NEVER_SCHEMA}/blocks/0/elements/0]"]),
    ([{"type": []}], ["unsupported type: [] [json-pointer:/blocks/0/type]"]),
    ([actions({"type": {}})], ["unsupported type: {} [json-pointer:/blocks/0/elements/0/type]"]),
    ([actions({"type": "static_select"})], ["missing required field: options [json-pointer:/blocks/0/elements/0]"]),
    (
        [actions({"type": "static_select", "option_groups": [1]})],
        [f"{NEVER_SCHEMA}/blocks/0/elements/0/option_groups/0]"],
    ),
    ([actions({"type": "lever"})], ["unsupported type: lever [json-pointer:/blocks/0/elements/0/type]"]),
    (
        [actions({**BUTTON, "value": "v" * 2_001})],
        ["must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"],
    ),
    ([actions({**BUTTON, "style": "loud"})], [f"{NEVER_SCHEMA}/blocks/0/elements/0/style]"]),
    ([actions({**BUTTON, "confirm": 1})], [f"{NEVER_SCHEMA}/blocks/0/elements/0/confirm]"]),
    (
        [actions({"type": "overflow", "options": [OPTION] * 6})],
        ["no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]"],
    ),
    ([actions({"type": "static_select", "options": [1]})], [f"{NEVER_SCHEMA}/blocks/0/elements/0/options/0]"]),
    ([{"type": "context", "elements": [1]}], [f"{NEVER_SCHEMA}/blocks/0/elements/0]"]),
    ([{"type": "image", "image_url": "http://a"}], ["missing required field: alt_text [json-pointer:/blocks/0]"]),
    ([{"type": "markdown"}], ["must be more than 0 characters [json-pointer:/blocks/0/text]"]),
    (
        [{"type": "plan", "title": "p", "tasks": [{**TASK, "output": {}}]}],
        ["must be more than 0 characters [json-pointer:/blocks/0/tasks/0/output]"],
    ),
    ([{"type": "rich_text"}], ["missing required field: elements [json-pointer:/blocks/0/elements]"]),
    (
        [
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}],
            }
        ],
        ["must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]"],
    ),
]


@pytest.mark.parametrize(("blocks", "problems"), BAD)
def test_bad_blocks_are_named(blocks: Any, problems: list[str]) -> None:
    assert check_blocks(blocks) == problems


def test_a_modal_takes_inputs_and_more_blocks() -> None:
    asks = {"type": "input", "label": PLAIN, "element": {"type": "plain_text_input"}}
    assert check_modal_blocks([{"type": "divider"}] * 100 + [asks]) == [
        "no more than 100 items allowed [json-pointer:/view/blocks]"
    ]


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        ({"options": [OPTION] * 100}, []),
        ({"options": []}, []),
        ({"option_groups": []}, []),
        ({}, ["missing required field: options [json-pointer:]"]),
        ({"options": "many"}, ["missing required field: options [json-pointer:]"]),
        ({"options": [], "option_groups": []}, ["missing required field: options [json-pointer:]"]),
        ({"options": ["v1"]}, [f"{NEVER_SCHEMA}/options/0]"]),
        ({"option_groups": ["v1"]}, [f"{NEVER_SCHEMA}/option_groups/0]"]),
        ({"option_groups": [{"label": PLAIN}]}, ["missing required field: options [json-pointer:/option_groups/0]"]),
    ],
)
def test_what_an_app_answers_to_a_search_is_judged(answer: dict[str, Any], problems: list[str]) -> None:
    assert check_answer(answer) == problems


async def test_the_api_says_what_is_wrong_as_slack_does(api: Api) -> None:
    refused = await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=[{"type": "divider"}] * 51)
    sentence = "no more than 50 items allowed [json-pointer:/blocks]"
    assert (refused["error"], refused["errors"]) == ("invalid_blocks", [sentence])
    assert refused["response_metadata"]["messages"] == [f"[ERROR] {sentence}"]


async def test_a_message_has_a_limit_over_all_its_blocks(api: Api) -> None:
    many = [section("x" * 2_900)] * 5
    assert text_size(many) == 14_500
    assert (await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=many))["error"] == "msg_blocks_too_long"
    tables = [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}] * 2
    assert (await api("chat.postMessage", channel="C0DEPLOYS", text="a", blocks=tables))[
        "error"
    ] == "invalid_attachments"
