"""The clock, against whoever else says what time it is: Slack, else a git host."""

import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp

from bot.doctor.findings import Finding, Findings, ok, problem, skipped, warning
from pipelines.domain.model import Config

SECONDS = 5.0
HOSTS = 2  # that are asked
CLOSE, FAR = 30.0, 240.0  # Slack's signed requests are good for 300 s


def judged(skew: float | None, whose: str, *, signed: bool = False) -> Finding:
    """`skew`: seconds by which the other clock is ahead of ours; `signed`: Slack's requests carry its time."""
    if skew is None:
        return skipped("clock", f"{whose} does not say what time it is")
    if abs(skew) <= CLOSE:
        return ok("clock", f"as {whose}'s")
    side = "behind" if skew > 0 else "ahead of"
    says = f"it is {abs(skew):.0f} s {side} {whose}'s; switch on time synchronisation (NTP)"
    if signed and abs(skew) > FAR:
        return problem("clock", f"{says}: requests that Slack signed are refused, as if they were old ones")
    return warning("clock", f"{says}: times in messages and in the journal are wrong")


async def by_git_hosts(known: Callable[[], Awaitable[Config | None]]) -> Findings:
    config = await known()
    repos = [service.repo for service in config.services.values()] if config is not None else []
    hosts = dict.fromkeys(urlsplit(repo).netloc.rpartition("@")[2] for repo in repos if repo.startswith("https://"))
    for host in list(hosts)[:HOSTS]:
        skew = await skew_of(f"https://{host}/")
        if skew is not None:
            yield judged(skew, host)
            return
    yield skipped("clock", "there is no Slack and no git host over https to compare it with")


async def skew_of(url: str) -> float | None:
    from handlers.slack.checkup import skew_of as of_headers

    limit = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=limit, trust_env=True) as session:
            began = time.time()
            async with session.head(url, allow_redirects=False) as answer:
                return of_headers(answer.headers, (began + time.time()) / 2)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
