"""What every method of the Web API works with, and how each finds the channel it was asked about."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.workspace.modals import Modals
from bot.workspace.seed import Channel, Seed
from bot.workspace.state import Message, State
from bot.workspace.triggers import Triggers
from bot.workspace.wire import Answer, ApiError, Args


@dataclass
class Desk:
    seed: Seed
    state: State
    triggers: Triggers
    modals: Modals
    base_url: Callable[[], str]
    ticket: Callable[[], str]

    def channel(self, args: Args, name: str = "channel") -> Channel:
        """By id alone, as most methods want it. Raises ApiError; private channels without the app are unknown to it."""
        given = str(args.get(name) or "")
        channel = self.state.channel(given)
        hidden = channel is not None and channel.private and not channel.bot_is_member and not channel.direct
        if channel is None or channel.id != given or hidden:
            raise ApiError("channel_not_found")
        return channel

    def place(self, args: Args, name: str = "channel") -> Channel:
        """Where to post: by id, by #name, or a person by id, which means their direct message."""
        given = str(args.get(name) or "")
        channel = self.state.channel(given)
        if channel is None or (channel.direct and given not in (channel.id, channel.id[1:])):
            raise ApiError("channel_not_found")
        channel = self.channel({"channel": channel.id})
        if not channel.bot_is_member and "chat:write.public" not in self.scopes:
            raise ApiError("not_in_channel")
        return channel

    def own_message(self, args: Args, refusal: str) -> tuple[Channel, Message]:
        """A message of the app's, to be changed. Raises ApiError: `refusal` when it is somebody else's."""
        channel = self.channel(args)
        message = self.state.find(channel.id, str(args.get("ts") or ""))
        if message is None:
            raise ApiError("message_not_found")
        if message.get("bot_id") != self.seed.app.bot_id:
            raise ApiError(refusal)
        return channel, message

    @property
    def scopes(self) -> list[str]:
        return self.seed.app.scopes.split(",")


@dataclass(frozen=True, kw_only=True)
class Method:
    """`scopes`: any one of them is enough; none for what every token may do."""

    run: Callable[[Desk, Args], Answer]
    scopes: tuple[str, ...] = ()
    app_token: bool = False
    open: bool = False  # needs no token at all
