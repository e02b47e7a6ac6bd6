"""What happens next: forward, tried again, stopped, recovered, closed; and what waits for a person."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.commands import Abort, Answer, Retry, Rollback
from pipelines.domain.events import Outcome, Progress
from pipelines.domain.plan import Step, Verb
from pipelines.domain.recipe import OnLost, Recipe, Script
from pipelines.domain.refusals import Code, Refusal
from pipelines.domain.room import Traffic
from tests.pipelines.domain.test_plans import FULL, recipes
from tests.support.domain import RAJ, ask, facts, knowing
from tests.support.walking import Walk, failing, well

TWO = ("stg-1", "stg-2")


def walk(recipe: Recipe = FULL, version: str = "v1.4", *names: str) -> Walk:
    return Walk(facts=facts(version, recipe=recipe, staging=names or TWO))


def planned(recipe: Recipe = FULL, *names: str) -> Walk:
    some = walk(recipe, "v1.4", *names)
    some.ask()
    return some


def test_a_deploy_that_goes_well_is_live() -> None:
    some = planned()
    deploy = some.walk()
    assert deploy.outcome is Outcome.LIVE
    live = some.state.room.live(TWO)
    assert live is not None and live.version == "v1.4"
    assert all(target.reported for target in some.state.room.targets.values())


def test_a_step_that_fails_ends_the_deploy_and_gives_traffic_to_what_runs_the_old_version() -> None:
    some = planned(FULL, "a", "b", "c")
    deploy = some.walk(failing("install on b"))
    assert (deploy.outcome, deploy.why) == (Outcome.FAILED, "install on b exited 1")
    assert deploy.recovery is not None
    routes = [step for step in deploy.recovery if step.verb is Verb.ROUTE]
    assert [f"{w.target}={w.weight}" for w in routes[0].table] == ["c=1", "a=0", "b=0"]
    assert not any(step.target == "c" for step in deploy.plan.steps if step.id in deploy.runs)


def test_when_nothing_runs_the_old_version_the_last_table_stays() -> None:
    some = planned(FULL, "a", "b")
    deploy = some.walk(failing("install on b"))
    assert not [step for step in deploy.recovery or () if step.verb is Verb.ROUTE]
    assert deploy.now_runs["a"].traffic is Traffic.IN and deploy.now_runs["a"].version == "v1.4"
    assert deploy.now_runs["b"].traffic is Traffic.OUT


def test_a_script_that_exits_well_and_did_nothing_is_a_failure() -> None:
    some = planned(Recipe(deploy=Script(run="i.sh"), status=FULL.status), "a")
    some.act("d1")
    install = some.deploy.plan.steps[0]
    some.end("d1", install, Progress.OK)
    some.walk(failing("status of a"))
    assert some.deploy.outcome is Outcome.FAILED


def test_only_checks_are_tried_again() -> None:
    some = planned(FULL, "a")
    tries = 0

    def ending(step: Step, _attempt: int) -> Progress:
        nonlocal tries
        if step.verb is not Verb.CHECK:
            return Progress.OK
        tries += 1
        return Progress.FAILED if tries < 3 else Progress.OK

    assert some.walk(ending).outcome is Outcome.LIVE
    assert planned(FULL, "a").walk(failing("install on a")).outcome is Outcome.FAILED


def test_an_abort_stops_what_runs_and_nothing_more_is_begun() -> None:
    some = planned()
    some.act("d1")
    going = [(step.id, run.attempt) for step, run in some.deploy.going()]
    some.ask(ask(Abort(service="api", environment="staging"), by=RAJ), replace(some.facts, person=RAJ))
    begun = len(some.started)
    deploy = some.walk()
    assert (deploy.outcome, deploy.why) == (Outcome.ABORTED, "aborted by raj")
    assert some.stopped == going
    assert all(step.startswith("r") for _, step, _ in some.started[begun:])


def test_a_rollback_while_a_deploy_runs_aborts_it_and_goes_back() -> None:
    some = walk(FULL, "v1.3")
    some.ask()
    some.walk()
    some.facts = knowing(facts("v1.4", recipe=FULL, new_id="d2", staging=TWO), "v1.3", recipe=FULL)
    some.ask()
    some.walk(until=lambda deploy: deploy.changed_something)
    refused = some.ask(ask(Rollback(service="api", environment="staging")))
    assert isinstance(refused, Refusal)
    assert refused.gates[0].code is Code.ROLLBACK_WHILE_RUNNING
    assert refused.offers[0].label == "Abort and roll back to v1.3"
    now = Rollback(service="api", environment="staging", now=True)
    some.ask(ask(now), replace(some.facts, new_id="d3"))
    some.act("d2")
    for step, _ in list(some.state.deploys["d2"].going()):
        some.end("d2", step, Progress.ABORTED)
    while some.state.deploys["d2"].outcome is None:
        some.act("d2")
        for step, _ in list(some.state.deploys["d2"].going()):
            some.end("d2", step, Progress.OK)
    assert some.deploy.id == "d3"
    assert some.walk().outcome is Outcome.LIVE
    live = some.state.room.live(TWO)
    assert live is not None and live.version == "v1.3"


def test_a_lost_step_waits_for_a_person_and_is_not_run_again_by_itself() -> None:
    some = planned()
    deploy = some.walk(failing("install on stg-1", Progress.LOST))
    assert deploy.outcome is None
    lost = deploy.lost()
    assert lost is not None and lost[0].label == "install on stg-1"
    again = some.ask(ask(), replace(some.facts, new_id="d2"))
    assert isinstance(again, Refusal) and again.gates[0].code is Code.ROOM_UNKNOWN
    some.ask(ask(Answer(choice="worked", service="api", environment="staging")))
    assert some.walk().outcome is Outcome.LIVE
    assert [step for _, step, _ in some.started].count(lost[0].id) == 1


def test_a_lost_step_is_run_again_when_a_person_says_so_or_the_recipe_does() -> None:
    some = planned()
    some.walk(lambda step, attempt: Progress.LOST if step.verb is Verb.DEPLOY and attempt == 1 else Progress.OK)
    some.ask(ask(Answer(choice="again", service="api", environment="staging")))
    deploy = some.walk(lambda step, attempt: Progress.OK)
    assert deploy.outcome is Outcome.LIVE
    rerun = replace(FULL, deploy=Script(run="deploy/install.sh", on_lost=OnLost.RERUN))
    other = planned(rerun)
    ended = other.walk(lambda s, attempt: Progress.LOST if s.verb is Verb.DEPLOY and attempt == 1 else Progress.OK)
    assert ended.outcome is Outcome.LIVE


def test_a_script_without_its_supervisor_is_waited_for_or_ended() -> None:
    some = planned()
    deploy = some.walk(failing("install on stg-1", Progress.UNSUPERVISED))
    assert deploy.lost() is not None
    some.ask(ask(Answer(choice="stop", service="api", environment="staging")))
    some.act("d1")
    assert some.stopped
    assert some.walk().outcome is Outcome.FAILED


def test_a_rollback_answers_for_a_lost_step() -> None:
    some = walk(FULL, "v1.3")
    some.ask()
    some.walk()
    some.facts = knowing(facts("v1.4", recipe=FULL, new_id="d2", staging=TWO), "v1.3", recipe=FULL)
    some.ask()
    some.walk(failing("install on stg-1", Progress.LOST))
    now = Rollback(service="api", environment="staging", now=True)
    some.ask(ask(now), replace(some.facts, new_id="d3"))
    while some.state.deploys["d2"].outcome is None:
        some.act("d2")
        for step, _ in list(some.state.deploys["d2"].going()):
            some.end("d2", step, Progress.OK)
    assert some.walk().outcome is Outcome.LIVE


def test_a_deploy_whose_time_is_over_fails() -> None:
    some = planned(replace(FULL, timeout=60.0))
    some.act("d1")
    some.now += timedelta(seconds=61)
    deploy = some.walk()
    assert (deploy.outcome, deploy.why) == (Outcome.FAILED, "took longer than 60 s")


def test_a_retry_is_a_new_deploy_of_the_same_commit() -> None:
    some = planned()
    some.walk(failing("install on stg-1"))
    some.ask(ask(Retry(service="api", environment="staging")), replace(some.facts, new_id="d2"))
    assert (some.deploy.id, some.deploy.retry_of, some.deploy.attempt) == ("d2", "d1", 2)
    assert some.state.deploys["d1"].retried_by == "d2"
    assert some.walk().outcome is Outcome.LIVE


progress = st.sampled_from(
    [Progress.OK] * 8 + [Progress.FAILED, Progress.TIMED_OUT, Progress.LOST, Progress.UNSUPERVISED]
)


@given(recipes, st.data())
def test_whatever_happens_each_attempt_starts_once_and_live_means_all_is_well(
    recipe: Recipe, data: st.DataObject
) -> None:
    some = planned(recipe, "a", "b", "c")

    def ending(_step: Step, _attempt: int) -> Progress:
        return data.draw(progress)

    deploy = some.walk(ending)
    for _ in range(50):
        if deploy.outcome is not None:
            break
        lost = deploy.lost()
        if lost is not None:
            choice = data.draw(st.sampled_from(deploy.choices(*lost)))
            some.ask(ask(Answer(choice=choice, service="api", environment="staging")))
        else:
            step, _ = next(iter(deploy.going()))
            some.end("d1", step, Progress.LOST)
        deploy = some.walk(ending)
    if deploy.outcome is None:
        some.ask(ask(Abort(service="api", environment="staging")))
        deploy = some.walk(well)
    assert len(some.started) == len(set(some.started))
    well_done = all(
        (run := deploy.runs.get(s.id)) is not None and run.progress is Progress.OK for s in deploy.plan.steps
    )
    assert (deploy.outcome is Outcome.LIVE) == (well_done and deploy.abort is None)
    assert some.state.room.running is None
