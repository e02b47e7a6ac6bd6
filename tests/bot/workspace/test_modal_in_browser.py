"""A modal on the page, by the keyboard and the mouse, with a bot built on Slack's own library behind it."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from tests.bot.workspace.modal_app import (
    BECAUSE,
    ENVIRONMENT,
    SERVICE,
    VERSION,
    ModalApp,
    form,
    modal_app,
    option,
    plain,
)
from tests.support.browser import chromium
from tests.support.workspace import Threaded

SMALL = (SERVICE, VERSION, ENVIRONMENT, BECAUSE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def slack() -> Iterator[Threaded]:
    with Threaded() as slack:
        slack.workspace.rates.on = False
        yield slack


@pytest.fixture
def app(slack: Threaded) -> Iterator[ModalApp]:
    running = modal_app(slack.workspace)
    app = slack.do(running.__aenter__())
    app.view = form(*SMALL)
    yield app
    slack.do(running.__aexit__(None, None, None))


@pytest.fixture
def page(browser: Browser, slack: Threaded, app: ModalApp) -> Iterator[Page]:
    """The page as ana. What breaks in its scripts, or what its policy forbids, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
    page.goto(slack.workspace.page_url + "?user=ana&channel=deploys")
    expect(page.get_by_test_id("connection-state")).to_have_text("App connected")
    yield page
    context.close()
    assert not broken


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Message #deploys")


def open_modal(page: Page) -> Locator:
    box(page).focus()
    page.keyboard.type("/deploy ")
    page.keyboard.press("Enter")
    modal = page.get_by_role("dialog", name="Deploy")
    expect(modal).to_be_visible()
    return modal


def error_of(page: Page, label: str) -> Locator:
    return page.get_by_test_id("input-block").filter(has=page.get_by_label(label)).get_by_test_id("input-error")


def choose(page: Page, wanted: str) -> None:
    page.get_by_test_id("option").filter(has_text=wanted).click()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_keyboard_fills_a_form_in_and_submits_it(page: Page, app: ModalApp) -> None:
    modal = open_modal(page)
    service = modal.get_by_role("combobox", name="Service")
    expect(service).to_be_focused()
    page.keyboard.press("ArrowDown")  # it searches from no character on
    expect(page.get_by_test_id("option")).to_have_count(4)
    page.keyboard.press("ArrowUp")
    expect(service).to_have_attribute("aria-activedescendant", re.compile("-list-3$"))
    page.keyboard.press("Enter")
    expect(service).to_have_value("v2.0-rc.1")
    expect(page.get_by_test_id("option")).to_have_count(0)

    page.keyboard.press("Tab")
    page.keyboard.type("1.", delay=5)
    expect(page.get_by_test_id("option")).to_have_text(["v1.2", "v1.3", "v1.4"])
    assert app.searches[-1]["value"] == "1."
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("stag")
    page.keyboard.press("Tab")
    page.keyboard.type("first line\nsecond line")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(modal.get_by_role("button", name="Deploy", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(modal).to_have_count(0)
    expect(box(page)).to_be_focused()
    values = app.submitted[0]["view"]["state"]["values"]
    assert values["version"]["version"]["selected_option"]["value"] == "v1.4"
    assert values["environment"]["environment"]["selected_option"]["value"] == "staging"
    assert values["because"]["because"]["value"] == "first line\nsecond line"


def test_errors_stand_at_their_fields_and_go_when_these_change(page: Page, app: ModalApp) -> None:
    modal = open_modal(page)
    modal.get_by_test_id("modal-submit").click()
    version = modal.get_by_label("Version")
    expect(error_of(page, "Version")).to_have_text("Please complete this required field.")
    expect(version).to_have_attribute("aria-invalid", "true")
    described = version.get_attribute("aria-describedby") or ""
    assert error_of(page, "Version").get_attribute("id") in described.split()
    expect(modal.get_by_label("Service")).to_be_focused()
    expect(error_of(page, "Because")).to_be_hidden()
    assert app.submitted == []

    for label, typed, wanted in (("Service", "v1.2", "v1.2"), ("Version", "v1", "v1.4")):
        modal.get_by_label(label).fill(typed)
        choose(page, wanted)
        expect(error_of(page, label)).to_be_hidden()
    modal.get_by_label("Environment").select_option("production")
    app.answer = {"response_action": "errors", "errors": {"environment": "You may not deploy there."}}
    modal.get_by_test_id("modal-submit").click()
    expect(error_of(page, "Environment")).to_have_text("You may not deploy there.")
    expect(modal.get_by_label("Environment")).to_be_focused()
    expect(version).to_have_value("v1.4")
    app.answer = {"response_action": "errors", "errors": {"nowhere": "x"}}
    modal.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("modal-trouble")).to_contain_text("We had some trouble connecting. Try again?")


def test_a_submit_that_is_on_its_way_is_shown_and_sent_once(page: Page, app: ModalApp) -> None:
    app.view = form({**BECAUSE, "element": {**BECAUSE["element"], "multiline": False}})
    app.deaf = True
    modal = open_modal(page)
    modal.get_by_label("Because").fill("one line")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("modal-submit")).to_have_attribute("aria-busy", "true")
    page.get_by_test_id("modal-submit").click()
    page.keyboard.press("Escape")
    expect(modal).to_have_count(0)
    until(lambda: app.submitted)
    assert [one["view"]["state"]["values"]["because"]["because"]["value"] for one in app.submitted] == ["one line"]


def test_it_survives_a_reload_with_what_is_filled_in(page: Page, app: ModalApp) -> None:
    modal = open_modal(page)
    modal.get_by_label("Version").fill("v1")
    choose(page, "v1.3")
    modal.get_by_label("Environment").select_option("staging")
    modal.get_by_label("Because").fill("a reason")
    modal.get_by_test_id("modal-submit").click()
    expect(error_of(page, "Service")).to_be_visible()
    page.reload()
    expect(modal.get_by_label("Version")).to_have_value("v1.3")
    expect(modal.get_by_label("Environment")).to_have_value("0")
    expect(modal.get_by_label("Because")).to_have_value("a reason")
    expect(error_of(page, "Service")).to_be_visible()
    page.get_by_test_id("modal-close").click()
    expect(modal).to_have_count(0)
    page.reload()
    expect(box(page)).to_be_visible()
    expect(modal).to_have_count(0)


def test_escape_shuts_the_list_first_and_then_the_modal(page: Page, app: ModalApp, slack: Threaded) -> None:
    modal = open_modal(page)
    version = modal.get_by_label("Version")
    version.click()
    expect(page.get_by_test_id("options-status").locator("visible=true")).to_have_text("Type a character to search")
    version.fill("v1")
    expect(page.get_by_test_id("option")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("option")).to_have_count(0)
    expect(version).to_have_value("")
    for _ in range(20):  # the focus cannot leave
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(modal).to_have_count(0)
    expect(box(page)).to_be_focused()
    assert slack.workspace.modal("ana") is None


def test_a_search_that_fails_says_so_and_nothing_can_be_chosen(page: Page, app: ModalApp) -> None:
    modal = open_modal(page)
    app.options = {"options": [option("x" * 76)]}
    modal.get_by_label("Version").fill("v1")
    status = page.get_by_test_id("options-status").locator("visible=true")
    expect(status).to_contain_text("Nothing could be found")
    expect(status).to_contain_text("must be less than 76 characters")
    expect(page.get_by_test_id("option")).to_have_count(0)
    app.options = {"option_groups": [{"label": plain("Branches"), "options": [option("main")]}]}
    modal.get_by_label("Version").fill("m")
    expect(page.get_by_text("Branches")).to_be_visible()
    page.keyboard.press("Enter")
    expect(modal.get_by_label("Version")).to_have_value("main")


def test_a_view_on_top_shows_the_one_below_again_as_it_was(page: Page, app: ModalApp) -> None:
    app.view = form()
    modal = open_modal(page)
    modal.get_by_label("all at once").check()
    modal.get_by_label("migrate").check()
    modal.get_by_role("button", name="More…").click()
    more = page.get_by_role("dialog", name="More")
    expect(more.get_by_label("Because")).to_be_focused()
    page.get_by_test_id("modal-close").click()
    expect(modal.get_by_label("all at once")).to_be_checked()
    expect(modal.get_by_label("migrate")).to_be_checked()
    until(lambda: app.closed)
    assert app.closed[0]["is_cleared"] is False


def test_two_tabs_show_the_same_modal_and_an_update_leaves_alone_what_is_being_typed(
    page: Page, app: ModalApp, slack: Threaded
) -> None:
    modal = open_modal(page)
    because = modal.get_by_label("Because")
    because.fill("typing")
    ana = slack.workspace.person("ana")
    slack.do(ana.pick("environment", "production"))
    expect(modal.get_by_label("Environment")).to_have_value("1")
    view = slack.workspace.modal("ana")
    assert view is not None
    other = {**VERSION, "hint": plain("Another hint")}
    trigger = form(SERVICE, other, ENVIRONMENT, BECAUSE, title="Deploy now")
    slack.do(update(slack, view["id"], trigger))
    expect(page.get_by_role("dialog", name="Deploy now").get_by_text("Another hint")).to_be_visible()
    modal = page.get_by_role("dialog")
    expect(modal.get_by_label("Because")).to_be_focused()
    page.keyboard.type(" on")
    expect(modal.get_by_label("Because")).to_have_value("typing on")
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_label("Because")).to_have_value("typing on")
    second.get_by_test_id("modal-cross").click()
    expect(modal).to_have_count(0)


async def update(slack: Threaded, view_id: str, view: dict[str, Any]) -> None:
    shown = slack.workspace.modals.find(view_id=view_id)
    assert shown is not None
    slack.workspace.modals.update(shown, view)


def test_a_select_in_a_message_finds_its_options_too(page: Page, app: ModalApp, slack: Threaded) -> None:
    blocks = [{"type": "actions", "block_id": "ways", "elements": [{**VERSION["element"], "action_id": "service"}]}]
    slack.do(post(slack, blocks))
    found = page.get_by_test_id("message").last.get_by_role("combobox", name="Search tags and branches")
    found.fill("v1")
    choose(page, "v1.3")
    until(lambda: app.actions)
    assert app.actions[0]["actions"][0]["selected_option"]["value"] == "v1.3"
    expect(found).to_have_value("v1.3")


async def post(slack: Threaded, blocks: list[dict[str, Any]]) -> None:
    client = AsyncWebClient(token=slack.workspace.seed.app.bot_token, base_url=slack.workspace.api_url)
    await client.chat_postMessage(channel="C0DEPLOYS", text="pick", blocks=blocks)
