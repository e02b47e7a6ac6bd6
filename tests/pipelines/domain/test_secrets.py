"""What scripts are to be given beside Shipmate's own variables: planned by name, refused when it is not there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.commands import Command, Deploy, Retry, Rollback
from pipelines.domain.decide import Need
from pipelines.domain.events import Planned
from pipelines.domain.gates import Facts
from pipelines.domain.model import Config, Environment
from pipelines.domain.recipe import Recipe
from pipelines.domain.refusals import Code, Refusal
from pipelines.domain.remembered import with_room_of
from pipelines.domain.stepwork import work_of
from pipelines.domain.variables import OWN, expand, named
from tests.pipelines.domain.test_plans import FULL
from tests.support.domain import ask, facts, knowing
from tests.support.walking import Walk, failing

SECRET = replace(FULL, secrets=("DATABASE_URL", "API_KEY"))
FROM = "file:///s/{service}/{environment}/{name}"
THERE = {"DATABASE_URL": "", "API_KEY": ""}
GONE = {"DATABASE_URL": "", "API_KEY": "there is no file /s/api/staging/API_KEY; write the value into it"}
DEPLOY = Deploy(service="api", version="v1.4", environment="staging")


def given_facts(version: str = "v1.4", recipe: Recipe = SECRET, **more: object) -> Facts:
    """Facts of a staging that has a place for secrets and hands SSH_AUTH_SOCK on."""
    some = knowing(facts(version, recipe=recipe, staging=("a",)), "v1.3", "v1.4", recipe=recipe)
    staging = Environment(name="staging", secrets_from=FROM, pass_env=("SSH_AUTH_SOCK",))
    config = replace(some.config, environments={**some.config.environments, "staging": staging})
    return replace(some, config=config, **more)  # type: ignore[arg-type]


def codes(decision: object) -> list[Code]:
    assert isinstance(decision, Refusal), decision
    return [gate.code for gate in decision.gates]


def live(*versions: str) -> Walk:
    """A room in which versions without secrets went live."""
    some = Walk()
    for number, version in enumerate(versions):
        some.facts = replace(facts(version, recipe=FULL, staging=("a",)), new_id=f"d{number}")
        some.ask(ask(Deploy(service="api", version=version, environment="staging")))
        some.walk()
    return some


def test_a_plan_names_secrets_and_says_where_they_are() -> None:
    some = Walk(facts=given_facts(secrets=THERE))
    decision = some.ask()
    assert isinstance(decision, tuple) and isinstance(decision[0], Planned)
    plan = decision[0].plan
    assert plan.secrets["API_KEY"] == "file:///s/api/staging/API_KEY" and plan.pass_env == ("SSH_AUTH_SOCK",)
    for step in plan.steps:
        work = work_of(some.deploy, step, 1)
        assert (work.secrets, work.pass_env) == (plan.secrets, plan.pass_env)


def test_a_room_that_left_the_configuration_still_knows_what_its_scripts_get() -> None:
    some = Walk(facts=given_facts(secrets=THERE))
    some.ask()
    remembered = with_room_of(Config(), some.deploy).environment("api", "staging")
    assert (remembered.secrets_from, remembered.pass_env) == (FROM, ("SSH_AUTH_SOCK",))


def test_what_is_not_known_yet_is_asked_for() -> None:
    assert Walk(facts=given_facts()).ask() == Need(secrets=frozenset(THERE))
    assert Walk(facts=given_facts(secrets={"API_KEY": ""})).ask() == Need(secrets=frozenset({"DATABASE_URL"}))


def test_everything_that_is_missing_is_told_at_once() -> None:
    some = given_facts(secrets=GONE, unset=("SSH_AUTH_SOCK",), cannot_post="#deploys")
    decision = Walk(facts=some).ask()
    assert codes(decision) == [Code.SECRETS_MISSING, Code.NOT_PASSED, Code.CANNOT_POST]
    assert isinstance(decision, Refusal)
    assert decision.gates[0].listed("problems") == (f"API_KEY: {GONE['API_KEY']}",)
    assert decision.gates[1].listed("problems") == ("SSH_AUTH_SOCK is not set in the bot's own environment",)


def test_an_environment_that_does_not_say_where_secrets_are_is_refused() -> None:
    decision = Walk(facts=facts(recipe=SECRET, staging=("a",))).ask()
    assert codes(decision) == [Code.NO_SECRETS_FROM]
    assert isinstance(decision, Refusal) and decision.gates[0].listed("names") == SECRET.secrets


def test_a_name_that_is_given_twice_is_refused() -> None:
    both = replace(FULL, secrets=("SSH_AUTH_SOCK",))
    decision = Walk(facts=given_facts(recipe=both, secrets={"SSH_AUTH_SOCK": ""})).ask()
    assert codes(decision) == [Code.NOT_PASSED]


@pytest.mark.parametrize("command", [Rollback(service="api", environment="staging"), DEPLOY], ids=lambda c: c.kind)
def test_a_rollback_needs_the_secrets_of_its_own_commit(command: Command) -> None:
    some = live("v1.3", "v1.5")
    assert some.ask(ask(command), given_facts()) == Need(secrets=frozenset(THERE))
    assert codes(some.ask(ask(command), given_facts(secrets=GONE))) == [Code.SECRETS_MISSING]
    assert isinstance(some.ask(ask(command), given_facts(secrets=THERE)), tuple)


def test_a_retry_needs_the_secrets_of_its_plan() -> None:
    some = Walk(facts=given_facts(secrets=THERE))
    some.ask()
    some.walk(failing("install on a"))
    retry = ask(Retry(service="api", environment="staging"))
    bare = replace(given_facts(), recipes={})
    assert some.ask(retry, bare) == Need(secrets=frozenset(THERE))
    assert codes(some.ask(retry, replace(bare, secrets=GONE))) == [Code.SECRETS_MISSING]
    assert isinstance(some.ask(retry, replace(bare, secrets=THERE, new_id="d2")), tuple)


NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)


@given(st.dictionaries(NAMES, st.text()))
def test_names_are_replaced_in_one_pass(values: dict[str, str]) -> None:
    for template in ("${%s}", "$%s"):
        text = "/".join(template % name for name in values)
        assert expand(text, values) == "/".join(values.values())
        assert expand(text, {}) == text and named(text) == tuple(values)


def test_a_longer_name_is_not_a_shorter_one() -> None:
    assert expand("$TARGET2 $TARGET", {"TARGET": "a"}) == "$TARGET2 a"
    assert named("http://$A:${B_2}@$C/$1") == ("A", "B_2", "C")


@given(st.sampled_from(["{service}", "{environment}", "{name}", "/"]), st.text("{}nameservic", max_size=9))
def test_the_places_of_a_reference_are_replaced_once(place: str, word: str) -> None:
    env = Environment(name="staging", secrets_from=f"file:///{place}")
    said = env.reference(word, "{service}")
    assert said.removeprefix("file:///") == {
        "{service}": word, "{environment}": "staging", "{name}": "{service}", "/": "/",
    }[place]  # fmt: skip
    assert len(set(OWN)) == len(OWN)
