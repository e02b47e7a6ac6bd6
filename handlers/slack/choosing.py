"""Choosing in a form: it is opened, its selects are filled as somebody types, and what it gives is asked for."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.chat import words
from handlers.slack import arrivals
from handlers.slack.answers import Answers
from handlers.slack.api import Fault, call
from handlers.slack.arrivals import Arrival, Body
from handlers.slack.form import ENVIRONMENT, SERVICE, VERSION, Opened, chosen, fields_of, form, options, version_block
from handlers.slack.workspace import Workspace
from pipelines.domain.commands import Choose, Deploy
from pipelines.domain.events import Place
from pipelines.domain.refusals import Code, Refusal, refuse
from pipelines.shipmate import RestartingError, Shipmate, away, noted

log = logging.getLogger(__name__)

FIRST_FETCH = 2.0  # seconds that the versions of a repository nobody fetched yet are waited for
SUBMIT_SECONDS = 2.2  # Slack gives three to a form

Errors = dict[str, str]


class Choosing:
    def __init__(
        self,
        shipmate: Shipmate,
        web: AsyncWebClient,
        workspace: Workspace,
        *,
        answers: Answers,
        clock: Callable[[], datetime],
    ) -> None:
        self._shipmate = shipmate
        self._web = web
        self._workspace = workspace
        self._answers = answers
        self._clock = clock
        self._fetching: dict[str, asyncio.Task[None]] = {}

    async def open(self, wanted: Choose, arrival: Arrival) -> bool:
        """Open the form; False where there is nothing to open it with, nothing to choose, or Slack does not."""
        config = self._shipmate.config
        if arrival.trigger is None or not config.services or not config.environments:
            return False
        service = wanted.service or (next(iter(config.services)) if len(config.services) == 1 else None)
        if service is not None and service not in config.services:
            return False
        opened = Opened(service=service, channel=arrival.place.channel, thread=arrival.place.thread)
        if service is not None:
            self._fetch(service)
        try:
            await call(self._web.views_open(trigger_id=arrival.trigger, view=form(opened, config)))
        except Fault as fault:
            log.info("the form was not opened: %s", fault)
            return False
        return True

    def _fetch(self, service: str) -> None:
        if service not in self._fetching:
            task = asyncio.create_task(self._shipmate.refresh(service))
            self._fetching[service] = task
            task.add_done_callback(lambda _: self._fetching.pop(service, None))

    async def suggest(self, body: Body) -> list[dict[str, Any]]:
        """The options that fit what was typed into a select of the form."""
        typed = str(body.get("value") or "")
        if body.get("action_id") == SERVICE:
            return options(name for name in await self._shipmate.services() if typed.strip().casefold() in name)
        service = Opened.of(body.get("view") or {}).service
        services = [service] if service else list(self._shipmate.config.services)
        return options([name for one in services for name in await self._versions(one, typed)])

    async def _versions(self, service: str, typed: str) -> list[str]:
        found = await self._shipmate.versions(service, typed)
        fetching = self._fetching.get(service)
        if not found and fetching is not None:
            await asyncio.wait({fetching}, timeout=FIRST_FETCH)
            found = await self._shipmate.versions(service, typed)
        return [name.text for name in found]

    async def changed(self, body: Body) -> None:
        """Another service was chosen: the versions to choose from are its own from now on."""
        view = body.get("view") or {}
        service = str((body["actions"][0].get("selected_option") or {}).get("value") or "") or None
        opened = Opened.of(view)
        if service is None or service not in self._shipmate.config.services or service == opened.service:
            return
        self._fetch(service)
        fresh = form(Opened(service=service, channel=opened.channel, thread=opened.thread), self._shipmate.config)
        try:
            await call(self._web.views_update(view_id=str(view["id"]), hash=view.get("hash"), view=fresh))
        except Fault as fault:
            log.info("the form was not changed: %s", fault)

    async def submitted(self, body: Body) -> Errors:
        """Ask for what was chosen; what is wrong with it, by field, where that is known in time. Else it is answered
        as if it had been typed."""
        view = body["view"]
        picked, opened = chosen(view), Opened.of(view)
        if missing := self._missing(picked, opened):
            return missing
        place = Place(surface="slack", channel=opened.channel, thread=opened.thread)
        once = body.get("trigger_id") or f"{view.get('id')}-{view.get('hash')}"
        key = f"slack-form-{once}"
        command = Deploy(service=picked[SERVICE], version=picked[VERSION], environment=picked[ENVIRONMENT])
        with self._answers.held(key):
            try:
                by = arrivals.user(body, self._workspace)
                receipt = await self._shipmate.ask(command, by=by, place=place, key=key)
            except RestartingError:
                return {ENVIRONMENT: words.RESTARTING}
            except Exception as error:
                if away(error):
                    raise
                broken = refuse(Code.BROKEN, id=noted(log, "taking a form", error))
                return {ENVIRONMENT: " ".join(words.sentences(broken, self._clock()))}
            try:
                async with asyncio.timeout(SUBMIT_SECONDS):
                    answer = await self._shipmate.answer(receipt.ask)
            except TimeoutError:
                return {}
            if not isinstance(answer, Refusal):
                return {}
            await self._shipmate.answered(receipt.ask)
        told = zip(answer.gates, words.sentences(answer, self._clock()), strict=True)
        return fields_of(told, opened.service)

    def _missing(self, picked: Mapping[str, str], opened: Opened) -> Errors:
        blocks = {SERVICE: SERVICE, VERSION: version_block(opened.service), ENVIRONMENT: ENVIRONMENT}
        return {block: f"Choose {name} first." for name, block in blocks.items() if name not in picked}
