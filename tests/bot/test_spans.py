"""A deploy as spans: each attempt of each step once, at the time at which it really was."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.spans import spans
from pipelines.domain.events import Outcome, Progress, StepEnded, StepStarted
from pipelines.storage.journal import of_deploy
from tests.support.front import Front, opened


@pytest.fixture
async def front(tmp_path: Path, database_url: str) -> AsyncIterator[Front]:
    async with opened(tmp_path, database_url) as front:
        yield front


async def test_a_deploy_is_one_span_and_each_attempt_of_a_step_another(front: Front) -> None:
    await front.ship("v1.3", deploy="d0")
    planned = await front.plan(deploy="d1")
    step = planned.plan.steps[0]
    await front.start(planned)
    await front.end(planned, Progress.FAILED, why="exited 1")
    await front.append("d1", StepStarted(deploy="d1", step=step.id, attempt=2))
    really = planned.at + timedelta(minutes=3)
    ended = StepEnded(deploy="d1", step=step.id, attempt=2, progress=Progress.OK, ended=really)
    await front.append("d1", ended)
    closed = await front.close(planned, Outcome.FAILED, "after failed")
    journal = await front.database.read(lambda session: of_deploy(session, closed))
    assert {getattr(event, "deploy", "") for _, event in journal} == {"d1"}
    whole, first, second = spans(closed, journal)
    assert (whole.name, whole.start, whole.end, whole.good) == ("deploy", planned.at, closed.ended, False)
    facts = {"shipmate.deploy": "d1", "shipmate.outcome": "failed", "shipmate.by": "ana", "shipmate.version": "v1.4"}
    assert whole.facts.items() >= facts.items()
    assert [(span.name, span.good, span.facts["shipmate.attempt"]) for span in (first, second)] == [
        ("install on staging", False, 1),
        ("install on staging", True, 2),
    ]
    assert second.end == really and first.start <= first.end <= second.start
