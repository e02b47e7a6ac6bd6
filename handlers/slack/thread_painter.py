"""The thread of a deploy: what was reached, each once; the live tail; at the end a word to who asked, and the log."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from handlers.chat import deploy_card, thread
from handlers.chat.asking import asked
from handlers.slack import limits, output
from handlers.slack.api import Fault, Trouble
from handlers.slack.blocks import Message, lines_message, tail_message
from handlers.slack.budget import Rank
from handlers.slack.canvas import CLOSING, LOOK_AGAIN, TAIL, Canvas, Patience, over
from handlers.slack.sending import mark
from handlers.slack.tasks import told_any
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Outcome
from pipelines.shipmate import Posting

log = logging.getLogger(__name__)

LOG = "log"
GONE = "gone"
UPLOADS = 5
TOGETHER = 3.0  # seconds in which milestones gather before they are posted in one message


@dataclass(frozen=True, kw_only=True)
class Said:
    """A line of the thread that is said once; `mention` where somebody must notice it."""

    kind: str
    line: str
    mention: bool = False


def sayings(deploy: Deploy) -> Iterator[Said]:
    """All that the thread says of a deploy so far, in order."""
    for key, line in thread.milestones(deploy).items():
        yield Said(kind=f"milestone-{key}", line=line)
    if (question := asked(deploy)) is not None:
        yield Said(kind=f"question-{question.key}", line=deploy_card.deploy_card(deploy, deploy.at).text, mention=True)
    if deploy.stumbled and deploy.outcome is None:
        yield Said(kind=f"stumbled-{deploy.stumbled}", line=deploy_card.stumble(deploy), mention=True)
    if deploy.outcome is not None:
        yield Said(kind=CLOSING, line=thread.closing(deploy), mention=True)


def about(deploy: Deploy) -> str:
    """What a message of the thread is about, for whoever sees its text alone."""
    state = deploy.outcome.value if deploy.outcome else "running"
    return f"{deploy_card.what(deploy)} in {deploy.plan.environment}, {state}"


class ThreadPainter:
    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._studio = canvas.studio
        self._patience = Patience()
        self._said_at = float("-inf")
        self._uploads = 0

    async def paint(self) -> int:
        """Paint until all is said; the number of the event it is painted up to. Raises UnreachableError."""
        changed = self._canvas.listening()
        with self._studio.shipmate.listening(f"output:{self._canvas.id}") as printed:
            printed.set()
            while True:
                root = await asyncio.shield(self._canvas.root)
                changed.clear()
                deploy = self._canvas.latest
                try:
                    waiting = await self._say(root)
                    if self._tail_wait() == 0 and (printed.is_set() or deploy.outcome is not None):
                        printed.clear()
                        await self._tail(root, deploy)
                    if deploy.outcome is not None and not waiting and await self._finished(root, deploy):
                        return deploy.seq
                except Fault as fault:
                    if fault.trouble is Trouble.GONE and await self._canvas.removed(root):
                        continue
                    if fault.trouble in (Trouble.GONE, Trouble.SHAPE):
                        log.error("the thread of %s stays as it is: %s", deploy.id, fault)
                        return await over(self._canvas)
                    printed.set()
                    await self._patience.after(fault)
                    continue
                self._patience.good()
                await self._rest(changed, printed, waiting)

    async def _rest(self, changed: asyncio.Event, printed: asyncio.Event, waiting: float) -> None:
        """Until something is to be done: a change, output that may be painted, or the end of a pause."""
        pause = self._tail_wait()
        if pause > 0:
            await told_any((changed,), min(pause, waiting or LOOK_AGAIN))
        else:
            await told_any((changed, printed), waiting or LOOK_AGAIN)

    async def _say(self, root: Posting) -> float:
        """Post what was not said yet, in one message; seconds until the rest may be said, 0 when all is."""
        if not (pending := self._pending()):
            return 0.0
        now = asyncio.get_running_loop().time()
        pressing = any(said.mention for said in pending)
        if not pressing and now < self._said_at + TOGETHER:
            return self._said_at + TOGETHER - now
        await self._studio.budgets.outage.over()
        if any(said.kind in self._canvas.postings for said in pending):
            await self._recover(root)
        await self._turn(root)
        pending, deploy = self._pending(), self._canvas.latest  # more may be to say by now
        broadcast = deploy.outcome is Outcome.FAILED and deploy.plan.protected
        closing = [said for said in pending if said.kind == CLOSING]
        if broadcast and closing and len(pending) > 1:
            await self._together(root, [said for said in pending if said.kind != CLOSING], broadcast=False)
            await self._turn(root)
            pending = closing
        await self._together(root, pending, broadcast=broadcast and bool(closing))
        self._said_at = asyncio.get_running_loop().time()
        return 0.0

    def _pending(self) -> list[Said]:
        return [said for said in sayings(self._canvas.latest) if not self._is_said(said.kind)]

    async def _turn(self, root: Posting) -> None:
        """Wait until there may be another post in the channel."""
        await self._studio.budgets.post(root.channel, self._canvas.urgency())

    async def _recover(self, root: Posting) -> None:
        """What was posted, and nobody heard so."""
        for kind, ts in (await self._found(root)).items():
            posting = self._canvas.postings.get(kind)
            if posting is not None and not posting.ts:
                await self._canvas.posted(replace(posting, ts=ts))

    def _is_said(self, kind: str) -> bool:
        posting = self._canvas.postings.get(kind)
        return posting is not None and bool(posting.ts)

    async def _together(self, root: Posting, pending: list[Said], *, broadcast: bool) -> None:
        if not pending:
            return
        claims = [(await self._canvas.claim(said.kind, root.channel))[0] for said in pending]
        mention = self._canvas.latest.by.slack if any(said.mention for said in pending) else None
        message = lines_message([said.line for said in pending], about=about(self._canvas.latest), mention=mention)
        marked = mark(self._canvas.id, *(said.kind for said in pending))
        channel, ts = await self._studio.sender.post(root.channel, message, marked, thread=root.ts, broadcast=broadcast)
        for posting in claims:
            await self._canvas.posted(replace(posting, channel=channel, ts=ts))

    async def _found(self, root: Posting) -> dict[str, str]:
        return await self._studio.sender.find(root.channel, self._canvas.id, thread=root.ts)

    def _tail_wait(self) -> float:
        """Seconds until the tail may be painted again."""
        posting = self._canvas.postings.get(TAIL)
        if posting is None or not posting.ts:
            return 0.0
        return self._studio.budgets.pace.wait((posting.channel, posting.ts))

    async def _tail(self, root: Posting, deploy: Deploy) -> None:
        shown = await self._last_lines(deploy)
        posting = self._canvas.postings.get(TAIL)
        if shown is None or (posting is not None and posting.painted in (GONE, shown.digest)):
            return
        if posting is None or not posting.ts:
            await self._first_tail(root)
        else:
            await self._edit_tail(posting)

    async def _last_lines(self, deploy: Deploy) -> Message | None:
        pieces = await self._studio.shipmate.output(deploy.id, last=limits.TAIL_READ)
        title, text = output.tail(deploy, pieces)
        return tail_message(title, text, about=about(deploy)) if text else None

    async def _first_tail(self, root: Posting) -> None:
        await self._studio.budgets.outage.over()
        posting, new = await self._canvas.claim(TAIL, root.channel)
        ts, painted = (None if new else (await self._found(root)).get(TAIL)), ""
        if ts is None:
            await self._studio.budgets.post(root.channel, lambda: Rank.TAIL)
            shown = await self._last_lines(self._canvas.latest)
            assert shown is not None  # output only grows
            _, ts = await self._studio.sender.post(root.channel, shown, mark(self._canvas.id, TAIL), thread=root.ts)
            painted = shown.digest
        self._studio.budgets.pace.painted((root.channel, ts))
        await self._canvas.posted(replace(posting, ts=ts, painted=painted))

    async def _edit_tail(self, posting: Posting) -> None:
        where = (posting.channel, posting.ts)
        pace, edits = self._studio.budgets.pace, self._studio.budgets.edits
        await self._studio.budgets.outage.over()
        await edits.take(lambda: Rank.TAIL)
        shown = await self._last_lines(self._canvas.latest)
        if shown is None or shown.digest == posting.painted:
            edits.give_back()
            return
        try:
            await self._studio.sender.edit(*where, shown, mark(self._canvas.id, TAIL))
            painted = shown.digest
        except Fault as fault:
            if fault.trouble not in (Trouble.GONE, Trouble.FIXED):
                raise
            painted = GONE
        finally:
            pace.painted(where)
        await self._canvas.posted(replace(posting, painted=painted))

    async def _finished(self, root: Posting, deploy: Deploy) -> bool:
        """After the end: the tail shows the last lines, and the whole log is a file in the thread."""
        shown = await self._last_lines(deploy)
        posting = self._canvas.postings.get(TAIL)
        if shown is not None and (posting is None or posting.painted not in (GONE, shown.digest)):
            return False
        if shown is not None and not self._is_said(LOG):
            await self._attach_log(root, deploy)
        return True

    async def _attach_log(self, root: Posting, deploy: Deploy) -> None:
        await self._studio.budgets.outage.over()
        posting, new = await self._canvas.claim(LOG, root.channel)
        name = output.log_name(deploy)
        file = None if new else await self._studio.sender.find_file(root.channel, root.ts, name)
        if file is None:
            pieces = await self._studio.shipmate.output(deploy.id, last=limits.LOG_BYTES)
            title = f"The whole log of {about(deploy)}"
            try:
                file = await self._studio.sender.attach(
                    root.channel, root.ts, name, title, output.log_file(deploy, pieces)
                )
            except Fault as fault:
                self._uploads += 1
                if fault.trouble is Trouble.BUSY or (fault.trouble is Trouble.AWAY and self._uploads < UPLOADS):
                    raise
                file = await self._no_log(root, fault)
        await self._canvas.posted(replace(posting, ts=file))

    async def _no_log(self, root: Posting, fault: Fault) -> str:
        await self._studio.budgets.post(root.channel)
        message = lines_message(
            [f"The log could not be attached here: Slack says {fault}."], about=about(self._canvas.latest)
        )
        _, ts = await self._studio.sender.post(root.channel, message, mark(self._canvas.id, LOG), thread=root.ts)
        return ts
