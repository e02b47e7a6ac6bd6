"""What is asked about a step that nobody knows the end of, a script without its supervisor, or a next step that is
late: one wording for the message, the thread and the terminal. Pure."""

from dataclasses import dataclass

from handlers.chat import clicks
from handlers.chat.card import Button
from handlers.chat.times import clock
from pipelines.domain.commands import Choice
from pipelines.domain.deploy import Deploy, StepRun
from pipelines.domain.events import Held, Progress
from pipelines.domain.plan import Step


@dataclass(frozen=True, kw_only=True)
class Question:
    """`sentence` is what is asked, `notes` what the other answers would do; the safest buttons come first. `key` names
    this question among all of the deploy's."""

    key: str
    sentence: str
    notes: tuple[str, ...]
    buttons: tuple[Button, ...]

    @property
    def labels(self) -> str:
        """The answers in a row: `Run again, It worked or Abort`."""
        *most, last = [button.label for button in self.buttons]
        return f"{', '.join(most)} or {last}" if most else last


def asked(deploy: Deploy) -> Question | None:
    """What a person is asked about this deploy now."""
    lost = deploy.lost()
    if lost is None:
        return _late(deploy, deploy.held) if deploy.held is not None and deploy.outcome is None else None
    step, run = lost
    choices = deploy.choices(step, run)
    ends = [clicks.roll_back(deploy), clicks.abort(deploy) if deploy.abort is None else None]
    answers = [clicks.answer(deploy, choice, step.id, run.attempt) for choice in choices]
    return Question(
        key=f"{step.id}-{run.attempt}-{run.progress}",
        sentence=_sentence(step, run),
        notes=_notes(deploy, step, run, choices),
        buttons=(*answers, *[button for button in ends if button is not None]),
    )


def _late(deploy: Deploy, held: Held) -> Question:
    """Nobody was there to go on when it was time. Whoever aborts already, or goes back, need not say so again."""
    aborting = deploy.abort is not None
    back = None if deploy.abort is not None and deploy.abort.then else clicks.roll_back(deploy)
    buttons = [clicks.go_on(deploy, held.since), back, None if aborting else clicks.abort(deploy)]
    label = deploy.step(held.step).label
    return Question(
        key=f"late-{held.since:%Y%m%d%H%M%S%f}",
        sentence=f"Shipmate was away at {clock(held.since)}, when {label} could have begun. Shall it still begin?",
        notes=(f"The deploy goes no further all the same: {deploy.trouble}.",) if deploy.trouble else (),
        buttons=tuple(button for button in buttons if button is not None),
    )


def _sentence(step: Step, run: StepRun) -> str:
    if run.progress is Progress.UNSUPERVISED:
        return f"The script of {step.label} runs on, but its supervisor is gone and no timeout ends it."
    where = f"Look at {step.target}, then answer" if step.target else "Look, then answer"
    cause = f": {run.detail}" if run.detail else ""
    return f"Nobody knows how {step.label} ended{cause}. {where}; it is not run again by itself."


def _notes(deploy: Deploy, step: Step, run: StepRun, choices: tuple[Choice, ...]) -> tuple[str, ...]:
    notes = [f"The deploy goes no further all the same: {deploy.trouble}."] if deploy.trouble else []
    if deploy.abort is None and run.progress is Progress.UNSUPERVISED:
        notes.append("Stop it ends the script and fails the deploy; Abort and Roll back end the script first, too.")
    elif deploy.abort is None:
        notes.append("Abort ends the deploy and leaves that step as it is.")
    return tuple(notes)
