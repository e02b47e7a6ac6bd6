"""Deciding what was asked: which deploy a bare word is about."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.terminal.identity import NoSlack
from pipelines.domain.commands import Abort
from pipelines.domain.events import Place
from pipelines.domain.refusals import Accepted, Code, Refusal
from pipelines.storage.postings import Posting
from tests.support.domain import RAJ
from tests.support.front import opened

CARD = Posting(deploy="d1", kind="card", surface="slack", channel="C1")
THREAD = Place(surface="slack", channel="C1", thread="17.1")


async def test_a_bare_word_in_the_thread_of_a_message_that_is_not_known_yet_waits_for_it(tmp_path: Path) -> None:
    """Slack showed the message, and somebody was quick; where it is gets known a moment later."""
    async with opened(tmp_path) as front:
        front.doorman.real = NoSlack(lambda: front.config)
        await front.plan(deploy="d1")
        await front.shipmate.claim_posting(CARD)
        receipt = await front.shipmate.ask(Abort(), by=RAJ, place=THREAD, key="1")
        answer = asyncio.create_task(front.shipmate.answer(receipt.ask))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(answer), 0.5)
        await front.shipmate.posted(replace(CARD, ts="17.1"))
        assert await answer == Accepted(deploy="d1", done="abort")


async def test_a_bare_word_in_any_other_thread_is_about_no_deploy_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as front:
        front.doorman.real = NoSlack(lambda: front.config)
        await front.plan(deploy="d1")
        await front.shipmate.claim_posting(replace(CARD, ts="16.0"))
        receipt = await front.shipmate.ask(Abort(), by=RAJ, place=THREAD, key="1")
        refused = await front.shipmate.answer(receipt.ask)
        assert isinstance(refused, Refusal) and [gate.code for gate in refused.gates] == [Code.WHICH_DEPLOY]


async def test_a_bare_abort_of_somebody_elses_deploy_is_offered_never_guessed(tmp_path: Path) -> None:
    async with opened(tmp_path) as front:
        front.doorman.real = NoSlack(lambda: front.config)
        await front.plan(deploy="d1")
        receipt = await front.shipmate.ask(Abort(), by=RAJ, place=Place(surface="terminal"), key="1")
        refused = await front.shipmate.answer(receipt.ask)
        assert isinstance(refused, Refusal) and [gate.code for gate in refused.gates] == [Code.WHICH_DEPLOY]
        assert [offer.say for offer in refused.offers] == ["abort api staging"]
