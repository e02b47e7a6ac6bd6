"""A step that nobody can know the end of, a script without its supervisor: who is asked, and what each answer does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipelines.domain.commands import Abort, Answer, Button, Choice, Retry, Rollback
from pipelines.domain.deploy import RERUNS, Deploy
from pipelines.domain.events import Outcome, Progress
from pipelines.domain.gates import Facts
from pipelines.domain.plan import Step, Verb
from pipelines.domain.recipe import OnLost, Recipe, Rolling, Script
from pipelines.domain.refusals import Code, Refusal
from pipelines.domain.room import Traffic
from tests.pipelines.domain.test_plans import FULL
from tests.support.domain import MIA, RAJ, ask, facts, knowing
from tests.support.walking import Ending, Walk, failing

TWO = ("a", "b")
BOTH = replace(FULL, strategy=Rolling(batch=2))
BACK = Rollback(service="api", environment="staging")
ABORT = Abort(service="api", environment="staging")
STOP = Answer(choice="stop", service="api", environment="staging")
LOST, ALONE = Progress.LOST, Progress.UNSUPERVISED


def going(recipe: Recipe = FULL, *names: str) -> Walk:
    """v1.3 is live, v1.4 was asked for as d2."""
    some = Walk(facts=facts("v1.3", recipe=recipe, staging=names or TWO))
    some.ask()
    some.walk()
    some.facts = knowing(facts("v1.4", recipe=recipe, new_id="d2", staging=names or TWO), "v1.3", recipe=recipe)
    some.ask()
    return some


def ending(**how: Progress) -> Ending:
    """Each step by its label, `_` for a blank, ends as told; every other one well."""
    named = {label.replace("_", " "): progress for label, progress in how.items()}
    return lambda step, _attempt: named.get(step.label, Progress.OK)


def told(some: Walk, choice: Choice, *, step: str | None = None, attempt: int | None = None) -> object:
    pinned = Answer(choice=choice, service="api", environment="staging", deploy="d2", step=step, attempt=attempt)
    return some.ask(ask(pinned), replace(some.facts, new_id="d9"))


def code(decision: object) -> Code:
    assert isinstance(decision, Refusal), decision
    return decision.gates[0].code


def choices(deploy: Deploy) -> tuple[str, ...]:
    lost = deploy.lost()
    return deploy.choices(*lost) if lost is not None else ()


def as_d3(some: Walk) -> Facts:
    return replace(some.facts, new_id="d3")


def begun(some: Walk, label: str) -> dict[str, Step]:
    """The steps that go once one with this label has begun, by target; what went before went well."""
    while not any(step.label == label for step, _ in some.deploy.going()):
        for step, _ in list(some.deploy.going()):
            some.end(some.deploy.id, step, Progress.OK)
        some.act(some.deploy.id)
    return {step.target: step for step, _ in some.deploy.going()}


def to_the_end(some: Walk, deploy: str) -> Deploy:
    """Whatever still goes is ended as it was asked to, else well."""
    for _ in range(100):
        if some.state.deploys[deploy].outcome is not None:
            break
        some.act(deploy)
        for step, run in list(some.state.deploys[deploy].going()):
            stopped = (step.id, run.attempt) in some.stopped
            some.end(deploy, step, Progress.ABORTED if stopped else Progress.OK)
    return some.state.deploys[deploy]


# Time


def test_the_deploys_own_time_does_not_run_while_a_person_is_asked_and_begins_anew_with_the_answer() -> None:
    some = going(replace(FULL, timeout=600.0))
    some.walk(failing("install on a", LOST))
    some.now += timedelta(hours=9)
    assert some.act("d2") == () and some.state.room.running == "d2"
    told(some, "again")
    some.now += timedelta(seconds=500)
    assert some.walk().outcome is Outcome.LIVE


def test_a_script_that_is_waited_for_has_the_deploys_time_once_more() -> None:
    some = going(replace(FULL, timeout=600.0))
    some.walk(failing("install on a", ALONE))
    some.now += timedelta(hours=9)
    assert some.act("d2") == ()
    told(some, "wait")
    assert some.act("d2") == ()
    some.now += timedelta(seconds=601)
    some.act("d2")
    some.act("d2")
    assert some.stopped
    assert to_the_end(some, "d2").why == "took longer than 600 s"


# Who else wants the room


@pytest.mark.parametrize("command", [None, Retry(service="api", environment="staging")])
def test_the_room_is_closed_and_the_refusal_says_what_answers(command: Retry | None) -> None:
    some = going()
    some.walk(failing("install on a", LOST))
    refused = some.ask(ask(command, by=MIA), as_d3(some))
    assert isinstance(refused, Refusal)
    gate = next(gate for gate in refused.gates if gate.code is Code.ROOM_UNKNOWN)
    assert gate.listed("says") == ("run again api staging", "it worked api staging")
    assert [offer.label for offer in refused.offers] == ["Roll back to v1.3"]
    assert some.ask(ask(), as_d3(some)) == refused or command is not None


# Double answers


def test_a_question_is_answered_once_by_whatever_button_or_word() -> None:
    some = going()
    deploy = some.walk(failing("install on a", LOST))
    lost = deploy.lost()
    assert lost is not None
    step = lost[0].id
    button = Button(deploy="d2", action=f"worked_{step}_1")
    raj = replace(some.facts, person=RAJ)
    worked = Answer(
        choice="worked", service="api", environment="staging", deploy="d2", step=step, attempt=1, button=button
    )
    assert isinstance(some.ask(ask(worked, by=RAJ), raj), tuple)
    assert code(some.ask(ask(worked, by=MIA))) is Code.ALREADY_DONE
    refused = told(some, "again", step=step, attempt=1)
    assert code(refused) is Code.ALREADY_ANSWERED
    assert isinstance(refused, Refusal) and refused.gates[0].text("choice") == "it worked"
    assert code(told(some, "again")) is Code.NOTHING_ASKED
    some.installed["a"] = "v1.4"
    assert some.walk().outcome is Outcome.LIVE


def test_a_button_answers_for_its_own_attempt_and_step_alone() -> None:
    some = going(BOTH)
    deploy = some.walk(ending(install_on_a=LOST, install_on_b=LOST))
    first = deploy.lost()
    assert first is not None
    told(some, "again", step=first[0].id, attempt=1)
    some.act("d2")
    second = some.state.deploys["d2"].lost()
    assert second is not None and second[0].target == "b"
    assert code(told(some, "worked", step=first[0].id, attempt=1)) is Code.ALREADY_ANSWERED
    assert code(told(some, "worked", step=first[0].id, attempt=2)) is Code.NOTHING_ASKED  # it runs
    assert code(told(some, "worked", step="no-such-step", attempt=1)) is Code.NOTHING_ASKED
    assert isinstance(told(some, "worked", step=second[0].id, attempt=1), tuple)
    some.end("d2", first[0], LOST)
    assert choices(some.state.deploys["d2"]) == ("again", "worked")
    assert isinstance(told(some, "again", step=first[0].id, attempt=2), tuple)
    some.installed["b"] = "v1.4"
    assert some.walk().outcome is Outcome.LIVE


def test_an_answer_to_what_nobody_asks_is_refused() -> None:
    some = going()
    assert code(told(some, "again")) is Code.NOTHING_ASKED
    assert (
        code(some.ask(ask(Answer(choice="again", service="api", environment="staging", deploy="d7"))))
        is Code.NOTHING_ASKED
    )
    some.walk(failing("install on a", LOST))
    assert code(told(some, "wait")) is Code.NOTHING_ASKED


# on_lost: rerun


def test_a_step_that_may_run_again_does_a_few_times_and_then_asks() -> None:
    some = going(replace(FULL, deploy=Script(run="i.sh", on_lost=OnLost.RERUN)))
    deploy = some.walk(failing("install on a", LOST))
    lost = deploy.lost()
    assert lost is not None and lost[1].attempt == RERUNS + 1
    told(some, "again")
    assert some.walk().outcome is Outcome.LIVE


# Another step fails meanwhile


def test_a_deploy_that_fails_anyway_still_asks_how_the_lost_step_ended_and_keeps_the_room() -> None:
    some = going(BOTH)
    deploy = some.walk(ending(install_on_a=LOST, install_on_b=Progress.FAILED))
    assert deploy.outcome is None and deploy.recovery is None
    assert choices(deploy) == ("worked",)
    refused = some.ask(ask(by=MIA), as_d3(some))
    assert isinstance(refused, Refusal) and refused.gates[0].listed("says") == ("it worked api staging",)
    assert code(told(some, "again")) is Code.NOTHING_ASKED
    told(some, "worked")
    deploy = some.walk()
    assert (deploy.outcome, deploy.why) == (Outcome.FAILED, "install on b exited 1")


def test_what_was_to_run_again_does_not_once_the_deploy_fails_and_is_asked_about_anew() -> None:
    some = going(BOTH)
    install = begun(some, "install on a")
    some.end("d2", install["a"], LOST)
    told(some, "again")
    some.end("d2", install["b"], Progress.FAILED)
    assert some.act("d2") == ()
    assert choices(some.deploy) == ("worked",)


def test_a_failed_deploy_does_not_ask_about_what_may_run_again_anyway() -> None:
    some = going(replace(BOTH, deploy=Script(run="i.sh", on_lost=OnLost.RERUN)))
    install = begun(some, "install on a")
    some.end("d2", install["b"], Progress.FAILED)
    some.end("d2", install["a"], LOST)
    assert some.walk().outcome is Outcome.FAILED


# Abort and roll back


def test_an_abort_leaves_the_lost_step_as_it_is_and_frees_the_room() -> None:
    some = going()
    some.walk(failing("install on a", LOST))
    some.ask(ask(ABORT))
    del some.installed["a"]
    assert some.deploy.lost() is None
    begun = len(some.started)
    deploy = some.walk(ending(status_of_a=Progress.FAILED))
    assert (deploy.outcome, some.state.room.running) == (Outcome.ABORTED, None)
    assert all(step.startswith("r") for _, step, _ in some.started[begun:])
    assert deploy.now_runs["a"].version is None and deploy.now_runs["a"].traffic is Traffic.OUT


@pytest.mark.parametrize("progress", [LOST, ALONE])
def test_a_rollback_by_word_is_an_answer_and_ends_first_what_lives(progress: Progress) -> None:
    some = going()
    some.walk(failing("install on a", progress))
    assert isinstance(some.ask(ask(BACK), as_d3(some)), tuple)
    some.act("d2")
    assert bool(some.stopped) is (progress is ALONE)
    assert to_the_end(some, "d2").outcome is Outcome.ABORTED
    some.stopped.clear()
    assert some.deploy.id == "d3" and some.walk().outcome is Outcome.LIVE


def test_where_the_script_is_waited_for_a_rollback_by_word_asks_before_it_ends_it() -> None:
    some = going()
    some.walk(failing("install on a", ALONE))
    told(some, "wait")
    assert code(some.ask(ask(BACK), as_d3(some))) is Code.ROLLBACK_WHILE_RUNNING


def test_a_script_that_was_waited_for_and_ended_is_asked_about_again() -> None:
    some = going()
    deploy = some.walk(failing("install on a", ALONE))
    assert choices(deploy) == ("wait", "stop")
    step = next(step for step, _ in some.deploy.going())
    told(some, "wait", step=step.id, attempt=1)
    some.end("d2", step, LOST)
    assert choices(some.deploy) == ("again", "worked")
    assert code(told(some, "stop", step=step.id, attempt=1)) is Code.ALREADY_ANSWERED
    assert isinstance(told(some, "again", step=step.id, attempt=1), tuple)


# The recovery's own steps


def recovering(progress: Progress) -> tuple[Walk, Step]:
    """b failed, and the table that gives traffic back to c was lost or lost its supervisor."""
    some = going(FULL, "a", "b", "c")
    some.walk(ending(install_on_b=Progress.FAILED, traffic_to_c=progress))
    step = next(step for step in some.deploy.recovery or () if step.verb is Verb.ROUTE)
    assert some.deploy.runs[step.id].progress is progress
    return some, step


@pytest.mark.parametrize("choice", ["again", "worked"])
def test_a_lost_step_of_the_recovery_asks_before_the_room_is_free(choice: Choice) -> None:
    some, step = recovering(LOST)
    assert some.deploy.outcome is None and choices(some.deploy) == ("again", "worked")
    told(some, choice)
    assert some.walk().outcome is Outcome.FAILED
    assert [name for _, name, _ in some.started].count(step.id) == (2 if choice == "again" else 1)


def test_a_lost_step_of_the_recovery_is_left_by_an_abort() -> None:
    some, _ = recovering(LOST)
    some.ask(ask(ABORT))
    assert some.walk().outcome is Outcome.ABORTED


def test_after_an_abort_a_lost_step_of_the_recovery_asks_too_and_a_rollback_answers() -> None:
    some = going(FULL, "a", "b", "c")
    begun(some, "install on b")
    some.ask(ask(ABORT))
    deploy = some.walk(ending(traffic_to_c=LOST))
    assert deploy.outcome is None and choices(deploy) == ("again", "worked")
    assert isinstance(some.ask(ask(BACK), as_d3(some)), tuple)
    assert to_the_end(some, "d2").outcome is Outcome.ABORTED
    assert some.deploy.id == "d3"


@pytest.mark.parametrize("command", [ABORT, BACK, STOP])
def test_a_script_of_the_recovery_that_runs_alone_is_ended_by_every_answer_but_wait(
    command: Abort | Rollback | Answer,
) -> None:
    some, step = recovering(ALONE)
    assert choices(some.deploy) == ("wait", "stop")
    some.ask(ask(command), as_d3(some))
    some.act("d2")
    assert some.stopped == [(step.id, 1)]
    assert to_the_end(some, "d2").outcome is (Outcome.FAILED if isinstance(command, Answer) else Outcome.ABORTED)
