"""The checker finds what it is there to find."""

from tests.torture import ledger
from tests.torture.ledger import Line


def line(
    what: str, script: str, deploy: str, *, target: str = "one", fence: int = 1, pid: int = 1, at: float = 0
) -> Line:
    return Line(
        what=what,
        script=script,
        version="v1.1",
        target=target,
        deploy=deploy,
        fence=fence,
        pid=pid,
        room="api/staging",
        at=at,
    )


def test_a_line_is_read_as_a_script_wrote_it() -> None:
    found = ledger._line(["start", "install", "one", "v1.1", "d1", "3", "77", "api/staging", "12.5"])
    assert found == Line(
        what="start",
        script="install",
        target="one",
        version="v1.1",
        deploy="d1",
        fence=3,
        pid=77,
        room="api/staging",
        at=12.5,
    )


def test_a_script_that_began_twice_is_counted_twice() -> None:
    lines = [line("start", "install", "d1"), line("end", "install", "d1"), line("start", "install", "d1", pid=2)]
    assert ledger.starts(lines) == {("d1", "install", "one"): 2}


def test_scripts_of_two_deploys_that_are_open_at_once_overlap() -> None:
    after = [line("start", "install", "d1"), line("end", "install", "d1"), line("start", "install", "d2", fence=2)]
    assert ledger.overlaps(after) == []
    assert len(ledger.overlaps([after[0], after[2], after[1]])) == 1
    assert ledger.overlaps([after[0], Line(what=ledger.CRASH), after[2]]) == []
    assert ledger.overlaps([after[0], line("start", "install", "d1", target="two", pid=2)]) == []


def test_a_fence_that_does_not_rise_is_found() -> None:
    first, second = line("start", "install", "d1", fence=5), line("start", "install", "d2", fence=5)
    assert len(ledger.not_rising([first, second])) == 1
    assert len(ledger.not_rising([first, line("start", "check", "d1", fence=6)])) == 1
    assert ledger.not_rising([first, line("start", "install", "d2", fence=6)]) == []


def test_a_script_that_never_ended_was_hurt_unless_somebody_stopped_it_or_its_host_died() -> None:
    begun = line("start", "install", "d1")
    assert len(ledger.hurt([begun], stopped=())) == 1
    assert len(ledger.hurt([begun, line("stopped", "install", "d1")], stopped=())) == 1
    assert ledger.hurt([begun, line("stopped", "install", "d1")], stopped={"d1"}) == []
    assert ledger.hurt([begun, Line(what=ledger.CRASH)], stopped=()) == []
    assert ledger.hurt([begun, line("end", "install", "d1")], stopped=()) == []


def test_how_long_it_takes_until_a_deploy_goes_on_counts_from_the_start_of_the_bot() -> None:
    lines = [
        line("start", "install", "d1", at=1),
        line("end", "install", "d1", at=2),
        line("start", "check", "d1", at=9),
    ]
    assert list(ledger.taken_up(lines, restarts=[])) == [7]
    assert list(ledger.taken_up(lines, restarts=[1.5, 5, 8, 10])) == [1]


def test_what_a_deploy_must_have_done_is_done_by_it_or_was_done_for_the_same_version() -> None:
    def lines(*steps: tuple[str, str, str, str, str]) -> list[Line]:
        names = ("what", "script", "target", "version", "deploy")
        return [Line(**dict(zip(names, step, strict=True))) for step in steps]  # type: ignore[arg-type]

    before = lines(("end", "install", "two", "v1", "d1"), ("end", "after", "-", "v1", "d1"))
    back = lines(("end", "install", "one", "v1", "d3"))
    assert ledger.done([*before, *back], back[-1], "install", "one")
    assert ledger.done([*before, *back], back[-1], "install", "two")
    assert not ledger.done([*before, *back], back[-1], "after", "-")
    for what in ("start", "end"):
        other = lines((what, "install", "two", "v2", "d2"))
        assert not ledger.done([*before, *other, *back], back[-1], "install", "two")
