"""Calls: every failure is one kind of exception, and a rate limit is waited out only where that is short."""

import aiohttp
import pytest

from handlers.slack import api
from handlers.slack.api import DEFAULT_WAIT, Fault, Trouble, call, proxy_for, retry_after
from handlers.slack.budget import Budgets
from tests.handlers.slack.conftest import Parts
from tests.support.slack_fake import Slack, failing


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("", DEFAULT_WAIT),
        ("soon", DEFAULT_WAIT),
        ("nan", DEFAULT_WAIT),
        ("inf", DEFAULT_WAIT),
        ("-9", 0.0),
        ("99999999", 300.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", DEFAULT_WAIT),
    ],
)
def test_an_odd_retry_after_is_a_short_wait(header: str, seconds: float) -> None:
    assert retry_after({"retry-AFTER": header}) == seconds
    assert retry_after({"Retry-After": [header]}) == seconds


def test_no_retry_after_is_a_short_wait() -> None:
    assert retry_after({}) == DEFAULT_WAIT


@pytest.mark.parametrize(
    ("error", "status", "trouble"),
    [
        ("ratelimited", 429, Trouble.BUSY),
        ("internal_error", 200, Trouble.AWAY),
        ("anything", 503, Trouble.AWAY),
        ("not_in_channel", 200, Trouble.NO_ROOM),
        ("message_not_found", 200, Trouble.GONE),
        ("invalid_blocks", 200, Trouble.SHAPE),
        ("invalid_auth", 200, Trouble.REFUSED),
    ],
)
async def test_what_a_failure_means(parts: Parts, slack: Slack, error: str, status: int, trouble: Trouble) -> None:
    slack.fates["auth.test"] = failing(error, status=status, times=5, retry_after="77")
    with pytest.raises(Fault) as raised:
        await call(parts.painting_web.auth_test())
    assert raised.value.trouble is trouble
    assert raised.value.wait == (77.0 if trouble is Trouble.BUSY else 0.0)


async def test_a_slack_that_is_not_there_is_away(session: aiohttp.ClientSession) -> None:
    web = api.client("xoxb", "http://127.0.0.1:9/api/", session, budgets=Budgets(), patient=True)
    with pytest.raises(Fault) as raised:
        await call(web.auth_test())
    assert raised.value.trouble is Trouble.AWAY


async def test_a_short_rate_limit_is_waited_out_once(parts: Parts, slack: Slack) -> None:
    slack.fates["auth.test"] = failing("ratelimited", status=429, retry_after="0")
    assert (await call(parts.web.auth_test()))["ok"]
    assert len(slack.of("auth.test")) == 2


def test_no_proxy_stands_between_us_and_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for("http://127.0.0.1:4000/api/", "http://proxy:1") is None
    assert proxy_for("http://localhost:4000/api/", "http://proxy:1") is None
    assert proxy_for("https://slack.com/api/", "http://proxy:1") == "http://proxy:1"
    monkeypatch.setenv("no_proxy", "slack.com")
    assert proxy_for("https://slack.com/api/", "http://proxy:1") is None
