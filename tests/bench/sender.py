"""Sends signed slash commands at a steady rate, whatever comes back: `python -m tests.bench.sender URL RATE SECONDS
TEXT…`, which are sent in turn. Prints a JSON list of the seconds from each one's send to its acknowledgement.

A process of its own, so that nothing else it does stands between a command and the clock. It also takes the answers,
as Slack does at the address that comes with a command.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from bot.workspace import default_seed, payloads
from bot.workspace.delivery import Delivery, encoded, signature

SETTLE = 10  # commands before those that count: connections are made, code is loaded
TIMEOUT = 30.0


async def acknowledged(session: aiohttp.ClientSession, url: str, text: str, number: int, answers: str) -> float:
    """Raises RuntimeError when the answer is anything but an acknowledgement."""
    seed = default_seed()
    trigger = f"{number}.{time.time_ns()}"
    channel = seed.channels[0]
    payload = payloads.slash(seed, seed.users[0], channel, "/deploy", text, trigger=trigger, response_url=answers)
    body, kind = encoded(Delivery(kind="slash_commands", payload=payload))
    at = str(int(time.time()))
    signed = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature(seed.app.signing_secret, at, body)}
    began = time.perf_counter()
    async with session.post(url, data=body, headers={"Content-Type": kind, **signed}) as answer:
        await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"answered {answer.status} instead of acknowledging")
    return time.perf_counter() - began


@asynccontextmanager
async def taking() -> AsyncIterator[str]:
    """Where answers are taken."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/answers", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/answers"
    finally:
        await runner.cleanup()


async def send(url: str, rate: float, seconds: float, texts: Sequence[str]) -> list[float]:
    total = SETTLE + round(rate * seconds)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with taking() as answers, aiohttp.ClientSession(timeout=timeout) as session:
        began = time.perf_counter()
        sent = []
        for number in range(total):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            sent.append(asyncio.create_task(acknowledged(session, url, texts[number % len(texts)], number, answers)))
        return (await asyncio.gather(*sent))[SETTLE:]


if __name__ == "__main__":
    url, rate, seconds, *texts = sys.argv[1:]
    print(json.dumps(asyncio.run(send(url, float(rate), float(seconds), texts))))
