"""Every decision: who may, when not, and that a no names every gate and the way on."""

from dataclasses import replace

import pytest

from pipelines.domain.commands import Abort, Answer, Button, Command, Deploy, Pin, Retry, Rollback
from pipelines.domain.decide import Need
from pipelines.domain.events import Found, Outcome, Planned, Report
from pipelines.domain.gates import Facts
from pipelines.domain.model import PersonKind
from pipelines.domain.recipe import Check, CheckKind, Recipe, Script
from pipelines.domain.refusals import Code, Gate, Nature, Refusal, refuse
from tests.pipelines.domain.test_plans import FULL
from tests.support.domain import ANA, MIA, RAJ, ask, commit_of, facts, knowing
from tests.support.walking import Walk, failing, well

ONE = ("stg-1",)


def room(*versions: str) -> Walk:
    """A room in which these versions went live, one after the other."""
    some = Walk(facts=facts(recipe=FULL, staging=ONE))
    for number, version in enumerate(versions):
        deploy_version(some, version, f"old{number}")
    some.facts = knowing(facts(recipe=FULL, staging=ONE, new_id="new"), *versions, recipe=FULL)
    return some


def deploy_version(some: Walk, version: str, new_id: str) -> None:
    some.facts = knowing(facts(version, recipe=FULL, new_id=new_id, staging=ONE), *VERSIONS, recipe=FULL)
    some.ask(ask(Deploy(service="api", version=version, environment="staging")))
    assert some.walk().outcome is Outcome.LIVE


VERSIONS = ("v1.1", "v1.2", "v1.3", "v1.4", "v1.5")


def refused(some: Walk, command: Command | None = None, with_facts: Facts | None = None) -> Refusal:
    decision = some.ask(ask(command), with_facts)
    assert isinstance(decision, Refusal), decision
    return decision


def codes(refusal: Refusal) -> list[Code]:
    return [gate.code for gate in refusal.gates]


def back(**more: object) -> Rollback:
    return Rollback(service="api", environment="staging", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [kind for kind in PersonKind if kind is not PersonKind.MEMBER])
def test_only_full_members_may_do_anything(kind: PersonKind) -> None:
    some = room("v1.3")
    nobody = replace(some.facts, person=replace(ANA, kind=kind))
    commands: tuple[Command, ...] = (
        Deploy(service="api", version="v1.4", environment="staging"),
        back(),
        Abort(service="api", environment="staging", deploy="old0"),
        Retry(service="api", environment="staging"),
    )
    for command in commands:
        assert Code.NOT_A_MEMBER in codes(refused(some, command, nobody))


def test_a_protected_environment_is_for_its_deployers() -> None:
    some = Walk(facts=facts(recipe=FULL))
    some.state = replace(some.state, room=replace(some.state.room, environment="production"))
    there = Deploy(service="api", version="v1.4", environment="production")
    refusal = refused(some, there, replace(some.facts, person=MIA))
    assert codes(refusal) == [Code.NOT_ALLOWED]
    assert refusal.gates[0].listed("who") == ("ana", "raj")
    assert isinstance(some.ask(ask(there)), tuple)


@pytest.mark.parametrize(
    ("members", "code"),
    [(frozenset({"ana"}), None), (frozenset({"raj"}), Code.NOT_ALLOWED), (None, Code.GROUP_UNKNOWN)],
)
def test_a_group_nobody_can_tell_the_members_of_is_a_no(members: frozenset[str] | None, code: Code | None) -> None:
    some = Walk(facts=facts(recipe=FULL))
    environment = replace(some.facts.config.environments["staging"], deployers=("@api",))
    config = replace(some.facts.config, environments={"staging": environment})
    decision = some.ask(ask(), replace(some.facts, config=config, groups={"@api": members}))
    assert (codes(decision) == [code]) if isinstance(decision, Refusal) else code is None


def test_a_busy_room_names_who_holds_it_and_every_other_gate_too() -> None:
    some = room()
    some.ask()
    bad = Gate(code=Code.UNKNOWN_VERSION, evidence={"given": "v9", "near": ("v1.4",)})
    refusal = refused(some, None, replace(some.facts, new_id="d2", version=bad, cannot_post="#deploys"))
    assert codes(refusal) == [Code.ROOM_BUSY, Code.UNKNOWN_VERSION, Code.CANNOT_POST]
    assert (refusal.gates[0].text("by"), refusal.gates[0].text("version")) == ("ana", "v1.4")
    assert refusal.nature is Nature.MISREAD


def test_a_disk_that_is_nearly_full_stops_what_is_new_and_no_rollback() -> None:
    some = room("v1.2", "v1.3")
    full = replace(some.facts, new_id="d9", disk_short=12 << 20)
    refusal = refused(some, None, full)
    assert codes(refusal) == [Code.DISK_FULL] and refusal.gates[0].text("left") == "12 MB"
    back = some.ask(ask(Rollback(service="api", environment="staging")), full)
    assert isinstance(back, tuple)


def test_a_recipe_that_is_wrong_starts_nothing() -> None:
    some = room()
    gate = Gate(code=Code.BAD_RECIPE, evidence={"errors": ("deploy.yml:1: …",)})
    assert codes(refused(some, None, replace(some.facts, recipes={commit_of("v1.4"): gate}))) == [Code.BAD_RECIPE]
    assert some.ask(None, replace(some.facts, recipes={})) == Need(commit=commit_of("v1.4"))
    assert codes(refused(some, None, replace(some.facts, version=None))) == [Code.UNKNOWN_VERSION]


def test_what_is_live_already_runs_again_only_by_force() -> None:
    some = room("v1.4")
    refusal = refused(some)
    assert codes(refusal) == [Code.ALREADY_LIVE]
    assert refusal.offers[0].label == "Deploy again"
    forced = Deploy(service="api", version="v1.4", environment="staging", force=True)
    assert isinstance(some.ask(ask(forced)), tuple)


def test_what_runs_and_failed_its_check_may_be_deployed_again_without_force() -> None:
    bare = Recipe(deploy=Script(run="install.sh"), checks=(Check(kind=CheckKind.HTTP, what="http://$TARGET/"),))
    some = room("v1.3")
    some.facts = knowing(facts("v1.4", recipe=bare, new_id="bad", staging=ONE), "v1.3", recipe=bare)
    some.ask()
    some.walk(failing("check on stg-1"))
    assert isinstance(some.ask(None, replace(some.facts, new_id="again")), tuple)


def test_a_rollback_goes_to_the_last_good_version_and_marks_what_it_left() -> None:
    some = room("v1.2", "v1.3", "v1.4")
    decision = some.ask(ask(back()))
    assert isinstance(decision, tuple) and isinstance(decision[0], Planned)
    assert decision[0].plan.version == "v1.3"
    assert decision[0].replaces is not None and decision[0].replaces.version == "v1.4"
    assert some.walk().outcome is Outcome.LIVE
    pin = some.deploy.rollback
    assert pin is not None and pin.version == "v1.2"


def test_a_rollback_that_finds_nothing_while_one_runs_says_what_runs() -> None:
    some = room("v1.3", "v1.4")
    some.ask(ask(back()))
    refusal = refused(some, back(), replace(some.facts, new_id="d9"))
    assert codes(refusal) == [Code.ROOM_BUSY, Code.NOTHING_TO_ROLL_BACK_TO]
    assert refusal.gates[0].text("version") == "v1.3"


def test_a_rollback_to_what_is_on_its_way_already_says_so_and_ends_nothing() -> None:
    some = room("v1.2", "v1.3", "v1.4")
    some.ask(ask(back()))
    for again in (back(to="v1.3"), back(to="v1.3", now=True)):
        refusal = refused(some, again, replace(some.facts, new_id="d9"))
        assert (codes(refusal), refusal.offers) == ([Code.ROOM_BUSY], ())


def test_a_version_rolled_back_from_is_good_again_once_it_ended_green_again() -> None:
    some = room("v1.3", "v1.4")
    some.ask(ask(back()))
    some.walk()
    assert codes(refused(some, back())) == [Code.NOTHING_TO_ROLL_BACK_TO]
    deploy_version(some, "v1.4", "again")
    deploy_version(some, "v1.5", "newer")
    good = some.state.room.last_good()
    assert good is not None and good.version == "v1.4"


def test_last_good_is_by_time_and_not_by_number() -> None:
    some = room("v1.5", "v1.2", "v1.4")
    good = some.state.room.last_good()
    assert good is not None and good.version == "v1.2"


def test_a_failed_deploy_is_never_a_rollback_target_and_leaves_the_one_before() -> None:
    some = room("v1.3")
    some.facts = knowing(facts("v1.4", recipe=FULL, new_id="bad", staging=ONE), "v1.3", recipe=FULL)
    some.ask()
    some.walk(failing("check on stg-1"))
    pin = some.deploy.rollback
    assert pin is not None and pin.version == "v1.3"
    assert isinstance(some.ask(ask(back(pin=pin)), replace(some.facts, new_id="b")), tuple)


def test_a_rollback_to_a_version_must_have_been_good_here() -> None:
    some = room("v1.2", "v1.3", "v1.4")
    refusal = refused(some, back(to="v1.5"))
    assert codes(refusal) == [Code.NEVER_GOOD_HERE]
    assert refusal.gates[0].listed("good") == ("v1.4", "v1.3", "v1.2")
    assert codes(refused(some, back(to="v1.4"))) == [Code.ALREADY_LIVE]
    decision = some.ask(ask(back(to=commit_of("v1.2")[:9])))
    assert isinstance(decision, tuple) and isinstance(decision[0], Planned)
    assert decision[0].plan.version == "v1.2"


def test_a_stale_button_is_refused_and_the_right_one_offered() -> None:
    some = room("v1.3", "v1.4")
    pin = some.deploy.rollback
    deploy_version(some, "v1.5", "newer")
    refusal = refused(some, back(pin=pin, button=Button(deploy="old1", action="rollback")))
    assert codes(refusal) == [Code.STALE_BUTTON]
    assert refusal.gates[0].text("version") == "v1.5"
    assert refusal.offers[0].label == "Roll back to v1.4"


def test_a_button_works_once_and_tells_who_was_first() -> None:
    some = room("v1.3", "v1.4")
    press = back(pin=some.deploy.rollback, button=Button(deploy="old1", action="rollback"))
    assert isinstance(some.ask(ask(press)), tuple)
    some.walk()
    refusal = refused(some, press, replace(some.facts, person=RAJ, new_id="x"))
    assert codes(refusal) == [Code.ALREADY_DONE]
    assert refusal.gates[0].text("by") == "ana"


def test_a_pin_that_is_no_good_version_any_more_is_refused() -> None:
    some = room("v1.3")
    pin = Pin(version="v0", commit="0" * 40, until="old0")
    assert codes(refused(some, back(pin=pin))) == [Code.NOTHING_TO_ROLL_BACK_TO]


def test_a_rollback_lacks_or_cannot_read_the_recipe() -> None:
    some = room("v1.3", "v1.4")
    assert some.ask(ask(back()), replace(some.facts, recipes={})) == Need(commit=commit_of("v1.3"))
    gate = Gate(code=Code.BAD_RECIPE)
    assert codes(refused(some, back(), replace(some.facts, recipes={commit_of("v1.3"): gate}))) == [Code.BAD_RECIPE]


def test_a_second_rollback_during_the_first_ones_abort_is_refused() -> None:
    some = room("v1.3")
    some.facts = knowing(facts("v1.4", recipe=FULL, new_id="run", staging=ONE), "v1.3", recipe=FULL)
    some.ask()
    some.act("run")
    assert isinstance(some.ask(ask(back(now=True)), replace(some.facts, new_id="r1")), tuple)
    assert codes(refused(some, back(now=True))) == [Code.ALREADY_ABORTING]
    assert codes(refused(some, Abort(service="api", environment="staging"))) == [Code.ALREADY_ABORTING]


def test_the_offer_while_a_deploy_runs_keeps_the_version_that_was_asked_for() -> None:
    some = room("v1.2", "v1.3")
    some.ask(None, replace(some.facts, new_id="run"))
    refusal = refused(some, back(to="v1.2"))
    assert refusal.offers[0].say == "rollback api staging to v1.2 now"


def test_abort_answers_what_is_over_and_what_never_was() -> None:
    some = room()
    assert codes(refused(some, Abort(service="api", environment="staging"))) == [Code.NOTHING_RUNNING]
    some = room("v1.3")
    assert codes(refused(some, Abort(deploy="old0"))) == [Code.ALREADY_ENDED]


def test_whoever_asked_for_a_deploy_may_abort_it_anywhere() -> None:
    some = Walk(facts=facts(recipe=FULL))
    some.state = replace(some.state, room=replace(some.state.room, environment="production"))
    there = Deploy(service="api", version="v1.4", environment="production")
    some.ask(ask(there))
    end = Abort(service="api", environment="production")
    assert codes(refused(some, end, replace(some.facts, person=MIA))) == [Code.NOT_ALLOWED]
    assert isinstance(some.ask(ask(end)), tuple)


def test_retry_is_for_the_rooms_last_deploy_that_did_not_go_live() -> None:
    again = Retry(service="api", environment="staging")
    assert codes(refused(room(), again)) == [Code.NOTHING_TO_RETRY]
    some = room("v1.3")
    assert codes(refused(some, again)) == [Code.NOTHING_TO_RETRY]
    some.ask()
    assert codes(refused(some, Retry(deploy="new"))) == [Code.ROOM_BUSY]


def test_answers_fit_their_question() -> None:
    some = room()
    worked = Answer(choice="worked", service="api", environment="staging")
    assert codes(refused(some, worked)) == [Code.NOTHING_ASKED]
    some.ask()
    assert codes(refused(some, worked)) == [Code.NOTHING_ASKED]
    some.walk(lambda step, _: failing("install on stg-1")(step, 1) and well(step, 1))


def test_an_answer_is_for_those_who_may_deploy() -> None:
    from pipelines.domain.events import Progress

    some = Walk(facts=facts(recipe=FULL))
    some.state = replace(some.state, room=replace(some.state.room, environment="production"))
    some.ask(ask(Deploy(service="api", version="v1.4", environment="production")))
    some.walk(failing("before", Progress.LOST))
    wrong = Answer(choice="wait", service="api", environment="production")
    assert codes(refused(some, wrong)) == [Code.NOTHING_ASKED]
    right = replace(wrong, choice="again")
    assert codes(refused(some, right, replace(some.facts, person=MIA))) == [Code.NOT_ALLOWED]


def test_what_status_found_is_live_and_the_first_rollback_target() -> None:
    some = room()
    report = Report(line="v1.3", version="v1.3", commit=commit_of("v1.3"))
    some.append([Found(reports={"stg-1": report, "gone": Report(detail="no answer")})])
    assert some.state.room.live(ONE) is not None
    mixed = room()
    other = Report(line="v1.2", version="v1.2", commit=commit_of("v1.2"))
    mixed.append([Found(reports={"stg-1": report, "stg-2": other})])
    assert mixed.state.room.live(("stg-1", "stg-2")) is None and mixed.state.room.last_good() is None
    nothing = room()
    nothing.append([Found(reports={"stg-1": Report(detail="no answer")})])
    assert nothing.state.room.live(ONE) is None


def test_going_live_supersedes_what_was_live() -> None:
    some = room("v1.3", "v1.4")
    assert some.state.deploys["old0"].superseded is not None
    assert some.state.deploys["old0"].superseded_by == "v1.4"
    assert some.state.deploys["old1"].superseded is None


def test_evidence_is_text_or_a_list_of_texts() -> None:
    gate = refuse(Code.UNKNOWN_SERVICE, given="x", known=("api", "web")).gates[0]
    assert (gate.text("known"), gate.listed("given"), gate.listed("no")) == ("api, web", ("x",), ())


def test_a_stale_button_offers_nothing_where_there_is_nowhere_to_go() -> None:
    some = room("v1.3")
    stale = Pin(version="v1.3", commit=commit_of("v1.3"), until="another")
    refusal = refused(some, back(pin=stale))
    assert codes(refusal) == [Code.STALE_BUTTON] and refusal.offers == ()
