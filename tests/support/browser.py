"""A browser for tests of the page: the system's chromium, without a window. Import it for what it skips without one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.needs import missing

if any(need.program == "chromium" for need in missing()):
    pytest.skip("chromium is missing: apt-get install -y chromium", allow_module_level=True)

from playwright.sync_api import Browser, expect, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=10_000)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS), timeout=60_000)
        yield browser
        browser.close()
