"""What a room believes after things went wrong: where traffic goes, what is good, which buttons still work."""

from dataclasses import replace

import pytest

from handlers.chat.deploy_card import deploy_card
from pipelines.domain.commands import Abort, Button, Deploy, Pin, Retry, Rollback
from pipelines.domain.decide import Need
from pipelines.domain.events import Outcome, Progress
from pipelines.domain.gates import Cooked
from pipelines.domain.model import PersonKind
from pipelines.domain.plan import Step, Verb
from pipelines.domain.recipe import Recipe, Recreate, Rolling, Script, StatusUrl
from pipelines.domain.refusals import Code, Refusal
from pipelines.domain.room import Traffic
from tests.support.domain import ANA, RAJ, ask, commit_of, facts, knowing
from tests.support.walking import Walk, failing, well

TWO = ("a", "b")
ROUTED = Recipe(
    deploy=Script(run="i.sh"), route=Script(run="r.sh"), status=StatusUrl(url="http://$TARGET"), strategy=Rolling()
)
OFF = replace(ROUTED, strategy=Recreate())


def wish(version: str) -> Deploy:
    return Deploy(service="api", version=version, environment="staging")


def knows(version: str, new_id: str, recipe: Recipe) -> Walk:
    some = facts(version, recipe=recipe, new_id=new_id, staging=TWO)
    return Walk(facts=knowing(some, "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", recipe=recipe))


def room(recipe: Recipe, *versions: str) -> Walk:
    some = Walk()
    for number, version in enumerate(versions):
        some.facts = knows(version, f"old{number}", recipe).facts
        some.ask(ask(wish(version)))
        assert some.walk().outcome is Outcome.LIVE
    some.facts = knows("v1.5", "new", recipe).facts
    return some


def tables(steps: tuple[Step, ...] | None) -> list[str]:
    return [" ".join(f"{w.target}={w.weight}" for w in step.table) for step in steps or () if step.verb is Verb.ROUTE]


@pytest.mark.parametrize("how", [Progress.FAILED, Progress.TIMED_OUT])
def test_a_table_that_may_hold_or_not_is_applied_again_for_what_runs_the_old_version(how: Progress) -> None:
    some = room(ROUTED, "v1.4")
    some.ask(ask(wish("v1.5")))
    deploy = some.walk(failing("traffic to a", how))  # a is new by then, and b may be drained or not
    assert tables(deploy.recovery) == ["b=1 a=0"]
    assert {name: state.traffic for name, state in deploy.now_runs.items()} == {"a": Traffic.OUT, "b": Traffic.IN}


def test_traffic_that_was_perhaps_taken_off_is_given_back() -> None:
    some = room(OFF, "v1.4")
    some.ask(ask(wish("v1.5")))
    deploy = some.walk(failing("traffic off"))
    assert tables(deploy.recovery) == ["a=1 b=1"]
    assert all(state.traffic is Traffic.IN for state in deploy.now_runs.values())


def test_where_nobody_knows_it_says_so_and_a_rollback_to_what_runs_applies_the_table_alone() -> None:
    some = room(OFF, "v1.3", "v1.4")
    some.ask(ask(wish("v1.5")))
    deploy = some.walk(lambda step, _: Progress.FAILED if step.verb is Verb.ROUTE else Progress.OK)
    assert all(state.traffic is Traffic.UNSURE for state in deploy.now_runs.values())
    assert "nobody knows" in deploy_card(deploy, some.now).lines[0]
    assert "Where traffic goes is not known" in deploy_card(deploy, some.now).lines[-1]
    some.facts = replace(some.facts, new_id="back")
    some.ask(ask(Rollback(service="api", environment="staging", to="v1.4")))
    back = some.walk(well)
    assert back.id == "back" and back.outcome is Outcome.LIVE
    assert tables(back.plan.steps) == ["a=1 b=1"]
    assert not [step for step in back.plan.steps if step.verb is Verb.DEPLOY]


def test_a_pinned_rollback_that_has_to_end_a_deploy_first_keeps_its_pin() -> None:
    some = room(ROUTED, "v1.3", "v1.4")
    some.ask(ask(wish("v1.2")), replace(some.facts, version=facts("v1.2").version, new_id="run"))
    pin = Pin(version="v1.3", commit=commit_of("v1.3"), until="old1")
    source = Button(deploy="old1", action="rollback")
    refusal = some.ask(ask(Rollback(service="api", environment="staging", pin=pin, button=source)))
    assert isinstance(refusal, Refusal)
    assert refusal.offers[0].label == "Abort and roll back to v1.3"
    assert refusal.offers[0].say == "rollback api staging to v1.3 now"


def test_a_button_pressed_just_after_its_own_deploy_went_live_is_not_stale() -> None:
    some = room(ROUTED, "v1.3", "v1.4")
    pin = Pin(version="v1.3", commit=commit_of("v1.3"), until="old0")  # as it was while old1 ran
    own = Rollback(service="api", environment="staging", pin=pin, button=Button(deploy="old1", action="rollback"))
    assert isinstance(some.ask(ask(own)), tuple)
    other = room(ROUTED, "v1.3", "v1.4")
    of_another = replace(own, button=Button(deploy="old0", action="rollback"))
    stale = other.ask(ask(of_another))
    assert isinstance(stale, Refusal) and stale.gates[0].code is Code.STALE_BUTTON


def test_a_rollback_that_changed_nothing_makes_nothing_bad() -> None:
    some = room(ROUTED, "v1.3", "v1.4")
    some.ask(ask(Rollback(service="api", environment="staging")), replace(some.facts, new_id="back"))
    some.ask(ask(Abort(service="api", environment="staging")))
    assert some.walk().outcome is Outcome.ABORTED
    some.ask(ask(wish("v1.5")))
    failed = some.walk(failing("install on a"))
    assert failed.rollback is not None and failed.rollback.version == "v1.4"


def test_after_a_rollback_that_came_to_no_target_the_next_goes_to_the_same_version() -> None:
    hooked = replace(ROUTED, before=(Script(run="before.sh"),))
    some = room(hooked, "v1.2", "v1.3", "v1.4")
    some.ask(ask(Rollback(service="api", environment="staging")), replace(some.facts, new_id="back"))
    assert some.walk(failing("before")).rollback is not None
    some.ask(ask(Rollback(service="api", environment="staging")), replace(some.facts, new_id="again"))
    assert (some.deploy.id, some.deploy.plan.version) == ("again", "v1.3")


def test_nor_does_it_go_further_back_where_the_targets_do_not_agree() -> None:
    hooked = replace(ROUTED, before=(Script(run="before.sh"),))
    some = room(hooked, "v1.3", "v1.4")
    some.ask(ask(wish("v1.5")), replace(some.facts, new_id="bad"))
    some.walk(failing("install on b"))
    for name in ("back", "again"):
        some.ask(ask(Rollback(service="api", environment="staging")), replace(some.facts, new_id=name))
        assert (some.deploy.id, some.deploy.plan.version) == (name, "v1.4")
        some.walk(failing("before"))


def test_one_that_changed_something_says_that_what_it_left_is_bad() -> None:
    some = room(ROUTED, "v1.2", "v1.3", "v1.4")
    some.ask(ask(Rollback(service="api", environment="staging")), replace(some.facts, new_id="back"))
    some.walk(failing("install on a"))
    some.ask(ask(wish("v1.5")), replace(some.facts, new_id="next"))
    failed = some.walk(failing("install on a"))
    assert failed.rollback is not None and failed.rollback.version == "v1.3"


def test_a_deploy_that_another_one_followed_has_no_dead_buttons() -> None:
    some = room(ROUTED, "v1.4")
    some.ask(ask(wish("v1.5")), replace(some.facts, new_id="bad"))
    some.walk(failing("install on a"))
    labels = [button.label for button in deploy_card(some.deploy, some.now).buttons]
    assert labels[-1] == "Log" and "Retry" in labels
    some.ask(ask(wish("v1.5")), replace(some.facts, new_id="next"))
    after = deploy_card(some.state.deploys["bad"], some.now)
    assert [button.label for button in after.buttons] == ["Log"]


def test_who_may_do_nothing_is_told_nothing() -> None:
    some = room(ROUTED, "v1.4")
    some.ask(ask(wish("v1.5")))
    guest = replace(some.facts, person=replace(ANA, kind=PersonKind.GUEST))
    refusal = some.ask(ask(wish("v1.5")), guest)
    assert isinstance(refusal, Refusal) and [gate.code for gate in refusal.gates] == [Code.NOT_A_MEMBER]
    assert refusal.offers == ()


def test_a_busy_room_offers_to_end_what_holds_it() -> None:
    some = room(ROUTED, "v1.4")
    some.ask(ask(wish("v1.5")))
    refusal = some.ask(ask(wish("v1.5")))
    assert isinstance(refusal, Refusal)
    assert [(offer.label, offer.say) for offer in refusal.offers] == [("Abort v1.5 in staging", "abort api staging")]


def test_a_second_abort_does_not_take_the_first_ones_name() -> None:
    some = room(ROUTED, "v1.3", "v1.4")
    some.ask(ask(wish("v1.5")))
    some.ask(ask(Abort(service="api", environment="staging", because="wrong one"), by=ANA))
    later = Rollback(service="api", environment="staging", now=True)
    some.ask(ask(later, by=RAJ), replace(some.facts, person=RAJ, new_id="back"))
    abort = some.state.deploys["new"].abort
    assert abort is not None and abort.by == ANA and abort.then is not None and abort.then.by == RAJ
    assert "because wrong one" in deploy_card(some.state.deploys["new"], some.now).facts


def test_what_ends_a_version_is_its_own_script() -> None:
    """A commit that knew no `stop` is not stopped by the next one's, which its tree does not have."""
    stopping = replace(OFF, stop=Script(run="new/stop.sh"))
    some = room(OFF, "v1.4")
    unread = facts("v1.5", recipe=stopping, new_id="new", staging=TWO)
    assert some.ask(ask(wish("v1.5")), unread) == Need(commit=commit_of("v1.4"))
    for before, stops in ((OFF, []), (replace(OFF, stop=Script(run="old/stop.sh")), ["old/stop.sh"] * 2)):
        some = room(OFF, "v1.4")
        cooked = Cooked(recipe=before, digest="git-tree:t")
        known = replace(unread, recipes={**unread.recipes, commit_of("v1.4"): cooked})
        assert isinstance(some.ask(ask(wish("v1.5")), known), tuple)
        found = [step for step in some.deploy.plan.steps if step.verb is Verb.STOP]
        assert [step.what for step in found] == stops
        assert all(step.commit == commit_of("v1.4") for step in found)


def test_where_nobody_knows_what_runs_the_new_ones_script_ends_it() -> None:
    stopping = replace(OFF, stop=Script(run="new/stop.sh"))
    some = Walk(facts=facts("v1.5", recipe=stopping, new_id="new", staging=TWO))
    some.ask(ask(wish("v1.5")))
    found = [step for step in some.deploy.plan.steps if step.verb is Verb.STOP]
    assert [(step.what, step.commit) for step in found] == [("new/stop.sh", commit_of("v1.5"))] * 2


def test_a_rollback_and_a_retry_read_what_runs_before_they_end_it() -> None:
    some = room(OFF, "v1.3", "v1.4")
    goal = {commit_of("v1.3"): Cooked(recipe=OFF, digest="git-tree:t")}
    back = Rollback(service="api", environment="staging")
    assert some.ask(ask(back), replace(some.facts, recipes=goal)) == Need(commit=commit_of("v1.4"))
    assert isinstance(some.ask(ask(wish("v1.5"))), tuple)
    assert some.walk(failing("traffic off")).outcome is Outcome.FAILED
    again = Retry(service="api", environment="staging")
    assert some.ask(ask(again), replace(some.facts, recipes={}, new_id="again")) == Need(commit=commit_of("v1.4"))
