"""A room that left the configuration: what runs in it is ended and rolled back by what its last deploy knew."""

from dataclasses import replace

import pytest

from pipelines.domain.commands import Abort, Answer, Command, Deploy, Retry, Rollback
from pipelines.domain.events import Outcome, Planned
from pipelines.domain.model import Config, Environment, Service
from pipelines.domain.refusals import Code, Refusal
from pipelines.domain.remembered import with_room_of
from tests.pipelines.domain.test_decide import ONE, room
from tests.pipelines.domain.test_plans import FULL
from tests.support.domain import ANA, MIA, ask, facts, knowing

NOTHING = Config()


def test_what_is_not_configured_is_as_it_was_planned() -> None:
    some = room("v1.3")
    config = with_room_of(NOTHING, some.deploy)
    known = some.facts.config
    assert config.services["api"].repo == known.services["api"].repo
    assert config.services["api"].targets_in("staging") == known.services["api"].targets_in("staging")
    assert config.services["api"].channel == "C1"
    assert config.who_may_deploy("api", "staging") is None


def test_what_the_configuration_says_wins() -> None:
    some = room("v1.3")
    others = Service(name="api", repo="/elsewhere", owners=("zoe",))
    locked = Environment(name="staging", protected=True)
    config = with_room_of(Config(services={"api": others}, environments={"staging": locked}), some.deploy)
    assert config.services["api"] is others
    assert config.who_may_deploy("api", "staging") == ("zoe",)


@pytest.mark.parametrize(
    "left", [NOTHING, Config(environments={"production": Environment(name="production", protected=True)})]
)
def test_a_protected_room_stays_for_those_who_might_deploy_there(left: Config) -> None:
    some = room()
    some.facts = facts(recipe=FULL, production=ONE)
    some.state = replace(some.state, room=replace(some.state.room, environment="production"))
    some.ask(ask(Deploy(service="api", version="v1.4", environment="production")))
    assert with_room_of(left, some.deploy).who_may_deploy("api", "production") == ("ana", "raj")
    abort = Abort(service="api", environment="production")
    known = replace(some.facts, config=with_room_of(left, some.deploy))
    refusal = some.ask(ask(abort, by=MIA), replace(known, person=MIA))
    assert isinstance(refusal, Refusal) and [gate.code for gate in refusal.gates] == [Code.NOT_ALLOWED]
    assert isinstance(some.ask(ask(abort), replace(known, person=ANA)), tuple)


@pytest.mark.parametrize(
    "command",
    [
        Deploy(service="api", version="v1.4", environment="staging"),
        Rollback(service="api", environment="staging"),
        Retry(service="api", environment="staging"),
        Abort(service="api", environment="staging"),
        Answer(choice="again", service="api", environment="staging"),
    ],
    ids=lambda command: command.kind,
)
def test_a_decision_without_the_room_is_a_no_that_names_what_is_missing(command: Command) -> None:
    some = room("v1.3", "v1.4")
    refusal = some.ask(ask(command), replace(some.facts, config=NOTHING))
    assert isinstance(refusal, Refusal)
    assert [gate.code for gate in refusal.gates] == [Code.UNKNOWN_SERVICE, Code.UNKNOWN_ENVIRONMENT]


def test_an_abort_that_goes_back_ends_in_the_rollback_though_the_room_left_meanwhile() -> None:
    some = room("v1.3")
    some.facts = knowing(facts("v1.4", recipe=FULL, new_id="run", staging=ONE), "v1.3", recipe=FULL)
    some.ask()
    some.ask(ask(Rollback(service="api", environment="staging", now=True)), replace(some.facts, new_id="back"))
    some.facts = replace(some.facts, config=with_room_of(NOTHING, some.deploy))
    assert some.walk().outcome is Outcome.ABORTED
    planned = [event for event in some.events if isinstance(event, Planned)]
    assert [event.deploy for event in planned] == ["old0", "run", "back"]
    assert planned[-1].plan.targets == ONE
    assert some.walk().outcome is Outcome.LIVE


def test_who_may_deploy_where_nobody_knows_the_room_is_nobody() -> None:
    assert NOTHING.who_may_deploy("api", "staging") == ()
