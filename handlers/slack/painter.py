"""The painter: keeps on Slack what the journal says of each deploy. It remembers nothing that the postings do not say,
so it may end at any moment and another one goes on."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from handlers.chat import thread, words
from handlers.slack.blocks import lines_message
from handlers.slack.canvas import CARD, CLOSING, LOOK_AGAIN, Canvas, Studio, UnreachableError, over
from handlers.slack.card_painter import CardPainter
from handlers.slack.tasks import HOPELESS, Breaks, told
from handlers.slack.thread_painter import ThreadPainter
from pipelines.domain.deploy import Deploy
from pipelines.shipmate import away, noted

log = logging.getLogger(__name__)

AT_ONCE = 600
SCAN_PAUSE = 0.1
TOLD = "unreachable"
TRIES = 20
BACK_AGAIN = 10.0
LEFT_UNTRUE = timedelta(hours=1)  # after its end, where the message cannot be edited
FORGOTTEN = timedelta(days=1)  # ended so long ago and never shown: a bot that got its Slack only now


class Painter:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._canvases: dict[str, asyncio.Task[None]] = {}
        self._breaks = Breaks()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            with self._studio.shipmate.listening("journal") as event:
                while True:
                    event.clear()
                    began = asyncio.get_running_loop().time()
                    for deploy in await self._studio.shipmate.unpainted():
                        self._begin(deploy)
                    took = asyncio.get_running_loop().time() - began
                    await asyncio.sleep(max(SCAN_PAUSE, 3 * took))
                    await told(event, LOOK_AGAIN)
        finally:
            for task in self._canvases.values():
                task.cancel()
            await asyncio.gather(*self._canvases.values(), return_exceptions=True)

    def _begin(self, deploy: Deploy) -> None:
        if deploy.id in self._canvases or len(self._canvases) >= AT_ONCE or self._breaks.rests(deploy.id):
            return
        task = asyncio.create_task(self._paint(deploy))
        self._canvases[deploy.id] = task
        task.add_done_callback(lambda _: self._canvases.pop(deploy.id, None))

    async def _paint(self, deploy: Deploy) -> None:
        """Paint, and begin again after what breaks; when that does not help, the person is told so, once."""
        try:
            await self._show(deploy)
            self._breaks.good(deploy.id)
        except Exception as error:
            number = noted(log, f"painting {deploy.id}", error)
            if not away(error) and self._breaks.broke(deploy.id) == HOPELESS:
                plan = deploy.plan
                it = f"{plan.service} {plan.version} in {plan.environment}"
                line = lines_message([words.message_lost(it, number)])
                await self._studio.private.tell_in_time(line, to=deploy.by, place=deploy.place, tries=TRIES)

    async def _show(self, deploy: Deploy) -> None:
        canvas = Canvas(self._studio, deploy)
        await canvas.begin()
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(canvas.watch())
            await canvas.is_painted(await self._until_true(canvas))
            watching.cancel()

    async def _until_true(self, canvas: Canvas) -> int:
        """Paint until all is true; the number of the event it is true up to."""
        if canvas.latest.place.channel is None or self._forgotten(canvas):
            return await over(canvas)
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    card = group.create_task(CardPainter(canvas).paint())
                    lines = group.create_task(ThreadPainter(canvas).paint())
                    card.add_done_callback(partial(_no_thread, canvas=canvas, lines=lines))
                return card.result() if lines.cancelled() else min(card.result(), lines.result())
            except* UnreachableError as errors:
                if TOLD not in canvas.postings:
                    log.warning("%s cannot be shown where it belongs: %s", canvas.id, errors.exceptions[0])
            if await self._in_private(canvas):
                return canvas.latest.seq

    def _forgotten(self, canvas: Canvas) -> bool:
        ended = canvas.latest.ended
        return ended is not None and CARD not in canvas.postings and self._studio.clock() - ended > FORGOTTEN

    async def _in_private(self, canvas: Canvas) -> bool:
        """There is no posting where the message belongs: the person is told so once, and how it ended. After a while
        it is tried again, for whoever was removed from a channel may be back; True: it is given up, for there is no
        message that says what is not so, or nobody came back for long."""
        self._studio.channels.forget(canvas.latest.place.channel or "")
        plan = canvas.latest.plan
        line = (
            f"Shipmate cannot post in {canvas.latest.place.channel}, so {plan.service} {plan.version} → "
            f"{plan.environment} has no message there. Type `/invite @shipmate` in the channel for the next one."
        )
        if canvas.latest.outcome is None:
            await self._tell_once(canvas, TOLD, line)
            with suppress(TimeoutError):
                await asyncio.wait_for(over(canvas), BACK_AGAIN)
        if canvas.latest.outcome is None:
            return False
        await self._tell_once(canvas, CLOSING, f"{line} {thread.closing(canvas.latest)}")
        card, ended = canvas.postings.get(CARD), canvas.latest.ended
        if card is None or not card.ts or ended is None or self._studio.clock() - ended > LEFT_UNTRUE:
            return True
        await asyncio.sleep(BACK_AGAIN)
        return False

    async def _tell_once(self, canvas: Canvas, kind: str, line: str) -> None:
        if (posting := canvas.postings.get(kind)) is not None and posting.ts:
            return
        posting, _ = await canvas.claim(kind, canvas.latest.place.channel or "")
        place = canvas.latest.place
        await self._studio.private.tell_in_time(lines_message([line]), to=canvas.latest.by, place=place, tries=TRIES)
        await canvas.posted(replace(posting, ts="told"))


def _no_thread(card: asyncio.Task[int], canvas: Canvas, lines: asyncio.Task[int]) -> None:
    """A message that never came to be, because another attempt has it, has no thread to wait for."""
    if not card.cancelled() and card.exception() is None and not canvas.root.done():
        lines.cancel()
