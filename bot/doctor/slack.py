"""Slack: the tokens, the rights they came with, the channels, and whether another bot shares what Slack delivers.

How Slack is asked is `handlers.slack.checkup`'s; this is what the answers mean and what to do."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import aiohttp

from bot.doctor import clock
from bot.doctor.findings import Findings, ok, problem, skipped, warning
from bot.doctor.machine import Facts
from bot.settings import SLACK_API, SlackSettings
from pipelines.domain.model import Config

if TYPE_CHECKING:
    from handlers.slack.checkup import Bot, Checkup

CHANNELS = 20  # that are looked at: each is a call, and a bot that works shares how many Slack allows
SECONDS = 8.0
APP = "on https://api.slack.com/apps"
WORDS: Mapping[str, str] = {
    "invalid_auth": f"Slack does not know this token; copy it anew from the app's page {APP}",
    "not_authed": f"Slack does not know this token; copy it anew from the app's page {APP}",
    "account_inactive": f"the app is not installed any more; install it again {APP}, then copy the new token",
    "token_revoked": f"this token was revoked; make a new one {APP}",
    "token_expired": f"this token has expired; switch token rotation off {APP}, then copy the token",
    "not_allowed_token_type": "this is a token of another kind; the bot's begins with xoxb-, the app's with xapp-",
    "missing_scope": f"the token lacks `connections:write`; make one with that scope {APP}",
    "ratelimited": "Slack was asked too often; ask the doctor again in a minute",
}


async def slack(
    settings: SlackSettings, known: Callable[[], Awaitable[Config | None]], asking: Awaitable[Facts | None]
) -> Findings:
    from handlers.slack.api import Fault
    from handlers.slack.checkup import Checkup

    limit = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=limit) as session:
        checkup = Checkup(settings.bot_token, settings.api_url, session)
        try:
            bot = await checkup.bot()
        except Fault as fault:
            yield problem("SLACK_BOT_TOKEN", _why(fault.error, settings.bot_token, "xoxb-", settings.api_url))
        else:
            yield ok("SLACK_BOT_TOKEN", f"{bot.name} in {bot.team}")
            yield clock.judged(bot.skew, "Slack", signed=settings.app_token is None)
            async for finding in _scopes(bot):
                yield finding
            async for finding in _channels(await known(), checkup):
                yield finding
        if settings.app_token is None:
            yield ok("Slack", "it calls this bot by signed HTTP, at /slack/events; only Slack can try that")
            return
        async for finding in _socket(settings, settings.app_token, checkup, await asking):
            yield finding


async def _socket(settings: SlackSettings, token: str, checkup: "Checkup", facts: Facts | None) -> Findings:
    from handlers.slack.api import Fault

    try:
        await checkup.app_token(token)
        yield ok("SLACK_APP_TOKEN", "Socket Mode may connect")
    except Fault as fault:
        yield problem("SLACK_APP_TOKEN", _why(fault.error, token, "xapp-", settings.api_url))
    if facts is None:
        yield skipped("second bot", "only a bot that is connected can tell, and none runs here")
    elif (hello := facts["connections"]) is None:
        yield warning("second bot", "the bot that runs here is not connected to Slack; look at its log")
    elif hello["number"] > 1:
        at = datetime.fromisoformat(hello["at"])
        yield warning(
            "second bot",
            f"{hello['number']} connections had this app token when ours was made, at {at:%H:%M %Z}: each command "
            "reaches one of them at random; end the other bot, or give it an app of its own",
        )
    else:
        yield ok("second bot", "none had this app token when ours connected")


async def _scopes(bot: "Bot") -> Findings:
    if bot.identity.scopes is None:
        yield skipped("Slack scopes", "Slack does not tell which the token has")
        return
    if bot.missing:
        yield problem(
            "Slack scopes",
            f"{', '.join(bot.missing)} missing; add them under OAuth & Permissions {APP}, then install the app again",
        )
    if bot.missing_optional:
        yield warning(
            "Slack scopes",
            f"{', '.join(bot.missing_optional)} missing, which are optional: without them a message may appear twice "
            "after a crash, and every channel needs an invitation",
        )
    if not bot.missing and not bot.missing_optional:
        yield ok("Slack scopes", "all are there")


async def _channels(config: Config | None, checkup: "Checkup") -> Findings:
    from handlers.slack.api import Fault

    services = config.services.values() if config is not None else ()
    names = list(dict.fromkeys(service.channel for service in services if service.channel))
    for name in names[:CHANNELS]:
        what = f"channel {name}"
        try:
            if await checkup.closed(name):
                yield problem(
                    what, "Shipmate cannot post there, or there is no such channel; type /invite @shipmate in it"
                )
            else:
                yield ok(what, "Shipmate can post there")
        except Fault as fault:
            yield skipped(what, f"Slack says {fault.error}")
    if len(names) > CHANNELS:
        yield skipped(
            "channels", f"the {len(names) - CHANNELS} after the first {CHANNELS}, so as not to ask Slack too often"
        )


def _why(error: str, token: str, begins: str, url: str) -> str:
    if not token.startswith(begins):
        return f"it does not begin with {begins}, so it is another token; look whether the two are exchanged"
    if error.startswith(("no answer", "HTTP")) and url != SLACK_API:
        return (
            f"nothing that speaks Slack's protocol answers at {url} ({error}); look at SLACK_API_URL, or leave it out"
        )
    if error.startswith(("no answer", "HTTP")):
        return f"Slack cannot be reached ({error}); look at the network, HTTPS_PROXY and NO_PROXY"
    return WORDS.get(error, f"Slack says {error}; look at the app's page {APP}")
