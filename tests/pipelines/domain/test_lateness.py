"""What could have been started long ago is not started unasked: when that is so, what is asked, and what answers it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.commands import Abort, Answer, Button, Command, Deploy, Rollback
from pipelines.domain.deploy import Deploy as DeployState
from pipelines.domain.events import Held, Outcome, Progress, WentOn
from pipelines.domain.lateness import LATE, missed
from pipelines.domain.plan import How
from pipelines.domain.recipe import OnLost, Recipe, Script
from pipelines.domain.refusals import Code, Refusal
from pipelines.domain.stepwork import Work
from tests.pipelines.domain.test_plans import FULL, recipes
from tests.support.domain import NOON, RAJ, ask, facts, knowing
from tests.support.walking import Walk, failing, well

TWO = ("stg-1", "stg-2")
PLAIN = Recipe(deploy=Script(run="deploy/install.sh"), before=(Script(run="deploy/before.sh"),))
MINUTE = timedelta(minutes=1)


def begun(recipe: Recipe = PLAIN) -> Walk:
    """A deploy whose first script runs."""
    some = Walk(facts=facts(recipe=recipe, staging=TWO))
    some.ask()
    some.act("d1")
    return some


def in_the_middle(label: str) -> Walk:
    """A deploy of which the step with this label runs."""
    some = Walk(facts=facts(recipe=FULL, staging=("a", "b", "c")))
    some.ask()
    while some.act("d1") and all(step.label != label for step, _ in some.deploy.going()):
        for step, _ in list(some.deploy.going()):
            some.now += timedelta(seconds=1)
            some.end("d1", step, Progress.OK)
    return some


def away(some: Walk, minutes: float, *, ended: float = 0.0, how: Progress = Progress.OK) -> DeployState:
    """Nobody is there for so long; the script that runs ends after `ended` minutes of it."""
    began = some.now
    some.now += timedelta(minutes=minutes)
    for step, _ in list(some.deploy.going()):
        some.end("d1", step, how, ended=began + timedelta(minutes=ended))
    some.act("d1")
    return some.deploy


def say(some: Walk, command: Command, **more: object) -> object:
    return some.ask(ask(command), replace(some.facts, **more))  # type: ignore[arg-type]


def go_on(**more: object) -> Answer:
    return Answer(choice="go_on", service="api", environment="staging", **more)  # type: ignore[arg-type]


def starts(some: Walk) -> int:
    return len(some.started)


def test_a_step_that_could_have_begun_long_ago_is_asked_for() -> None:
    some = begun()
    deploy = away(some, 60, ended=1)
    assert deploy.held == Held(deploy="d1", step=deploy.plan.steps[1].id, since=NOON + MINUTE)
    assert starts(some) == 1 and deploy.waits()
    some.now += timedelta(hours=3)
    assert some.act("d1") == () and starts(some) == 1


@pytest.mark.parametrize("ended", [45.0, 45.5, 59.0, 60.0])
def test_a_script_that_ran_all_the_while_makes_nothing_late(ended: float) -> None:
    some = begun()
    deploy = away(some, 60, ended=ended)
    assert deploy.held is None and starts(some) == 2


def test_a_deploy_that_only_has_to_be_closed_is_closed() -> None:
    some = begun(Recipe(deploy=Script(run="deploy/install.sh")))
    away(some, 1, ended=1)
    deploy = away(some, 600, ended=1)
    some.act("d1")
    assert deploy.held is None and some.deploy.outcome is Outcome.LIVE


def test_go_on_goes_on_and_asks_again_only_for_another_absence() -> None:
    some = begun()
    away(some, 60, ended=1)
    decided = say(some, go_on(), person=RAJ)
    assert decided == (WentOn(deploy="d1", ask="a1", by=RAJ),)
    some.act("d1")
    assert starts(some) == 2 and some.deploy.held is None
    assert some.deploy.went_on is not None and some.deploy.went_on.by == RAJ
    assert away(some, 60, ended=1).held is not None
    say(some, go_on())
    assert some.walk().outcome is Outcome.LIVE


def test_a_button_answers_its_own_question_alone() -> None:
    some = begun()
    first = away(some, 60, ended=1).held
    assert first is not None
    say(some, go_on())
    some.act("d1")
    away(some, 60, ended=1)
    stale = go_on(deploy="d1", about=first.since.isoformat(), button=Button(deploy="d1", action="go_on_1"))
    refused = say(some, stale)
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.NOTHING_ASKED
    assert some.deploy.held is not None
    fresh = replace(stale, about=some.deploy.held.since.isoformat(), button=Button(deploy="d1", action="go_on_2"))
    assert isinstance(say(some, fresh), tuple)
    assert "go_on_2" in some.deploy.used


def test_roll_back_and_abort_are_answers_too() -> None:
    some = Walk(facts=facts("v1.3", recipe=PLAIN, staging=TWO, new_id="old"))
    some.ask(ask(Deploy(service="api", version="v1.3", environment="staging")))
    some.walk()
    some.facts = knowing(facts("v1.4", recipe=PLAIN, new_id="d1", staging=TWO), "v1.3", recipe=PLAIN)
    some.ask()
    some.act("d1")
    away(some, 60, ended=1)
    back = Rollback(service="api", environment="staging", now=True)
    say(some, back, new_id="d2")
    while some.state.deploys["d1"].outcome is None:
        assert some.act("d1")
    assert some.deploy.id == "d2" and some.walk().outcome is Outcome.LIVE
    other = begun()
    away(other, 60, ended=1)
    say(other, Abort(service="api", environment="staging"))
    assert other.walk().outcome is Outcome.ABORTED


def test_a_rollback_that_waited_for_an_abort_is_asked_for_when_nobody_was_there() -> None:
    some = Walk(facts=facts("v1.3", recipe=PLAIN, staging=TWO, new_id="old"))
    some.ask(ask(Deploy(service="api", version="v1.3", environment="staging")))
    some.walk()
    some.facts = knowing(facts("v1.4", recipe=PLAIN, new_id="d1", staging=TWO), "v1.3", recipe=PLAIN)
    some.ask()
    some.act("d1")
    say(some, Rollback(service="api", environment="staging", now=True), new_id="d2")
    some.act("d1")
    step, _ = next(iter(some.deploy.going()))
    ended = some.now + MINUTE
    some.now += timedelta(hours=1)
    some.end("d1", step, Progress.ABORTED, ended=ended)
    some.act("d1")
    some.act("d1")
    assert some.deploy.id == "d2"
    some.act("d2")
    assert some.deploy.held is not None and some.deploy.held.since == ended
    some.stopped.clear()
    say(some, go_on())
    assert some.walk().outcome is Outcome.LIVE


def test_giving_traffic_back_after_a_failure_is_asked_for_too() -> None:
    some = in_the_middle("install on b")
    away(some, 60, ended=1, how=Progress.FAILED)
    some.act("d1")
    assert some.deploy.held is not None and some.deploy.step(some.deploy.held.step).verb.value == "route"
    say(some, go_on())
    assert some.walk().outcome is Outcome.FAILED


def test_an_abort_that_nobody_carried_out_in_time_can_only_go_on_or_back() -> None:
    some = in_the_middle("install on b")
    say(some, Abort(service="api", environment="staging"))
    some.act("d1")
    away(some, 60, ended=1, how=Progress.ABORTED)
    some.act("d1")
    assert some.deploy.waits() and some.deploy.held is not None
    say(some, go_on())
    assert some.walk().outcome is Outcome.ABORTED


def test_the_time_of_the_deploy_is_counted_anew_from_the_answer() -> None:
    some = begun(replace(FULL, timeout=3600.0))
    assert away(some, 120, ended=1).held is not None
    some.now += timedelta(hours=2)
    some.walk()
    assert not some.deploy.expired
    say(some, go_on())
    assert some.walk().outcome is Outcome.LIVE


def test_a_deploy_that_ran_out_of_time_and_has_its_recovery_late_is_asked_for_that() -> None:
    some = begun(replace(FULL, timeout=3600.0))
    some.now += timedelta(hours=2)
    some.act("d1")
    deploy = away(some, 60, ended=1, how=Progress.ABORTED)
    assert deploy.expired and deploy.trouble == "took longer than 3600 s"


def test_a_lost_step_that_may_run_again_is_not_run_long_after() -> None:
    rerun = replace(PLAIN, before=(Script(run="deploy/before.sh", on_lost=OnLost.RERUN),))
    some = begun(rerun)
    assert away(some, 60, ended=1, how=Progress.LOST).held is not None
    other = begun(rerun)
    assert away(other, 60, ended=59, how=Progress.LOST).held is None and starts(other) == 2


def test_who_answers_for_a_lost_step_has_answered_for_the_time_too() -> None:
    some = begun()
    deploy = away(some, 60, ended=1, how=Progress.LOST)
    assert deploy.held is None and deploy.lost() is not None
    some.now += timedelta(hours=1)
    refused = say(some, go_on())
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.NOTHING_ASKED
    say(some, Answer(choice="again", service="api", environment="staging"))
    some.act("d1")
    assert starts(some) == 2 and some.deploy.held is None


def test_a_step_that_was_claimed_and_never_begun_is_begun_after_go_on_alone() -> None:
    some = begun()
    step, run = next(iter(some.deploy.going()))
    some.now += timedelta(hours=1)
    some.end("d1", step, Progress.MISSED, ended=run.started)
    some.act("d1")
    assert some.deploy.held is not None
    say(some, go_on())
    some.act("d1")
    assert some.started[-1] == ("d1", step.id, 2)
    assert some.walk().outcome is Outcome.LIVE


def test_what_was_missed_of_a_recovery_is_begun_after_go_on() -> None:
    some = Walk(facts=facts(recipe=FULL, staging=("a", "b", "c")))
    some.ask()
    some.walk(failing("install on b"), until=lambda deploy: deploy.recovery is not None)
    some.act("d1")
    step, run = next(iter(some.deploy.going()))
    some.now += timedelta(hours=1)
    some.end("d1", step, Progress.MISSED, ended=run.started)
    some.act("d1")
    say(some, go_on())
    some.act("d1")
    assert some.started[-1] == ("d1", step.id, 2)
    assert some.walk().outcome is Outcome.FAILED


def test_whoever_asks_for_the_room_meanwhile_is_told_what_it_waits_for() -> None:
    some = begun()
    away(some, 60, ended=1)
    refused = say(some, Deploy(service="api", version="v1.4", environment="staging"), new_id="d9")
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.ROOM_LATE


def test_only_who_may_deploy_there_may_say_go_on() -> None:
    some = begun()
    away(some, 60, ended=1)
    config = some.facts.config
    closed = replace(config.environments["staging"], protected=True)
    protected = replace(config, environments={**config.environments, "staging": closed})
    nobody = replace(RAJ, id="U9", name="zoe", slack="U9")
    refused = say(some, go_on(), config=protected, person=nobody)
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.NOT_ALLOWED


def test_another_question_is_not_answered_by_the_way() -> None:
    some = begun()
    away(some, 60, ended=1)
    refused = say(some, Answer(choice="worked", service="api", environment="staging"))
    assert isinstance(refused, Refusal) and refused.gates[0].code is Code.NOTHING_ASKED


@pytest.mark.parametrize(
    ("work", "minutes", "late"),
    [
        (Work(how=How.SCRIPT, what="x", timeout=7200), 14.9, False),
        (Work(how=How.SCRIPT, what="x", timeout=7200), 15.1, True),
        (Work(how=How.SCRIPT, what="x", pause=60), 15.9, False),
        (Work(how=How.HTTP, what="x", timeout=1200), 34.9, False),
        (Work(how=How.HTTP, what="x", timeout=1200), 35.1, True),
        (Work(how=How.WAIT, what="", timeout=60), 600, False),
    ],
)
def test_a_claim_that_nobody_began_is_missed_after_its_time(work: Work, minutes: float, late: bool) -> None:
    assert missed(work, NOON, NOON + timedelta(minutes=minutes)) is late


ENDINGS = [Progress.OK] * 6 + [Progress.FAILED, Progress.TIMED_OUT, Progress.LOST, Progress.MISSED]


@given(recipes, st.data())
def test_nothing_ever_starts_more_than_a_quarter_of_an_hour_after_it_could_have(
    recipe: Recipe, data: st.DataObject
) -> None:
    """Judged by a clock of the test's own: the last moment at which something ended, was asked or was answered."""
    some = Walk(facts=facts(recipe=recipe, staging=("a", "b")))
    some.ask()
    last, deploy = some.now, "d1"
    for _ in range(60):
        before = starts(some)
        some.act(deploy)
        assert starts(some) == before or some.now - last <= LATE
        if some.deploy.outcome is not None:
            break
        left = some.now
        some.now += data.draw(st.sampled_from([0, 1, 14, 16, 90])) * MINUTE
        going = list(some.deploy.going())
        for step, run in going:
            ended = data.draw(st.sampled_from([left, left + (some.now - left) / 2, some.now]))
            some.end(deploy, step, data.draw(st.sampled_from(ENDINGS)), ended=max(run.started, ended))
            last = max(last, run.started, ended)
        if not going and some.deploy.waits():
            late = some.deploy.lost() is None
            answer = go_on() if late else replace(go_on(), choice=data.draw(st.sampled_from(["again", "worked"])))
            some.ask(ask(answer))
            last = some.now
    assert len(some.started) == len(set(some.started))
    assert some.deploy.outcome is not None or some.deploy.waits() or any(True for _ in some.deploy.going())


def test_a_deploy_that_never_is_away_is_never_asked_for() -> None:
    some = Walk(facts=facts(recipe=FULL, staging=("a", "b", "c")))
    some.ask()
    assert some.walk(well).outcome is Outcome.LIVE
    assert not any(isinstance(event, Held) for event in some.events)
