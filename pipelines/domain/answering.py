"""Answers for a step that nobody can know the end of, for a script that runs without its supervisor, and for a deploy
whose next step is late.

What may be answered is the deploy's (`Deploy.choices`), what comes of it is `advance`'s. Roll back and Abort are
answers too, and are decided where they always are.
"""

from pipelines.domain import gates
from pipelines.domain.commands import Answer
from pipelines.domain.deploy import Deploy, StepRun
from pipelines.domain.events import StepAnswered, WentOn
from pipelines.domain.fold import State
from pipelines.domain.gates import Facts
from pipelines.domain.plan import Step
from pipelines.domain.refusals import Code, Offer, Refusal, refuse


def answer(ask: str, command: Answer, state: State, facts: Facts) -> tuple[StepAnswered | WentOn] | Refusal:
    """The answer as an event; a refusal where nobody asks, or asks something else, or was answered before."""
    deploy = state.deploys.get(command.deploy or state.room.running or "")
    nothing = refuse(Code.NOTHING_ASKED, where=state.room.environment, service=state.room.service)
    if deploy is None:
        return nothing
    closed = gates.closed(
        gates.allowed(deploy.plan.service, deploy.plan.environment, facts),
        gates.unanswered(deploy, command),
    )
    if closed:
        return Refusal(gates=closed)
    if command.choice == "go_on":
        if deploy.held is None or command.about not in (None, deploy.held.since.isoformat()):
            return nothing
        return (WentOn(deploy=deploy.id, ask=ask, by=facts.person, button=command.button),)
    asked = _asked(deploy, command)
    if asked is None or command.choice not in deploy.choices(*asked):
        return nothing
    step = asked[0].id
    return (StepAnswered(deploy=deploy.id, step=step, choice=command.choice, by=facts.person, button=command.button),)


def _asked(deploy: Deploy, command: Answer) -> tuple[Step, StepRun] | None:
    """The step that asks now, or the one that the answer names, where that attempt is its last."""
    if command.step is None:
        return deploy.lost()
    for step in deploy.steps:
        run = deploy.runs.get(step.id)
        if step.id == command.step and run is not None and run.attempt == command.attempt:
            return step, run
    return None


def _abort(holder: Deploy) -> Offer:
    plan = holder.plan
    say = f"abort {plan.service} {plan.environment}"
    return Offer(label=f"Abort {plan.version} in {plan.environment}", say=say, action="abort_holder")


def ways_on(state: State) -> tuple[Offer, ...]:
    """For whoever is refused because a deploy holds the room: to end it; because of a question: the answer Roll back.
    The other answers need a look at the target first, so they are words and buttons of the question alone."""
    holder = gates.running(state)
    if holder is None:
        return ()
    if not holder.waits() or holder.rollback is None:
        return () if holder.abort else (_abort(holder),)
    to = holder.rollback
    say = f"rollback {holder.plan.service} {holder.plan.environment} to {to.version}"
    return (Offer(label=f"Roll back to {to.version}", say=say, action="rollback_now", value=to.commit),)
