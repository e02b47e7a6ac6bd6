"""What people do here: type, click. The same for the page, for tests in the process, and for tests outside of it."""

import html
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.workspace import payloads, used
from bot.workspace.answers import Answers
from bot.workspace.content import shown
from bot.workspace.delivery import Deliverer
from bot.workspace.forms import Forms
from bot.workspace.payloads import Delivery
from bot.workspace.seed import Channel, Seed, User
from bot.workspace.sheet import FIELDS, Sheets
from bot.workspace.state import Message, NotThereError, State
from bot.workspace.triggers import Triggers
from bot.workspace.wire import ApiError

NOTICES = 500
NAMED = re.compile(r"(?<![\w<])([@#])([\w.-]*\w)")


@dataclass
class People:
    """`forms`: what they do in modals. `on_notice` is told what one person alone must see: user, channel, thread_ts,
    text. `on_joined`: the app came into a channel."""

    seed: Seed
    state: State
    deliverer: Deliverer
    base_url: Callable[[], str]
    answers: Answers
    triggers: Triggers
    forms: Forms
    on_notice: Callable[[dict[str, Any]], None]
    on_joined: Callable[[], None]
    notices: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=NOTICES))
    sheets: Sheets = field(default_factory=Sheets)

    async def send(self, user: User, channel: Channel, text: str, thread: str | None = None) -> None:
        """Whatever was typed into a composer."""
        text = text.strip()
        if text.startswith("/"):
            await self.command(user, channel, text, thread)
        elif text:
            await self.say(user, channel, text, thread)

    async def command(self, user: User, channel: Channel, line: str, thread: str | None = None) -> None:
        command, _, text = line.partition(" ")
        if command == "/invite" and text.strip() == f"@{self.seed.app.name}":
            self._invite(user, channel)
            return
        if command not in [one.name for one in self.seed.app.commands]:
            self.notice(user, channel, thread, f"{command} is not a valid command.")
            return
        if thread is not None:
            self.notice(user, channel, thread, f"{command} is not supported in threads. Sorry!")
            return
        url = self.answers.open(channel, user)
        words = self._escaped(text, named=True)
        payload = payloads.slash(
            self.seed, user, channel, command, words, trigger=self.triggers.new(user.id), response_url=url
        )
        acked = await self.deliverer.deliver(Delivery(kind="slash_commands", payload=payload, answerable=True))
        if acked is None:
            self.notice(user, channel, None, f"{command} failed because the app did not respond")
        elif acked.get("text") or acked.get("blocks"):
            self._answered(user, channel, acked)

    def _invite(self, user: User, channel: Channel) -> None:
        """The one command of the workspace itself: it brings the app into a channel."""
        self.state.join(channel)
        self.on_joined()
        self.notice(user, channel, None, f"@{self.seed.app.name} is in #{channel.name} now")

    def _answered(self, user: User, channel: Channel, acked: dict[str, Any]) -> None:
        """The acknowledgement itself carried an answer."""
        try:
            self.answers.say({"channel": channel.id, "user": user.id, "source": None}, acked)
        except ApiError as error:
            self.notice(user, channel, None, f"The app's answer could not be shown: {error}")

    async def say(self, user: User, channel: Channel, text: str, thread: str | None = None) -> Message:
        words = self._escaped(text, named=False)
        message: Message = payloads.typed(self.seed, user, channel, words, self.state.new_ts())
        if thread is not None:
            root = self.state.find(channel.id, thread)
            if root is None:
                raise NotThereError("That thread is gone.")
            message |= {"thread_ts": thread, "parent_user_id": root.get("user", "")}
        self.state.add(channel.id, message)
        inner = {**message, "channel": channel.id, "event_ts": message["ts"]}
        for event in self._events(channel, words):
            told = payloads.event(self.seed, {**inner, **event})
            await self.deliverer.deliver(Delivery(kind="events_api", payload=told))
        return message

    def _events(self, channel: Channel, words: str) -> list[dict[str, str]]:
        """What a message means to the app: only what it subscribed to, where it is. A direct message is no mention."""
        asked = self.seed.app.events
        if channel.direct:
            return [{"channel_type": "im"}] if "message.im" in asked else []
        if not channel.bot_is_member:
            return []
        mentioned = f"<@{self.seed.app.bot_user}>" in words and "app_mention" in asked
        name, kind = ("message.groups", "group") if channel.private else ("message.channels", "channel")
        heard = [{"channel_type": kind}] if name in asked else []
        return heard + ([{"type": "app_mention"}] if mentioned else [])

    def _escaped(self, text: str, *, named: bool) -> str:
        """As Slack sends it: `&<>` escaped, people and channels by their ids (`named`: with the name beside it)."""

        def by_id(found: re.Match[str]) -> str:
            mark, name = found.groups()
            if mark == "@" and name == self.seed.app.name:
                ident: str | None = self.seed.app.bot_user
            elif mark == "@":
                user = next((one for one in self.seed.users if one.name == name), None)
                ident = user.id if user else None
            else:
                ident = next((one.id for one in self.seed.channels if one.name == name), None)
            beside = f"|{name}" if named or mark == "#" else ""
            return f"<{mark}{ident}{beside}>" if ident else found.group()

        return NAMED.sub(by_id, html.escape(text, quote=False))

    def message(self, channel: Channel, ts: str, user: User, *, ephemeral: bool) -> Message | None:
        return self.state.find_ephemeral(user.id, ts) if ephemeral else self.state.find(channel.id, ts)

    async def click(
        self,
        user: User,
        channel: Channel,
        message: Message,
        place: tuple[str, str],
        given: Any = None,
    ) -> bool:
        """Use the element at `place` (block id, action id); `given`: the option, or options, selected in it. True when
        the app acknowledged. Raises NotThereError for one that is not there (any more)."""
        element = used.at(message.get("blocks"), *place)
        if element is None:
            raise NotThereError("That button is gone.")
        sheet = self.sheets.of(user.id, message)
        fills = element["type"] in FIELDS
        chosen = sheet.fill(element, place[0], given) if fills else used.picked(element, given)
        payload = payloads.click(
            self.seed,
            user,
            channel,
            shown(self.state, message, self.base_url()),
            used.described(element, place[0], chosen),
            values=sheet.told(),
            ephemeral="_for" in message,
            trigger=self.triggers.new(user.id),
            response_url=self.answers.open(channel, user, message),
        )
        acked = await self.deliverer.deliver(Delivery(kind="interactive", payload=payload))
        if acked is None:
            thread = message.get("thread_ts")
            thread = None if thread == message["ts"] else thread
            self.notice(user, channel, thread, "That button did not work: the app did not respond")
        return acked is not None

    async def search(
        self, user: User, channel: Channel, message: Message, place: tuple[str, str], typed: str
    ) -> dict[str, Any]:
        """As `Searches.ask`, in a select of a message."""
        private = "_for" in message
        where = {"container": payloads.container(channel, message, ephemeral=private)}
        where["channel"] = {"id": channel.id, "name": payloads.channel_name(channel)}
        if not private:
            where["message"] = shown(self.state, message, self.base_url())
        element = used.at(message.get("blocks"), *place)
        sheet = self.sheets.of(user.id, message)
        return await self.forms.searches.ask(user, typed, element=element, block_id=place[0], where=where, sheet=sheet)

    def notice(self, user: User, channel: Channel, thread: str | None, text: str) -> None:
        told = {"user": user.id, "channel": channel.id, "thread_ts": thread, "text": text}
        self.notices.append(told)
        self.on_notice(told)
