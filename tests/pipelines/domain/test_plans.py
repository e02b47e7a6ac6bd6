"""Plans: the order of things, the tables of traffic, and that every environment gets the same deploy."""

from dataclasses import replace
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.model import Target
from pipelines.domain.plan import How, Plan, Verb
from pipelines.domain.recipe import Check, CheckKind, Recipe, Recreate, Rolling, Script, StatusUrl
from pipelines.domain.room import TargetState, Traffic
from pipelines.domain.strategies import Wanted, compile_plan
from tests.support.domain import commit_of

FULL = Recipe(
    deploy=Script(run="deploy/install.sh"),
    route=Script(run="deploy/route.sh"),
    status=StatusUrl(url="http://$TARGET/version"),
    before=(Script(run="deploy/migrate.sh"),),
    after=(Script(run="deploy/notify.sh"),),
    checks=(
        Check(kind=CheckKind.HTTP, what="http://${TARGET}/healthz?v=$VERSION&x=$OTHER"),
        Check(kind=CheckKind.TCP, what="$TARGET"),
        Check(kind=CheckKind.RUN, what="deploy/smoke.sh"),
    ),
)


def wanted(recipe: Recipe, *names: str, version: str = "v1.4") -> Wanted:
    return Wanted(
        service="api",
        environment="staging",
        version=version,
        repo="/repo",
        commit=commit_of(version),
        digest="git-tree:0",
        recipe=recipe,
        targets=tuple(Target(name=name) for name in names),
        previous_version="v1.3",
        previous_commit=commit_of("v1.3"),
    )


def runs(version: str, traffic: Traffic = Traffic.IN) -> TargetState:
    return TargetState(version=version, commit=commit_of(version), traffic=traffic)


def told(plan: Plan) -> list[str]:
    return [step.label for step in plan.steps]


def tables(plan: Plan) -> list[str]:
    return [" ".join(f"{w.target}={w.weight}" for w in step.table) for step in plan.steps if step.verb is Verb.ROUTE]


def test_a_rolling_deploy_reads_in_order() -> None:
    plan = compile_plan(wanted(FULL, "a", "b"), {})
    assert told(plan) == [
        "before",
        "traffic to b",
        "install on a",
        "status of a",
        *["check on a"] * 3,
        "traffic to a",
        "install on b",
        "status of b",
        *["check on b"] * 3,
        "traffic to a, b",
        "status of a",
        "status of b",
        "after",
    ]
    assert tables(plan) == ["b=1 a=0", "a=1 b=0", "a=1 b=1"]
    assert [step.id for step in plan.steps] == sorted(step.id for step in plan.steps)


def test_the_least_recipe_installs_and_nothing_else() -> None:
    plan = compile_plan(wanted(Recipe(deploy=Script(run="i.sh")), "a", "b"), {})
    assert told(plan) == ["install on a", "install on b"]
    assert not plan.verified


def test_names_in_urls_are_replaced_and_unknown_ones_left() -> None:
    plan = compile_plan(wanted(FULL, "a:80"), {})
    checks = [step for step in plan.steps if step.verb is Verb.CHECK]
    assert [step.what for step in checks] == ["http://a:80/healthz?v=v1.4&x=$OTHER", "a:80", "deploy/smoke.sh"]
    assert [step.how for step in checks] == [How.HTTP, How.TCP, How.SCRIPT]


def test_recreate_takes_all_out_stops_with_the_running_commit_and_brings_all_back() -> None:
    recipe = Recipe(deploy=Script(run="i.sh"), route=Script(run="r.sh"), stop=Script(run="s.sh"), strategy=Recreate())
    before = replace(wanted(recipe, "a", "b"), stop=recipe.stop, stop_commit=commit_of("v1.3"))
    plan = compile_plan(before, {})
    assert tables(plan) == ["a=0 b=0", "a=1 b=1"]
    stops = [step for step in plan.steps if step.verb is Verb.STOP]
    assert [step.commit for step in stops] == [commit_of("v1.3")] * 2
    assert len({step.stage for step in stops}) == 1


def test_a_bake_follows_each_batch_in_traffic() -> None:
    recipe = Recipe(deploy=Script(run="i.sh"), route=Script(run="r.sh"), strategy=Rolling(percent=50, bake=20))
    plan = compile_plan(wanted(recipe, "a", "b", "c", "d"), {})
    assert tables(plan) == ["c=1 d=1 a=0 b=0", "a=1 b=1 c=1 d=1", "a=1 b=1 c=0 d=0", "a=1 b=1 c=1 d=1"]
    assert [step.timeout for step in plan.steps if step.verb is Verb.BAKE] == [20, 20]


def test_what_is_out_of_traffic_is_replaced_first_and_stays_out_until_then() -> None:
    seen = {"a": runs("v1.3"), "b": runs("v1.5", Traffic.OUT)}
    assert tables(compile_plan(wanted(FULL, "a", "b"), seen)) == ["a=1 b=0", "b=1 a=0", "a=1 b=1"]


def test_a_rollback_leaves_in_peace_what_runs_the_goal() -> None:
    seen = {"a": runs("v1.5", Traffic.OUT), "b": runs("v1.5"), "c": runs("v1.3")}
    plan = compile_plan(wanted(FULL, "a", "b", "c", version="v1.3"), seen, back=True)
    assert tables(plan) == ["c=1 a=0 b=0", "a=1 b=1 c=1"]
    assert [step.target for step in plan.steps if step.verb is Verb.DEPLOY] == ["a", "b"]


def test_a_rollback_of_everything_rolls() -> None:
    seen = {name: runs("v1.4") for name in ("a", "b")}
    plan = compile_plan(wanted(FULL, "a", "b", version="v1.3"), seen, back=True)
    assert tables(plan) == ["b=1 a=0", "a=1 b=0", "a=1 b=1"]


def test_targets_that_are_gone_are_named() -> None:
    assert compile_plan(wanted(FULL, "a"), {}, known=("a", "old")).skipped == ("old",)


names = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=8, unique=True)
recipes = st.builds(
    Recipe,
    deploy=st.just(Script(run="deploy/install.sh")),
    route=st.sampled_from([None, FULL.route]),
    status=st.sampled_from([None, FULL.status]),
    before=st.sampled_from([(), FULL.before, FULL.before * 2]),
    after=st.sampled_from([(), FULL.after]),
    checks=st.sampled_from([(), FULL.checks[:1], FULL.checks]),
    strategy=st.one_of(
        st.just(Recreate()),
        st.builds(Rolling, batch=st.integers(1, 5), bake=st.sampled_from([0.0, 5.0])),
        st.builds(Rolling, percent=st.floats(1, 100), bake=st.sampled_from([0.0, 5.0])),
    ),
)


def shape(plan: Plan) -> list[tuple[str, ...]]:
    """The verbs of a plan, stage by stage, with names, durations and repeats erased."""
    stages = [tuple(sorted({s.verb.value for s in members})) for _, members in groupby(plan.steps, lambda s: s.stage)]
    return collapsed(stages)


def collapsed(stages: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Repeated runs of stages said once, however long the run."""
    for size in range(1, len(stages)):
        for start in range(len(stages) - 2 * size + 1):
            if stages[start : start + size] == stages[start + size : start + 2 * size]:
                return collapsed(stages[: start + size] + stages[start + 2 * size :])
    return stages


@given(recipes, names, names)
def test_every_environment_gets_the_same_deploy(recipe: Recipe, here: list[str], there: list[str]) -> None:
    assert shape(compile_plan(wanted(recipe, *here), {})) == shape(compile_plan(wanted(recipe, *there), {}))


states = st.builds(
    TargetState,
    version=st.sampled_from([None, "v1.3", "v1.4"]),
    commit=st.sampled_from([None, commit_of("v1.3"), commit_of("v1.4")]),
    traffic=st.sampled_from(list(Traffic)),
)


@given(recipes, names, st.lists(states, min_size=8, max_size=8), st.booleans())
def test_no_table_ever_sends_traffic_to_what_is_being_changed(
    recipe: Recipe, here: list[str], some: list[TargetState], back: bool
) -> None:
    seen = dict(zip(here, some, strict=False))
    plan = compile_plan(wanted(recipe, *here), seen, back=back)
    last: dict[str, int] = {}
    done: set[str] = set()
    for step in plan.steps:
        if step.verb is Verb.ROUTE:
            last = {w.target: w.weight for w in step.table}
            weights = [w.weight for w in step.table]
            assert set(last) == set(here) and weights == sorted(weights, reverse=True)
            unfit = {n for n, s in seen.items() if s.traffic is Traffic.OUT and n not in done}
            assert not any(last[n] for n in unfit)
        if step.verb is Verb.DEPLOY:
            assert not last.get(step.target, 0)
            done.add(step.target)
    assert not last or set(last.values()) == {1}
