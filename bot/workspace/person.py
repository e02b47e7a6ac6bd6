"""One person at work, for tests: types and clicks by name and label, where the page does it by ids."""

from dataclasses import dataclass
from typing import Any

from bot.workspace import used
from bot.workspace.options import Option, flat
from bot.workspace.people import People
from bot.workspace.person_at_modal import PersonAtModal
from bot.workspace.seed import Channel
from bot.workspace.state import Message


@dataclass(frozen=True, kw_only=True)
class PersonAtWork(PersonAtModal):
    """Channels are named `#deploys`; a person's own direct message with the app is `@shipmate` (the app's name). Each
    method returns when the app has acknowledged, or failed to. Raises KeyError for what is not there."""

    people: People

    async def command(self, channel: str, command: str, text: str = "", thread_ts: str | None = None) -> None:
        await self.people.command(self.user, self._channel(channel), f"{command} {text}".rstrip(), thread_ts)

    async def say(self, channel: str, text: str, thread_ts: str | None = None) -> Message:
        return await self.people.say(self.user, self._channel(channel), text, thread_ts)

    async def click(self, message: Message, label: str, channel: str | None = None) -> bool:
        """Click the first button whose text begins with `label`. True when it was acknowledged."""
        ids = used.labelled(message, label)
        if ids is None:
            raise KeyError(f"no button {label!r} in: {message.get('text')}")
        where = self._where(message, channel)
        return await self.people.click(self.user, where, message, ids)

    async def choose(self, message: Message, action_id: str, value: str) -> bool:
        """Select an option, by its value, in the first select or menu of that action id."""
        place = self._place(message, action_id)
        return await self.people.click(self.user, self._where(message), message, place, {"value": value})

    async def search_in(self, message: Message, action_id: str, typed: str) -> list[Option]:
        """As `search`, in a select of a message."""
        place = self._place(message, action_id)
        return flat(await self.people.search(self.user, self._where(message), message, place, typed))

    async def click_at(self, channel: str, ts: str, label: str, *, ephemeral: bool = False) -> bool:
        return await self.click(self._message(channel, ts, ephemeral=ephemeral), label, channel)

    async def do(self, said: dict[str, Any]) -> dict[str, Any]:
        """The same by name, as JSON: `channel` and one of `command` (with `text`), `click`, `choose` (with `option`) or
        `search` (with `text`; all three with `ts`), or `say`. Without a channel: what is done in a modal."""
        if "channel" not in said:
            return await self.do_in_modal(said)
        channel, thread = str(said["channel"]), said.get("thread_ts")
        if "command" in said:
            await self.command(channel, str(said["command"]), str(said.get("text", "")), thread)
            return {}
        if "ts" in said:
            return await self._do_at(
                self._message(channel, str(said["ts"]), ephemeral=bool(said.get("ephemeral"))), said
            )
        message = await self.say(channel, str(said.get("say") or said["text"]), thread)
        return {"ts": message["ts"]}

    async def _do_at(self, message: Message, said: dict[str, Any]) -> dict[str, Any]:
        if "search" in said:
            return {"options": await self.search_in(message, str(said["search"]), str(said.get("text", "")))}
        if "choose" in said:
            return {"acked": await self.choose(message, str(said["choose"]), str(said["option"]))}
        return {"acked": await self.click(message, str(said["click"]), str(said["channel"]))}

    def _place(self, message: Message, action_id: str) -> tuple[str, str]:
        for block_id, element in used.elements(message.get("blocks")):
            if element.get("action_id") == action_id:
                return block_id, action_id
        raise KeyError(f"no {action_id} in: {message.get('text')}")

    def _message(self, channel: str, ts: str, *, ephemeral: bool) -> Message:
        message = self.people.message(self._channel(channel), ts, self.user, ephemeral=ephemeral)
        if message is None:
            raise KeyError(f"no message {ts} in {channel}")
        return message

    def _where(self, message: Message, channel: str | None = None) -> Channel:
        found = channel or self.people.state.where(message)
        if found is None:
            raise KeyError(f"no channel holds the message {message['ts']}")
        return self._channel(found)

    def _channel(self, given: str) -> Channel:
        own = given == f"@{self.people.seed.app.name}"
        channel = self.people.state.channel(f"D{self.user.id}" if own else given)
        if channel is None:
            raise KeyError(f"no channel {given}")
        return channel
