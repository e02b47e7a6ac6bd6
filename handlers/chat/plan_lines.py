"""A plan as lines: its steps in order, what carries each out, how long it may take. Whoever shows them adds a title."""

from handlers.chat.times import span
from pipelines.domain.plan import How, Plan, Step


def plan_lines(plan: Plan) -> tuple[str, ...]:
    """A line a step, forward; steps with the same number may run at the same time."""
    return tuple(f"{step.stage}. {_step(step)}" for step in plan.steps)


def _step(step: Step) -> str:
    parts = [step.label]
    if step.how is not How.WAIT:
        parts += [step.what, f"at most {span(step.timeout)}"]
    if step.retries:
        parts.append(f"up to {step.retries + 1} times")
    return " · ".join(parts)
