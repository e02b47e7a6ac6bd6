"""What a deploy's thread says beside the live tail: milestones, each once, and one closing line for whoever asked."""

from handlers.chat.deploy_card import what
from handlers.chat.times import between, span
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Outcome, Progress
from pipelines.domain.plan import Verb

TAIL_LINES = 15
TAIL_COLUMNS = 300
SHOWN = (Verb.BEFORE, Verb.AFTER, Verb.STOP)


def milestones(deploy: Deploy) -> dict[str, str]:
    """What was reached, in order, by a key. As a deploy goes on keys are added and no line changes."""
    ended = [(step, run) for step in deploy.plan.steps if (run := deploy.runs.get(step.id)) and run.ended]
    lines: dict[str, str] = {}
    for step, run in sorted(ended, key=lambda pair: (pair[1].ended, pair[0].id)):
        took = between(run.started, run.ended) if run.ended else ""
        if run.progress is Progress.OK and step.verb in SHOWN:
            lines[step.id] = f"✓ {step.label} done in {took}"
        elif run.progress is Progress.OK and step.verb is Verb.DEPLOY:
            lines[step.id] = f"✓ {deploy.plan.version} installed on {step.target} in {took}"
    if deploy.abort is not None:
        then = f", then back to {deploy.abort.then.version}" if deploy.abort.then else ""
        lines["abort"] = f"⏹ {deploy.abort.by.name} aborts{then}"
    return lines


def closing(deploy: Deploy) -> str:
    """The one message that notifies whoever asked: how it ended."""
    where = deploy.plan.environment
    match deploy.outcome:
        case Outcome.LIVE:
            took = span((deploy.ended - deploy.at).total_seconds()) if deploy.ended else ""
            return f"{what(deploy)} went live in {where} after {took}."
        case Outcome.ABORTED:
            return f"{what(deploy)} was aborted in {where}: {deploy.why}."
        case _:
            return f"{what(deploy)} failed in {where}: {deploy.why}."


def settled(output: str) -> str:
    r"""Output as a terminal would leave it: a line overwritten by \r shows its last state."""
    return "\n".join(line.rsplit("\r", 1)[-1] for line in output.replace("\r\n", "\n").split("\n"))


def tail(output: str) -> str:
    """The last lines of some output."""
    lines = [line[:TAIL_COLUMNS] for line in settled(output).rstrip("\n").split("\n")]
    return "\n".join(lines[-TAIL_LINES:])
