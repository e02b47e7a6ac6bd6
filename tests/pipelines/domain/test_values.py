"""Small rules that stand alone: reports, step work, the shape of a room, what a plan says of itself."""

from dataclasses import replace

import pytest

from pipelines.domain.events import Asked, Found, Misread, Place, Progress, Report
from pipelines.domain.fold import State, fold
from pipelines.domain.gates import known_room
from pipelines.domain.model import Config, Environment, Service, Target, room_name
from pipelines.domain.plan import How, Verb
from pipelines.domain.recipe import Recipe, Recreate, Rolling, Script
from pipelines.domain.refs import CommitLine, is_commit, is_commit_prefix
from pipelines.domain.refusals import Code
from pipelines.domain.reports import judge, recognise, reported, says
from pipelines.domain.room import Room
from pipelines.domain.stepwork import work_of
from pipelines.domain.views import RoomView
from tests.pipelines.domain.test_plans import FULL
from tests.support.domain import ANA, NOON, ask, commit_of, facts
from tests.support.walking import Walk, failing, well


@pytest.mark.parametrize(
    ("answer", "line"),
    [("v1.4\n", "v1.4"), ("\n\n  v1.4 abc \nmore", "v1.4 abc"), ("", ""), ("\n", ""), ("x" * 500, "x" * 200)],
)
def test_a_report_is_the_first_line_that_says_something(answer: str, line: str) -> None:
    assert reported(answer).line == line


@pytest.mark.parametrize(
    ("line", "yes"),
    [
        ("v1.4", True),
        ("version v1.4 (build 7)", True),
        ('{"version": "v1.4"}', True),
        (commit_of("v1.4")[:7], True),
        (commit_of("v1.4").upper(), True),
        (commit_of("v1.4")[:6], False),
        ("v1.40", False),
        ("v1.3", False),
        ("", False),
    ],
)
def test_a_report_names_a_version_or_seven_digits_of_its_commit(line: str, yes: bool) -> None:
    assert says(Report(line=line), "v1.4", commit_of("v1.4")) is yes


def test_what_nobody_knows_is_shown_as_it_was_said() -> None:
    assert recognise(Report(line="v9 x"), [("v1.4", commit_of("v1.4"))]) == ("v9", None)
    assert recognise(Report(line="nobody knows"), []) == (None, None)
    assert recognise(Report(line="blue"), []) == ("blue", None)
    assert recognise(Report(), []) == (None, None)
    assert recognise(Report(line="it is v1.4"), [("v1.4", commit_of("v1.4"))]) == ("v1.4", commit_of("v1.4"))


def test_a_status_that_says_another_version_fails_the_step() -> None:
    some = Walk(facts=facts(recipe=FULL, staging=("a",)))
    some.ask()
    status = next(step for step in some.deploy.plan.steps if step.verb is Verb.STATUS)
    wrong = judge(status, some.deploy.plan, Progress.OK, "", Report(line="v1.3"))
    assert (wrong.progress, wrong.detail) == (Progress.FAILED, "reports 'v1.3', not v1.4")
    assert judge(status, some.deploy.plan, Progress.OK, "", Report()).detail == "reports nothing, not v1.4"
    assert judge(status, some.deploy.plan, Progress.FAILED, "x", None).detail == "x"


def test_a_target_that_reports_another_version_is_shown_with_it() -> None:
    some = Walk(facts=facts(recipe=FULL, staging=("a",)))
    some.ask()
    some.walk(failing("install on a"))
    assert some.deploy.now_runs["a"].version == "v1.4"


def test_a_script_is_told_everything_and_nothing_else() -> None:
    some = Walk(facts=facts(recipe=FULL, staging=("a", "b")))
    some.ask()
    route = next(step for step in some.deploy.plan.steps if step.verb is Verb.ROUTE)
    work = work_of(some.deploy, route, 1)
    assert work.stdin == "b 1\na 0\n"
    told = "SERVICE ENVIRONMENT TARGET REGION VERSION COMMIT DIGEST ARTIFACT PREVIOUS_VERSION PREVIOUS_COMMIT"
    assert set(work.env) == {*told.split(), "DEPLOY_ID", "DEPLOY_FENCE"}
    assert (work.env["DEPLOY_FENCE"], work.env["VERSION"], work.how) == ("1", "v1.4", How.SCRIPT)
    check = next(step for step in some.deploy.plan.steps if step.verb is Verb.CHECK)
    assert [work_of(some.deploy, check, attempt).pause for attempt in (1, 2)] == [0.0, check.pause]


def test_a_deploy_knows_its_steps_and_no_others() -> None:
    some = Walk(facts=facts(recipe=FULL, staging=("a",)))
    some.ask()
    first = some.deploy.plan.steps[0]
    assert some.deploy.step(first.id) == first
    assert some.deploy.room == "api/staging" == room_name("api", "staging")
    with pytest.raises(KeyError):
        some.deploy.step("none")


def test_a_deploy_that_is_over_needs_nothing() -> None:
    some = Walk(facts=facts(recipe=FULL, staging=("a",)))
    some.ask()
    some.walk(well)
    assert some.act(some.deploy.id) == ()


def test_what_was_asked_and_misread_changes_no_room() -> None:
    state = State(room=Room(service="api", environment="staging"))
    wish = ask()
    asked = Asked(ask="a", key="k", command=wish.command, by=ANA, place=Place())
    for event in (asked, Misread(text="?", by=ANA)):
        assert fold(state, event, NOON, 1) == state


def test_a_room_with_no_targets_has_nothing_live() -> None:
    assert Room(service="api", environment="staging").live(()) is None


def test_where_a_service_runs_and_who_may_deploy_it() -> None:
    service = Service(name="api", repo="/r", owners=("ana",), targets={"staging": (Target(name="a"),)})
    environments = {
        "staging": Environment(name="staging"),
        "production": Environment(name="production", protected=True),
        "night": Environment(name="night", deployers=()),
    }
    config = Config(services={"api": service}, environments=environments)
    assert [t.name for t in service.targets_in("production")] == ["production"]
    assert [config.who_may_deploy("api", name) for name in environments] == [None, ("ana",), ()]


def test_a_view_holds_what_it_is_given() -> None:
    view = RoomView(service="api", environment="staging")
    assert view.live is None and replace(view, by="ana").by == "ana"
    assert CommitLine(commit="0" * 40, author="ana", subject="s", at=NOON).author == "ana"


def test_a_stop_that_ended_leaves_nobody_knowing_what_runs() -> None:
    recipe = Recipe(deploy=Script(run="i.sh"), stop=Script(run="s.sh"), strategy=Recreate())
    some = Walk(facts=facts(recipe=recipe, staging=("a",)))
    some.ask()
    some.walk(failing("install on a"))
    assert some.deploy.now_runs["a"].version is None and some.deploy.now_runs["a"].changing


def test_a_room_nobody_knows_is_refused_by_both_names() -> None:
    config = facts().config
    codes = [gate.code for gate in known_room("web", "moon", config)]
    assert codes == [Code.UNKNOWN_SERVICE, Code.UNKNOWN_ENVIRONMENT]
    assert known_room("api", "staging", config) == ()


def test_what_targets_agree_on_is_good() -> None:
    some = Walk()
    said = Report(line="v1.3", version="v1.3", commit=commit_of("v1.3"))
    some.append([Found(reports={"a": said, "b": said})])
    assert [(good.version, good.deploy) for good in some.state.room.good] == [("v1.3", "")]
    assert some.state.room.last_good() is None
    some.ask()
    good = some.deploy.rollback
    assert good is not None and good.version == "v1.3"


def test_a_commit_id_is_forty_digits_and_its_beginning_seven() -> None:
    assert is_commit("0" * 40) and not is_commit("0" * 39) and not is_commit("Z" * 40)
    assert is_commit_prefix("0123abc") and not is_commit_prefix("0123ab") and not is_commit_prefix("v1.4567")


def test_a_rolling_plan_without_checks_or_status_has_only_its_installs() -> None:
    bare = Recipe(deploy=Script(run="i.sh"), strategy=Rolling(bake=5))
    some = Walk(facts=facts(recipe=bare, staging=("a",)))
    some.ask()
    assert [step.label for step in some.deploy.plan.steps] == ["install on a", "bake 5 s"]
