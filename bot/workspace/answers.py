"""Answer addresses (`response_url`): five answers within 30 minutes to what one person did, wherever that was."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.workspace.content import content, of_the_app, threaded
from bot.workspace.limits import RESPONSE_URL_SECONDS, RESPONSE_URL_USES
from bot.workspace.seed import Channel, Seed, User
from bot.workspace.state import KEPT_ANSWERS, Message, State
from bot.workspace.wire import ApiError, Args, flag


class Gone(Exception):  # noqa: N818 (a fact about the address, not a fault)
    """The address is used up, or was never given. The message is Slack's word for it."""


@dataclass
class Answers:
    seed: Seed
    state: State
    base_url: Callable[[], str]

    def open(self, channel: Channel, user: User, source: Message | None = None) -> str:
        """A new address; `source` is the message that was clicked."""
        key = secrets.token_hex(12)
        self.state.kept.answers[key] = {
            "channel": channel.id,
            "user": user.id,
            "source": source["ts"] if source else None,
            "until": time.time() + RESPONSE_URL_SECONDS,
            "uses": RESPONSE_URL_USES,
        }
        for old in list(self.state.kept.answers)[:-KEPT_ANSWERS]:
            del self.state.kept.answers[old]
        self.state.save_soon()
        return f"{self.base_url()}respond/{key}"

    def take(self, key: str, body: Args) -> None:
        """Do what was answered. Raises Gone, or ApiError when the answer is not fit (it is not counted then)."""
        given = self.state.kept.answers.get(key)
        if given is None or time.time() > given["until"]:
            raise Gone("expired_url")
        if given["uses"] <= 0:
            raise Gone("used_url")
        self.say(given, body)
        given["uses"] -= 1

    def say(self, given: dict[str, Any], body: Args) -> None:
        """An answer that came by the address, or with the acknowledgement itself."""
        source = self._source(given)
        if flag(body.get("delete_original")):
            if source is None:
                raise ApiError("message_not_found")
            self.state.remove(given["channel"], source)
        elif flag(body.get("replace_original")) and source is not None:
            self._replace(given["channel"], source, content(body))
        else:
            self._post(given, body)

    def _source(self, given: dict[str, Any]) -> Message | None:
        if given["source"] is None:
            return None
        mine = self.state.find_ephemeral(given["user"], given["source"])
        return mine or self.state.find(given["channel"], given["source"])

    def _replace(self, channel: str, source: Message, fresh: dict[str, Any]) -> None:
        source.pop("blocks", None)
        source.update(fresh)
        self.state.tell(channel, source, source.get("_for"))

    def _post(self, given: dict[str, Any], body: Args) -> None:
        message = {**of_the_app(self.seed, self.state.new_ts()), **content(body)}
        if body.get("response_type") == "in_channel":
            self.state.add(given["channel"], message | threaded(self.state, given["channel"], body))
        else:
            self.state.whisper(given["channel"], given["user"], message | self._beside(given))

    def _beside(self, given: dict[str, Any]) -> dict[str, Any]:
        """A private answer to a click in a thread stands in that thread."""
        source = self._source(given)
        return (
            {"thread_ts": source["thread_ts"]} if source and source.get("thread_ts") not in (None, source["ts"]) else {}
        )
