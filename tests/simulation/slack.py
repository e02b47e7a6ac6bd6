"""Slack in simulated time: the local workspace's own Web API without its server, behind a wire that is not to be
trusted. Which calls meet which fate is drawn; whatever stood in a message once may still be clicked later."""

import asyncio
import copy
import json
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import aiohttp

from bot.workspace import default_seed
from bot.workspace.answers import Answers, Gone
from bot.workspace.desk import Desk
from bot.workspace.files import Files
from bot.workspace.modals import Modals
from bot.workspace.seed import Channel, User
from bot.workspace.state import Message, State
from bot.workspace.triggers import Triggers
from bot.workspace.web_api import METHODS
from bot.workspace.wire import ApiError
from handlers.slack.api import Client
from handlers.slack.budget import Budgets
from tests.simulation.agenda import Agenda
from tests.simulation.chance import Chance, Mix
from tests.simulation.loop import SimulatedLoop
from tests.support.fates import Fate

Answer = tuple[int, dict[str, Any]]  # HTTP's status, and what Slack says
ADDRESS = "https://slack.example/"
RESPOND = "response_url"
UPLOAD = "upload"
BAD = {Fate.BUSY: 2.0, Fate.ILL: 1.0, Fate.UNHEARD: 1.0, Fate.LOST: 2.0, Fate.SILENT: 0.5}
AWAY = {Fate.BUSY: 1.0, Fate.ILL: 1.0, Fate.UNHEARD: 1.0}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A message as somebody saw it; `only` is who alone did."""

    channel: Channel
    message: Message
    only: User | None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call on its way."""

    loop: SimulatedLoop
    waiting: "asyncio.Future[Answer]"
    method: str
    args: dict[str, Any]
    fate: Fate
    sent: float


class ClockedState(State):
    """Messages are named by simulated time."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(default_seed(), None)
        self._clock = clock
        self.files = NumberedFiles(None)

    def new_ts(self) -> str:
        now = int(self._clock().timestamp() * 1_000_000)
        self.kept.last_ts = max(now, self.kept.last_ts + 1)
        return f"{self.kept.last_ts // 1_000_000}.{self.kept.last_ts % 1_000_000:06d}"


class NumberedFiles(Files):
    def announce(self, name: str, size: int) -> str:
        drawn = super().announce(name, size)
        file = f"F{len(self.known):04d}"
        self.known[file] = self.known.pop(drawn) | {"id": file}
        return file


class SimulatedSlack:
    """`note` is told of each change that Slack made. `lost` counts the posts about a deploy whose answers never
    arrived: as many may be there twice."""

    def __init__(self, agenda: Agenda, chance: Chance, mix: Mix, *, clock: Callable[[], datetime]) -> None:
        self.away = False
        self.healed = False
        self.fated: Fate | None = None  # the next call's, where it is not drawn
        self.lost: Counter[str] = Counter()
        self.sent: dict[str, float] = {}  # when what stands under a ts was sent
        self.shown: list[Shown] = []
        self.removed: set[str] = set()  # deploys of which somebody removed a message
        self.bereft: set[str] = set()  # deploys that still ran when somebody removed the message of theirs
        self.note: Callable[[str], None] = lambda _line: None
        self._agenda, self._chance, self._mix = agenda, chance, mix
        self.state = ClockedState(clock)
        self.state.changed.append(self._changed)
        self.seed = self.state.seed
        self._answers = Answers(seed=self.seed, state=self.state, base_url=lambda: ADDRESS)
        self._desk = Desk(
            seed=self.seed,
            state=self.state,
            triggers=Triggers(),
            modals=Modals(self.seed),
            base_url=lambda: ADDRESS,
            ticket=lambda: "",
        )

    def _changed(self, channel: str, message: Message, user: str | None) -> None:
        where = self.state.channel(channel)
        if where is not None and any(block["type"] == "actions" for block in message.get("blocks") or ()):
            only = self.state.user(user)
            self.shown.append(Shown(channel=where, message=copy.deepcopy(message), only=only))

    def remove_one(self, running: Collection[str]) -> None:
        """Somebody who may do that removes a message of the bot's; `running` are the deploys that are not over."""
        found = [(channel, one) for channel in self.state.kept.messages for one in self.state.in_channel(channel)]
        if found:
            channel, message = self._chance.one_of(found)
            self.note(f"somebody removes {message['text'][:60]!r}")
            self.state.remove(channel, message)
            deploy = _deploy_of(message)
            self.removed.add(deploy)
            if deploy in running and "card" in _kinds_of(message):
                self.bereft.add(deploy)

    def address(self, channel: Channel, user: User, message: Message | None = None) -> str:
        """A new response_url."""
        drawn = self._answers.open(channel, user, message).rsplit("/", 1)[1]
        key = f"r{len(self.state.kept.answers)}"
        self.state.kept.answers[key] = self.state.kept.answers.pop(drawn)
        return f"{ADDRESS}respond/{key}"

    def call(self, method: str, args: dict[str, Any]) -> Answer:
        """What Slack does and says when it is well."""
        try:
            if method == UPLOAD:
                self.state.files.keep(args["file"], args["data"])
                return 200, {"ok": True}
            if method.startswith(RESPOND):
                self._answers.take(args["key"], args["body"])
                return 200, {"ok": True}
            return 200, {"ok": True, **METHODS[method].run(self._desk, args)}
        except Gone as gone:
            return 404, {"ok": False, "error": str(gone)}
        except ApiError as error:
            return 200, error.answer

    async def carry(self, loop: SimulatedLoop, method: str, args: dict[str, Any]) -> Answer:
        """A call from a bot, over the wire. Raises aiohttp.ClientError; or nothing ever comes back."""
        kept = args if method == UPLOAD else json.loads(json.dumps(args))
        call = Call(
            loop=loop, waiting=loop.waiting(), method=method, args=kept, fate=self._fate(), sent=self._agenda.now
        )
        done = call.fate in (Fate.WELL, Fate.LOST) or (call.fate is Fate.SILENT and self._chance.likely(0.5))
        self._agenda.after(self._latency(), partial(self._arrived if done else self._failed, call))
        answer: Answer = await call.waiting
        return answer

    def _fate(self) -> Fate:
        if self.fated is not None:
            fate, self.fated = self.fated, None
            return fate
        if self.healed:
            return Fate.WELL
        if self.away:
            return self._chance.weighted(AWAY)
        return self._chance.weighted(BAD) if self._chance.likely(self._mix.slack) else Fate.WELL

    def _latency(self) -> float:
        return self._chance.between(0.02, 0.2) if self._chance.likely(0.97) else self._chance.between(0.2, 4.0)

    def _arrived(self, call: Call) -> None:
        status, answer = self.call(call.method, call.args)
        if call.method == "chat.postMessage" and answer["ok"]:
            self.sent[answer["ts"]] = call.sent
        self._tell(call, answer)
        self._agenda.after(self._latency(), partial(self._answered, call, (status, answer)))

    def _answered(self, call: Call, answer: Answer) -> None:
        heard = False
        if call.fate is Fate.WELL:
            heard = call.loop.reply(call.waiting, answer)
        elif call.fate is Fate.LOST:
            call.loop.reply(call.waiting, reset())
        if not heard and call.method in ("chat.postMessage", "files.completeUploadExternal"):
            self.lost[_deploy_of(call.args)] += 1

    def _failed(self, call: Call) -> None:
        self.note(f"slack      {call.method} {call.fate}")
        match call.fate:
            case Fate.BUSY:
                wait = self._chance.one_of(["1", "3", "30", "", "soon"])
                call.loop.reply(call.waiting, (429, {"ok": False, "error": "ratelimited", "wait": wait}))
            case Fate.ILL:
                call.loop.reply(call.waiting, (503, {"ok": False, "error": "service_unavailable"}))
            case Fate.UNHEARD:
                call.loop.reply(call.waiting, reset())
            case _:
                """Nothing ever comes back."""

    def _tell(self, call: Call, answer: dict[str, Any]) -> None:
        if call.method.startswith(("conversations", "users", "auth", "usergroups")):
            return
        args, fated = call.args, "" if call.fate is Fate.WELL else f", {call.fate}"
        text = str(args.get("text") or args.get("body", {}).get("text") or "")[:70]
        marked = args.get("metadata", {}).get("event_payload", {})
        no = "" if answer["ok"] else f", no: {answer['error']}"
        self.note(f"slack      {call.method} {marked.get('deploy', '')} {marked.get('kinds', '')} {text!r}{fated}{no}")


def reset() -> aiohttp.ClientError:
    return aiohttp.ClientConnectionError("the connection was reset")


def _deploy_of(args: dict[str, Any]) -> str:
    return str(args.get("metadata", {}).get("event_payload", {}).get("deploy", ""))


def _kinds_of(args: dict[str, Any]) -> list[str]:
    return str(args.get("metadata", {}).get("event_payload", {}).get("kinds", "")).split(",")


class SimulatedWeb(Client):
    """The product's own client, of one process; only what goes over the wire is simulated."""

    def __init__(self, slack: SimulatedSlack, loop: SimulatedLoop, *, budgets: Budgets, patient: bool) -> None:
        super().__init__(token="xoxb-simulated", base_url=ADDRESS, budgets=budgets, patient=patient)
        self.proxy = None
        self._slack = slack
        self._loop = loop

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        args: dict[str, Any] = {}
        for name in ("params", "data", "json"):
            args |= req_args.get(name) or {}
        status, answer = await self._slack.carry(self._loop, api_url.rsplit("/", 1)[1], args)
        wait = answer.pop("wait", "")
        return {"data": answer, "headers": {"Retry-After": wait} if wait else {}, "status_code": status}

    async def _upload_file(self, *, url: str, data: bytes, **_more: Any) -> Any:
        file = url.rsplit("/", 1)[1]
        async with asyncio.timeout(self.timeout):
            status, _ = await self._slack.carry(self._loop, UPLOAD, {"file": file, "data": data})
        return SimpleNamespace(status=status, body="")


class SimulatedSession:
    """As much of aiohttp's session as answers to one person take."""

    def __init__(self, slack: SimulatedSlack, loop: SimulatedLoop) -> None:
        self._slack = slack
        self._loop = loop

    @classmethod
    def of(cls, slack: SimulatedSlack, loop: SimulatedLoop) -> aiohttp.ClientSession:
        return cast(aiohttp.ClientSession, cls(slack, loop))

    def post(self, url: str, *, json: dict[str, Any], **_more: Any) -> "Posting":
        return Posting(self._slack, self._loop, url, json)


class Posting:
    def __init__(self, slack: SimulatedSlack, loop: SimulatedLoop, url: str, body: dict[str, Any]) -> None:
        self._call = (loop, RESPOND, {"key": url.rsplit("/", 1)[1], "body": body})
        self._slack = slack

    async def __aenter__(self) -> SimpleNamespace:
        status, answer = await self._slack.carry(*self._call)
        return SimpleNamespace(status=status, headers={"Retry-After": answer.get("wait", "")})

    async def __aexit__(self, *_: object) -> None: ...
