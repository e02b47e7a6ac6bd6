"""The one message of a deploy in its channel: posted once, then edited in place until it shows the end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from handlers.chat.deploy_card import deploy_card
from handlers.slack.api import Fault, Trouble
from handlers.slack.blocks import Message, card_message
from handlers.slack.canvas import CARD, LOOK_AGAIN, SURFACE, Canvas, Patience, UnreachableError
from handlers.slack.sending import mark
from handlers.slack.tasks import told
from pipelines.domain.deploy import Deploy
from pipelines.shipmate import Posting

GONE = "gone"  # the message cannot be edited any more, and is left so
JUST_POSTED = timedelta(seconds=15)
LOOK_SOON = 0.2
CLOCKS_DIFFER = 300.0  # seconds by which Slack's clock and ours may differ


class CardPainter:
    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._studio = canvas.studio
        self._patience = Patience()

    async def paint(self) -> int:
        """Paint until the message shows the deploy's end; the number of the event it is painted up to. Raises
        UnreachableError."""
        changed = self._canvas.listening()
        while True:
            changed.clear()
            deploy, posting = self._canvas.latest, self._canvas.postings.get(CARD)
            if posting is not None and posting.ts:
                self._rooted(posting)
            if deploy.retried_by is not None:
                return deploy.seq  # the message is the next attempt's
            if posting is None or not posting.ts:
                await self._first(deploy, posting)
                continue
            if self._shows(posting, deploy):
                if deploy.outcome is not None:
                    return deploy.seq
                await told(changed, LOOK_AGAIN)
                continue
            await self._edit(posting)

    def _message(self, deploy: Deploy) -> Message:
        return card_message(deploy_card(deploy, self._studio.clock()))

    def _shows(self, posting: Posting, deploy: Deploy) -> bool:
        return posting.painted in (GONE, self._message(deploy).digest)

    def _rooted(self, posting: Posting) -> None:
        if not self._canvas.root.done():
            self._canvas.root.set_result(posting)

    async def _first(self, deploy: Deploy, posting: Posting | None) -> None:
        """Take over the message of the attempt before, find one that was posted and not recorded, or post one."""
        if posting is None and deploy.retry_of is not None:
            before = (await self._studio.shipmate.postings(deploy.retry_of, SURFACE)).get(CARD)
            if before is not None and before.ts and before.painted != GONE:
                await self._canvas.claim(CARD, before.channel, before.ts)
                return
            if before is not None and not before.ts and self._studio.clock() - deploy.at < JUST_POSTED:
                await asyncio.sleep(LOOK_SOON)  # its post is on its way: whoever clicked saw it before we know its ts
                return
        channel = posting.channel if posting else await self._channel(deploy)
        if channel is None:
            return
        claimed, new = (posting, False) if posting else await self._canvas.claim(CARD, channel)
        await self._post(claimed, look=not new)

    async def _channel(self, deploy: Deploy) -> str | None:
        assert deploy.place.channel is not None
        try:
            found = await self._studio.channels.id_of(deploy.place.channel)
        except Fault as fault:
            await self._patience.after(fault)
            return None
        if found is None:
            raise UnreachableError(deploy.place.channel)
        return found

    async def _post(self, posting: Posting, *, look: bool) -> None:
        await self._studio.budgets.outage.over()
        try:
            ts = await self._find(posting) if look else None
            channel, painted = posting.channel, ""
            if ts is None:
                await self._studio.budgets.post(posting.channel, self._canvas.urgency())
                message = self._message(await self._canvas.refresh())
                marked = mark(posting.deploy, CARD)
                channel, ts = await self._studio.sender.post(posting.channel, message, marked)
                painted = message.digest
        except Fault as fault:
            if fault.trouble is Trouble.SHAPE:
                raise UnreachableError(fault.error) from None
            await self._patience.after(fault)
            return
        self._studio.budgets.pace.painted((channel, ts))
        self._patience.good()
        await self._canvas.posted(replace(posting, channel=channel, ts=ts, painted=painted))

    async def _find(self, posting: Posting) -> str | None:
        since = posting.claimed_at.timestamp() - CLOCKS_DIFFER if posting.claimed_at else 0.0
        return (await self._studio.sender.find(posting.channel, posting.deploy, since=since)).get(CARD)

    async def _edit(self, posting: Posting) -> None:
        message_key = (posting.channel, posting.ts)
        pace, edits = self._studio.budgets.pace, self._studio.budgets.edits
        await asyncio.sleep(pace.wait(message_key))
        await self._studio.budgets.outage.over()
        await edits.take(self._canvas.urgency())
        async with pace.lock(message_key):
            deploy = await self._canvas.refresh()
            if pace.wait(message_key) > 0 or deploy.retried_by is not None or self._shows(posting, deploy):
                edits.give_back()
                return
            shown = self._message(deploy)
            try:
                await self._studio.sender.edit(*message_key, shown, mark(posting.deploy, CARD))
                painted = shown.digest
            except Fault as fault:
                if fault.trouble is Trouble.GONE and await self._canvas.removed(posting):
                    return
                if fault.trouble not in (Trouble.GONE, Trouble.FIXED, Trouble.SHAPE):
                    await self._patience.after(fault)
                    return
                painted = shown.digest if fault.trouble is Trouble.SHAPE else GONE
            finally:
                pace.painted(message_key)
            self._patience.good()
            await self._canvas.posted(replace(posting, painted=painted, seq=deploy.seq))
