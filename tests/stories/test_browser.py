"""The whole demo in a browser, with the keyboard and the mouse, as ana and as mia. The routers are
asked what is live.

With SHIPMATE_PICTURE=1 set it also refreshes the pictures that the documents show.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import chromium
from tests.support.demo import Demo, running
from tests.support.process import ROOT

PICTURES = ROOT / "docs"
LARGEST = 300 * 1024
WATCHABLE = 0.1  # seconds between two lines of the sample's scripts, so that a stream can be seen
PATIENCE = 90_000  # ms in which a deploy ends


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("browser") / "data", pace=WATCHABLE) as demo:
        yield demo


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The page as ana. What breaks in its scripts fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(demo.page + "?user=ana")
    expect(page.get_by_test_id("connection-state")).to_have_text("App connected")
    yield page
    context.close()
    assert not broken


def become(page: Page, name: str) -> None:
    page.get_by_test_id("user-select").select_option(label=name)
    expect(page).to_have_url(re.compile(f"user={name}"))


def test_the_second_tab_of_a_keyboard_leads_to_writing(page: Page) -> None:
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("combobox", name="Message #deploys")).to_be_focused()


def type_in(page: Page, text: str) -> None:
    """By the keyboard alone, once the box has the focus."""
    page.get_by_role("combobox", name="Message #deploys").focus()
    page.keyboard.type(text, delay=2)
    page.keyboard.press("Enter")


def root(page: Page, words: str) -> Locator:
    """The newest message in the channel that says so."""
    channel = page.get_by_role("region", name="Messages in #deploys")
    return channel.get_by_test_id("message").filter(has_text=words).last


def thread_of(page: Page, message: Locator) -> Locator:
    message.get_by_test_id("replies").click()
    return page.get_by_test_id("thread-pane")


def button(inside: Locator, label: str) -> Locator:
    return inside.get_by_role("button", name=label, exact=True)


def tab_to(page: Page, wanted: Locator) -> None:
    """From the box back to a button, by Shift and Tab alone."""
    page.get_by_role("combobox", name="Message #deploys").focus()
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if wanted.evaluate("node => node === document.activeElement"):
            return
    expect(wanted).to_be_focused()


def deployed(page: Page, version: str, environment: str) -> Locator:
    type_in(page, f"/deploy api {version} {environment}")
    message = root(page, f"api {version} is live in {environment}")
    expect(message).to_be_visible(timeout=PATIENCE)
    return message


def take_picture(page: Page, folder: Path, name: str, *, blur: bool = True) -> None:
    """The page as it is; with SHIPMATE_PICTURE=1 it is the one that the documents show from now on."""
    page.mouse.move(640, 780)
    if blur:
        page.evaluate("document.activeElement.blur()")
    taken = folder / name
    page.screenshot(path=taken)
    assert 20 * 1024 < taken.stat().st_size <= LARGEST
    if "SHIPMATE_PICTURE" in os.environ:
        (PICTURES / name).write_bytes(taken.read_bytes())


def test_deploy_watch_and_roll_back_in_staging(page: Page, demo: Demo, tmp_path: Path) -> None:
    assert demo.version("staging") == "v1.3"
    type_in(page, "/deploy api v1.4 staging")
    running_message = root(page, "Deploying api v1.4 → staging")
    expect(running_message).to_contain_text("install on")
    thread = thread_of(page, running_message)
    printed = re.compile(r"installing api v1\.4 on|for the pages that matter")  # how far it is depends on the machine
    expect(thread.locator("pre").first).to_contain_text(printed, timeout=PATIENCE)
    expect(button(running_message, "Abort")).to_be_visible()

    live = root(page, "api v1.4 is live in staging")
    expect(live).to_be_visible(timeout=PATIENCE)
    expect(thread).to_contain_text("@ana api v1.4 went live in staging")
    expect(thread.get_by_test_id("file")).to_contain_text("api-v1.4-staging")
    assert demo.version("staging") == "v1.4"
    take_picture(page, tmp_path, "picture.png")

    button(live, "Roll back to v1.3").click()
    expect(root(page, "rolled back from v1.4")).to_contain_text("api v1.3 is live in staging", timeout=PATIENCE)
    assert demo.version("staging") == "v1.3"
    expect(root(page, "api v1.4 was live in staging until")).to_be_visible()
    expect(page.get_by_text("v1.4 is live")).to_have_count(0)


def test_a_failed_smoke_test_says_what_runs_where(page: Page, demo: Demo) -> None:
    before = demo.version("staging")
    type_in(page, "/deploy api v1.5 staging")
    failed = root(page, "api v1.5 failed in staging: check on")
    expect(failed).to_be_visible(timeout=PATIENCE)
    expect(failed).to_contain_text("runs v1.5, out of traffic")
    expect(failed).to_contain_text(f"runs {before}")
    expect(thread_of(page, failed)).to_contain_text("pages failed")
    assert demo.version("staging") == before


@pytest.mark.long
def test_production_asks_once_more_and_the_keyboard_is_enough(page: Page, demo: Demo) -> None:
    type_in(page, "/deploy status")
    expect(page.get_by_test_id("ephemeral")).to_contain_text("api in production: v1.3")
    back = button(deployed(page, "v1.4", "production"), "Roll back to v1.3")
    tab_to(page, back)
    page.keyboard.press("Enter")
    dialog = page.get_by_test_id("confirm-dialog")
    expect(dialog).to_contain_text("v1.3")
    expect(page.get_by_test_id("confirm-deny")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert demo.version("production") == "v1.4"

    expect(back).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("confirm-ok")).to_be_focused()
    page.keyboard.press("Enter")
    expect(root(page, "rolled back from v1.4")).to_contain_text("api v1.3 is live in production", timeout=PATIENCE)
    assert demo.version("production") == "v1.3"


def only_for_me(page: Page, words: str) -> Locator:
    """The newest answer that says so and that nobody else sees."""
    found = page.get_by_test_id("ephemeral").filter(has_text=words).last
    expect(found).to_be_visible(timeout=PATIENCE)
    return found


def test_deploy_alone_opens_a_form_that_deploys(page: Page, demo: Demo, tmp_path: Path) -> None:
    type_in(page, "/deploy ")
    form = page.get_by_role("dialog", name="Deploy")
    form.get_by_role("combobox", name="Version").focus()
    page.keyboard.type("1.", delay=5)
    expect(page.get_by_test_id("option").filter(has_text="v1.2")).to_be_visible()
    take_picture(page, tmp_path, "form.png", blur=False)
    page.get_by_test_id("option").filter(has_text="v1.2").click()
    form.get_by_role("button", name="Deploy", exact=True).click()
    expect(form).to_have_count(0)
    expect(root(page, "api v1.2 is live in staging")).to_be_visible(timeout=PATIENCE)
    assert demo.version("staging") == "v1.2"


def test_what_is_wrong_in_the_form_stands_at_its_field(page: Page) -> None:
    become(page, "mia")
    type_in(page, "/deploy api")
    form = page.get_by_role("dialog", name="Deploy")
    form.get_by_role("combobox", name="Version").focus()
    page.keyboard.type("v1.4", delay=5)
    page.get_by_test_id("option").filter(has_text="v1.4").click()
    form.get_by_label("Environment").focus()
    page.keyboard.type("prod")
    page.keyboard.press("Enter")
    form.get_by_role("button", name="Deploy", exact=True).click()
    field = form.get_by_test_id("input-block").filter(has=page.get_by_label("Environment"))
    expect(field.get_by_test_id("input-error")).to_contain_text("that is for @api (ana, raj)", timeout=PATIENCE)
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_have_count(0)


def test_a_misspelt_line_is_offered_right(page: Page, demo: Demo, tmp_path: Path) -> None:
    type_in(page, "/deploy apii v1.3 stagin")
    told = only_for_me(page, "Did you mean /deploy api v1.3 staging?")
    take_picture(page, tmp_path, "near.png")
    button(told, "Choose api v1.3 staging").click()
    expect(root(page, "api v1.3 is live in staging")).to_be_visible(timeout=PATIENCE)
    assert demo.version("staging") == "v1.3"


def test_a_mention_takes_the_same_text(page: Page) -> None:
    type_in(page, "@shipmate history api staging")
    told = only_for_me(page, "What happened to api in staging")
    expect(told).to_contain_text("v1.2 by ana: ✅ live for")


def test_a_bare_rollback_lists_the_ways_back(page: Page, demo: Demo, tmp_path: Path) -> None:
    before = demo.version("staging")
    type_in(page, "/rollback ")
    told = only_for_me(page, "Which one?")
    take_picture(page, tmp_path, "rollback.png")
    back = told.get_by_role("button", name=re.compile(r"^Roll back to v1\.2 · api staging")).first
    back.click()
    expect(root(page, "rolled back from " + before)).to_contain_text("api v1.2 is live in staging", timeout=PATIENCE)
    assert demo.version("staging") == "v1.2"


def test_mia_is_told_no_and_nobody_else_sees_it(page: Page, demo: Demo) -> None:
    become(page, "mia")
    type_in(page, "/deploy api v1.4 production")
    answer = page.get_by_test_id("ephemeral")
    expect(answer).to_contain_text("Only visible to you")
    expect(answer).to_contain_text("You may not deploy api to production: that is for @api (ana, raj)")
    assert demo.version("production") == "v1.3"

    become(page, "raj")
    expect(page.get_by_text("You may not deploy")).to_have_count(0)
