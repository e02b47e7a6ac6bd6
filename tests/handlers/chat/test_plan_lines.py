"""A plan as a person reads it: every step once, in order, with what is run and how long it may take."""

from handlers.chat.plan_lines import plan_lines
from pipelines.domain.model import Target
from pipelines.domain.recipe import Check, CheckKind, Recipe, Rolling, Script, StatusUrl
from pipelines.domain.strategies import Wanted, compile_plan
from tests.support.domain import commit_of


def wanted(recipe: Recipe, *targets: str) -> Wanted:
    return Wanted(
        service="api",
        environment="staging",
        version="v1.4",
        repo="/repo",
        commit=commit_of("v1.4"),
        digest="",
        recipe=recipe,
        targets=tuple(Target(name=name) for name in targets),
    )


def test_every_step_is_a_line_with_what_carries_it_out() -> None:
    recipe = Recipe(
        deploy=Script(run="deploy/install.sh"),
        status=StatusUrl(url="http://$TARGET/version"),
        before=(Script(run="deploy/migrate.sh", timeout=300),),
        checks=(Check(kind=CheckKind.HTTP, what="http://$TARGET/healthz?token=$TOKEN"),),
        strategy=Rolling(batch=2, bake=20),
    )
    assert plan_lines(compile_plan(wanted(recipe, "a", "b"), {})) == (
        "1. before · deploy/migrate.sh · at most 5 min",
        "2. install on a · deploy/install.sh · at most 15 min",
        "2. install on b · deploy/install.sh · at most 15 min",
        "3. status of a · http://a/version · at most 30 s · up to 3 times",
        "3. status of b · http://b/version · at most 30 s · up to 3 times",
        "4. check on a · http://a/healthz?token=$TOKEN · at most 30 s · up to 3 times",
        "4. check on b · http://b/healthz?token=$TOKEN · at most 30 s · up to 3 times",
        "5. bake 20 s",
        "6. status of a · http://a/version · at most 30 s · up to 3 times",
        "6. status of b · http://b/version · at most 30 s · up to 3 times",
    )


def test_the_least_plan_is_one_line() -> None:
    assert plan_lines(compile_plan(wanted(Recipe(deploy=Script(run="install.sh")), "a"), {})) == (
        "1. install on a · install.sh · at most 15 min",
    )
