"""What people do here: type, click. The same for the page, for tests in the process, and for tests outside of it."""

import html
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from bot.workspace import payloads
from bot.workspace.delivery import Deliverer, Delivery
from bot.workspace.limits import RESPONSE_URL_SECONDS, RESPONSE_URL_USES, TRIGGER_SECONDS
from bot.workspace.seed import Channel, Seed, User
from bot.workspace.state import Message, State


@dataclass
class ResponseUrl:
    channel: str
    user: str
    source: Message | None
    until: float
    uses: int = RESPONSE_URL_USES
    thread: str | None = None


@dataclass
class People:
    seed: Seed
    state: State
    deliverer: Deliverer
    base_url: Any
    triggers: dict[str, float] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    notices: list[dict[str, Any]] = field(default_factory=list)
    on_notice: Any = None

    def trigger(self) -> str:
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[trigger] = time.monotonic() + TRIGGER_SECONDS
        return trigger

    def use_trigger(self, trigger: str) -> str | None:
        """Why a trigger id is no good; None when it is, and then it is spent."""
        if trigger not in self.triggers:
            return "invalid_trigger_id"
        until = self.triggers[trigger]
        if until == 0:
            return "exchanged_trigger_id"
        self.triggers[trigger] = 0.0
        return None if time.monotonic() < until else "expired_trigger_id"

    def response_url(self, channel: Channel, user: User, source: Message | None = None) -> str:
        key = secrets.token_hex(12)
        until = time.monotonic() + RESPONSE_URL_SECONDS
        thread = source.get("thread_ts") if source else None
        self.response_urls[key] = ResponseUrl(
            channel=channel.id, user=user.id, source=source, until=until, thread=thread
        )
        return f"{self.base_url()}respond/{key}"

    async def send(self, user: User, channel: Channel, text: str, thread: str | None = None) -> None:
        """Whatever was typed into a composer."""
        text = text.strip()
        if not text:
            return
        if text.startswith("/"):
            await self.command(user, channel, text, thread)
        else:
            await self.say(user, channel, text, thread)

    async def command(self, user: User, channel: Channel, line: str, thread: str | None = None) -> None:
        command, _, text = line.partition(" ")
        if thread is not None:
            self.notice(user, channel, thread, f"{command} is not supported in threads. Sorry!")
            return
        if command not in [one.name for one in self.seed.app.commands]:
            self.notice(user, channel, None, f"{command} is not a valid command.")
            return
        payload = payloads.slash(
            self.seed,
            user,
            channel,
            command,
            html.escape(text, quote=False),
            trigger=self.trigger(),
            response_url=self.response_url(channel, user),
        )
        if not await self.deliverer.deliver(Delivery(kind="slash_commands", payload=payload, answerable=True)):
            self.notice(user, channel, None, f"{command} failed because the app did not respond")

    async def say(self, user: User, channel: Channel, text: str, thread: str | None = None) -> Message:
        bot = self.seed.app.bot_user
        escaped = re.sub(r"@shipmate\b", f"<@{bot}>", html.escape(text, quote=False))
        message: Message = {
            "client_msg_id": secrets.token_hex(16),
            "type": "message",
            "text": escaped,
            "user": user.id,
            "ts": self.state.new_ts(),
            "team": self.seed.team_id,
        }
        if thread:
            message["thread_ts"] = thread
        self.state.add(channel.id, message)
        inner = {**message, "channel": channel.id, "event_ts": message["ts"], "blocks": []}
        events = self.seed.app.events
        if channel.id.startswith("D") and "message.im" in events:
            await self._event({**inner, "channel_type": "im"})
        elif f"<@{bot}>" in escaped and "app_mention" in events and channel.bot_is_member:
            await self._event({**inner, "type": "app_mention"})
        elif "message.channels" in events and channel.bot_is_member:
            await self._event({**inner, "channel_type": "channel"})
        return message

    async def _event(self, inner: dict[str, Any]) -> None:
        await self.deliverer.deliver(Delivery(kind="events_api", payload=payloads.event(self.seed, inner)))

    def message(self, channel: Channel, ts: str, user: User, *, ephemeral: bool) -> Message | None:
        if ephemeral:
            mine = (m for m in self.state.ephemerals if m["ts"] == ts and m["_for"] == user.id)
            return next(mine, None)
        return self.state.find(channel.id, ts)

    async def click(self, user: User, channel: Channel, message: Message, block_id: str, action_id: str) -> bool:
        """True when the app acknowledged. Raises KeyError for a button that is not there."""
        action = payloads.pressed(message, block_id, action_id)
        if action is None:
            raise KeyError(f"no button {action_id} in that message")
        payload = payloads.click(
            self.seed,
            user,
            channel,
            message,
            action,
            trigger=self.trigger(),
            response_url=self.response_url(channel, user, message),
        )
        acked = await self.deliverer.deliver(Delivery(kind="interactive", payload=payload))
        if not acked:
            self.notice(user, channel, message.get("thread_ts"), "That button did not work: the app did not respond")
        return acked

    def notice(self, user: User, channel: Channel, thread: str | None, text: str) -> None:
        told = {"user": user.id, "channel": channel.id, "thread_ts": thread, "text": text}
        self.notices.append(told)
        if self.on_notice is not None:
            self.on_notice(told)

    def respond(self, key: str, body: dict[str, Any], of_bot: Message, content: dict[str, Any]) -> str | None:
        """An answer by response_url; why it is refused, or None."""
        url = self.response_urls.get(key)
        if url is None or time.monotonic() > url.until:
            return "expired_url"
        if url.uses <= 0:
            return "used_url"
        url.uses -= 1
        if body.get("delete_original") and url.source is not None:
            self._delete(url, url.source)
        elif body.get("replace_original") and url.source is not None:
            url.source.update(content)
            self.state.tell(url.channel, url.source, url.source.get("_for"))
        else:
            message = {**of_bot, "ts": self.state.new_ts(), **content}
            if url.thread or body.get("thread_ts"):
                message["thread_ts"] = str(body.get("thread_ts") or url.thread)
            if body.get("response_type") == "in_channel":
                self.state.add(url.channel, message)
            else:
                self.state.whisper(url.channel, url.user, message)
        return None

    def _delete(self, url: ResponseUrl, source: Message) -> None:
        if "_for" in source:
            self.state.ephemerals.remove(source)
            self.state.tell(url.channel, {"ts": source["ts"], "_deleted": True}, source["_for"])
        else:
            self.state.remove(url.channel, source["ts"])
