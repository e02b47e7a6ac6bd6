"""Strategies are orderings of deploy(target), route(table) and bake(time): a recipe and what is live become a plan.

Invariant of every table: it names every target, positives first, and a target that is being changed, or whose last
deploy did not end well, has weight 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.domain.model import Target
from pipelines.domain.plan import How, Making, Plan, Step, Verb, Weight, check, script, status
from pipelines.domain.recipe import OnLost, Recipe, Rolling, Script
from pipelines.domain.room import TargetState, Traffic

Stage = list[Step]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a plan shall make live, and where."""

    service: str
    environment: str
    version: str
    repo: str
    commit: str
    digest: str
    recipe: Recipe
    targets: tuple[Target, ...]
    previous_version: str = ""
    previous_commit: str = ""
    stop: Script | None = None
    stop_commit: str = ""
    shown: str = ""
    protected: bool = False
    secrets_from: str = ""
    pass_env: tuple[str, ...] = ()
    path: str = "."
    deployers: tuple[str, ...] | None = None


def table(targets: Sequence[str], on: Sequence[str]) -> tuple[Weight, ...]:
    """Every target once, those in traffic first."""
    return tuple(Weight(target=t, weight=1) for t in targets if t in on) + tuple(
        Weight(target=t, weight=0) for t in targets if t not in on
    )


def compile_plan(
    wanted: Wanted, seen: Mapping[str, TargetState], *, back: bool = False, known: Sequence[str] = ()
) -> Plan:
    """The plan towards `wanted`. `back` compiles a rollback: what runs the goal already is left in peace."""
    names = tuple(target.name for target in wanted.targets)
    making = Making(
        service=wanted.service,
        environment=wanted.environment,
        version=wanted.version,
        commit=wanted.commit,
        recipe=wanted.recipe,
        regions={target.name: target.region for target in wanted.targets},
        previous_version=wanted.previous_version,
        previous_commit=wanted.previous_commit,
        stop=wanted.stop,
        stop_commit=wanted.stop_commit,
    )
    stages = [[_hook(making, Verb.BEFORE, i)] for i in range(len(wanted.recipe.before))]
    stages += _change(making, names, seen, back=back)
    stages += _stage(status(making, name, expect=True) for name in names)
    stages += [[_hook(making, Verb.AFTER, i)] for i in range(len(wanted.recipe.after))]
    return Plan(
        service=wanted.service,
        environment=wanted.environment,
        version=wanted.version,
        repo=wanted.repo,
        commit=wanted.commit,
        digest=wanted.digest,
        recipe=wanted.recipe,
        targets=names,
        regions=making.regions,
        steps=numbered(stages),
        previous_version=wanted.previous_version,
        previous_commit=wanted.previous_commit,
        shown=wanted.shown,
        skipped=tuple(name for name in known if name not in names),
        protected=wanted.protected,
        secrets_from=wanted.secrets_from,
        pass_env=wanted.pass_env,
        path=wanted.path,
        deployers=wanted.deployers,
    )


def _change(making: Making, names: tuple[str, ...], seen: Mapping[str, TargetState], *, back: bool) -> list[Stage]:
    kept = tuple(n for n in names if back and _runs(seen.get(n), making.commit))
    if kept and making.recipe.route and all(_runs(seen.get(n), making.commit) for n in names):
        return _route(making, names, names)
    if kept and len(kept) < len(names):
        rest = tuple(n for n in names if n not in kept)
        return [*_route(making, names, kept), *_replace(making, rest), *_route(making, names, names)]
    strategy = making.recipe.strategy
    if isinstance(strategy, Rolling):
        return _rolling(making, names, seen, strategy)
    stops = _stage(_stop(making, n) for n in names)
    return [*_route(making, names, ()), *stops, *_replace(making, names), *_route(making, names, names)]


def _rolling(making: Making, names: tuple[str, ...], seen: Mapping[str, TargetState], rolling: Rolling) -> list[Stage]:
    """Batches in the order written, but targets that are out of traffic anyway come first: they cost nothing."""
    out = tuple(n for n in names if (state := seen.get(n)) is not None and state.traffic is Traffic.OUT)
    order = out + tuple(n for n in names if n not in out)
    size = rolling.size(len(names))
    on = [n for n in names if n not in out]
    stages: list[Stage] = []
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        stages += _route(making, names, [n for n in on if n not in batch])
        stages += _replace(making, batch)
        on += [n for n in batch if n not in on]
        if rolling.bake:
            stages += [*_route(making, names, on), [_bake(rolling.bake, batch)]]
    return stages if rolling.bake else [*stages, *_route(making, names, on)]


def _replace(making: Making, batch: Sequence[str]) -> list[Stage]:
    deploys = [script(making, making.recipe.deploy, verb=Verb.DEPLOY, label=f"install on {n}", target=n) for n in batch]
    stages = [deploys, *_stage(status(making, n, expect=True) for n in batch)]
    return stages + [[check(making, it, n) for n in batch] for it in making.recipe.checks]


def _route(making: Making, names: Sequence[str], on: Sequence[str]) -> list[Stage]:
    return [[route_step(making, table(names, on))]] if making.recipe.route else []


def route_step(making: Making, weights: tuple[Weight, ...]) -> Step:
    """The step that applies a weight table; the recipe must have a `route`."""
    assert making.recipe.route is not None
    on = [w.target for w in weights if w.weight]
    label = f"traffic to {', '.join(on)}" if on else "traffic off"
    return replace(script(making, making.recipe.route, verb=Verb.ROUTE, label=label), table=weights)


def _hook(making: Making, verb: Verb, index: int) -> Step:
    hooks = making.recipe.before if verb is Verb.BEFORE else making.recipe.after
    stem = hooks[index].run.rsplit("/", 1)[-1].split(".", 1)[0]
    label = verb.value if len(hooks) == 1 else f"{verb.value}: {stem}"
    return script(making, hooks[index], verb=verb, label=label)


def _stop(making: Making, target: str) -> Step | None:
    if making.stop is None:
        return None
    commit = making.stop_commit
    return script(making, making.stop, verb=Verb.STOP, label=f"stop {target}", target=target, commit=commit)


def _bake(seconds: float, batch: Sequence[str]) -> Step:
    label = f"bake {seconds:g} s"
    return Step(id="", stage=0, verb=Verb.BAKE, label=label, how=How.WAIT, timeout=seconds, on_lost=OnLost.RERUN)


def _stage(steps: Iterable[Step | None]) -> list[Stage]:
    found = [step for step in steps if step is not None]
    return [found] if found else []


def numbered(stages: Sequence[Sequence[Step]], first: int = 1, prefix: str = "") -> tuple[Step, ...]:
    """The stages as one list whose ids sort in order: `003-deploy`. `prefix` tells later additions apart."""
    steps: list[Step] = []
    for stage, members in enumerate(stages, first):
        for step in members:
            name = f"{prefix}{len(steps) + 1:03d}-{step.verb.value}"
            steps.append(replace(step, id=name, stage=stage))
    return tuple(steps)


def _runs(state: TargetState | None, commit: str) -> bool:
    return state is not None and state.commit == commit and state.traffic is not Traffic.OUT
