"""What one attempt of a step is to whoever carries it out, and the environment that its script gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.domain.deploy import Deploy
from pipelines.domain.plan import How, Plan, Step
from pipelines.domain.recipe import OnLost


@dataclass(frozen=True, kw_only=True)
class Work:
    """`what` is a script's path, a URL or an address; `stdin` is what the script reads; times in seconds. `secrets`
    says where values are and `pass_env` which of the bot's variables are handed on: the values are read when the work
    begins, and are nowhere in here."""

    how: How
    what: str
    repo: str = ""
    commit: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    timeout: float = 0.0
    silence: float = 0.0
    pause: float = 0.0
    on_lost: OnLost = OnLost.ASK
    detach: bool = False
    status: bool = False  # its answer is a report of what runs there
    secrets: Mapping[str, str] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()


def work_of(deploy: Deploy, step: Step, attempt: int) -> Work:
    """The work of one attempt. A check that is tried again waits its pause first."""
    return Work(
        how=step.how,
        what=step.what,
        repo=deploy.plan.repo,
        commit=step.commit or deploy.plan.commit,
        env=environment_of(deploy.plan, step, deploy=deploy.id, fence=deploy.fence),
        stdin="".join(f"{w.target} {w.weight}\n" for w in step.table),
        timeout=step.timeout,
        silence=step.silence,
        pause=step.pause if attempt > 1 else 0.0,
        on_lost=step.on_lost,
        detach=step.detach,
        status=step.verb.value == "status",
        secrets=deploy.plan.secrets,
        pass_env=deploy.plan.pass_env,
    )


def environment_of(plan: Plan, step: Step, *, deploy: str, fence: int) -> dict[str, str]:
    """Everything of ours that a script is told; the agent adds PATH, LANG, HOME and TMPDIR."""
    return {
        "SERVICE": plan.service,
        "ENVIRONMENT": plan.environment,
        "TARGET": step.target,
        "REGION": step.region,
        "VERSION": plan.version,
        "COMMIT": plan.commit,
        "DIGEST": plan.digest,
        "ARTIFACT": "",
        "PREVIOUS_VERSION": plan.previous_version,
        "PREVIOUS_COMMIT": plan.previous_commit,
        "DEPLOY_ID": deploy,
        "DEPLOY_FENCE": str(fence),
    }
