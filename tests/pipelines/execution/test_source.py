"""What a typed name means in a real repository, what is read out of it, and what is kept in it."""

import re
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from pipelines.domain.ref_problems import (
    AmbiguousRef,
    BadRef,
    RemoteAway,
    SourceError,
    SourceProblem,
    TooLarge,
    UnknownRef,
    Unreachable,
)
from pipelines.domain.refs import RefKind
from pipelines.execution.source import Source
from tests.support.repository import Repository


@pytest.fixture
def api(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "api")


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    made = Source(tmp_path / "data")
    yield made
    await made.close()


async def problem_of(asked: Awaitable[object]) -> SourceProblem:
    with pytest.raises(SourceError) as caught:
        await asked
    return caught.value.problem


async def test_a_tag_is_its_commit_and_its_version(api: Repository, source: Source) -> None:
    commit = api.release("v1.4")
    api.commit("later")
    await source.refresh(api.url)
    found = await source.resolve(api.url, "v1.4")
    assert (found.commit, found.version, found.shown, found.ref_kind) == (commit, "v1.4", "v1.4", RefKind.TAG)
    assert found.tree == await source.tree_id(api.url, commit) == api.git("rev-parse", f"{commit}^{{tree}}")
    assert found.committed_at.timestamp() == int(api.git("log", "-1", "--format=%ct", commit))
    assert found.committed_at.tzinfo is not None


async def test_a_branch_becomes_its_version_tag_or_twelve_digits(api: Repository, source: Source) -> None:
    tagged = api.release("v1.4")
    await source.refresh(api.url)
    found = await source.resolve(api.url, "main")
    assert (found.version, found.shown, found.ref_kind) == ("v1.4", f"main ({tagged[:7]})", RefKind.BRANCH)
    commit = api.commit("untagged")
    await source.refresh(api.url)
    found = await source.resolve(api.url, "main")
    assert (found.commit, found.version, found.shown) == (commit, commit[:12], f"main ({commit[:7]})")


async def test_a_commit_by_full_and_short_id(api: Repository, source: Source) -> None:
    plain, tagged = api.commit("one"), api.release("v1.4")
    await source.refresh(api.url)
    for text in (plain, plain[:7], plain[:12], plain[:8].upper()):
        found = await source.resolve(api.url, text)
        assert (found.commit, found.version, found.shown) == (plain, plain[:12], plain[:12])
        assert found.ref_kind is RefKind.COMMIT
    found = await source.resolve(api.url, tagged[:7])
    assert (found.version, found.shown) == ("v1.4", f"v1.4 ({tagged[:7]})")


async def test_six_digits_are_no_commit(api: Repository, source: Source) -> None:
    commit = api.commit()
    await source.refresh(api.url)
    assert isinstance(await problem_of(source.resolve(api.url, commit[:6])), UnknownRef)


async def test_of_several_tags_the_typed_one_else_the_highest(api: Repository, source: Source) -> None:
    commit = api.release("v1.9")
    for tag in ("v1.10", "v1.11-rc1", "nightly"):
        api.git("tag", tag)
    await source.refresh(api.url)
    assert (await source.resolve(api.url, "main")).version == "v1.10"
    assert (await source.resolve(api.url, "v1.9")).version == "v1.9"
    assert (await source.resolve(api.url, "nightly")).version == "nightly"
    assert (await source.resolve(api.url, "main", tags="api-v*")).version == commit[:12]


async def test_latest_is_the_highest_release_even_if_a_branch_has_that_name(api: Repository, source: Source) -> None:
    newest = api.release("v1.10")
    for tag in ("v1.9", "v2.0-rc1", "api-v7.1"):
        api.release(tag)
    api.git("branch", "latest")
    api.git("branch", "v1.10", "main")
    await source.refresh(api.url)
    found = await source.resolve(api.url, "latest")
    assert (found.commit, found.version, found.shown) == (newest, "v1.10", "latest (v1.10)")
    assert (await source.resolve(api.url, "latest", tags="api-v*")).version == "api-v7.1"
    assert await problem_of(source.resolve(api.url, "latest", tags="web-v*")) == UnknownRef(text="latest")


async def test_a_tag_that_moves_changes_nothing_until_somebody_asks(api: Repository, source: Source) -> None:
    first = api.release("v1.4")
    await source.refresh(api.url)
    found = await source.resolve(api.url, "v1.4")
    second = api.commit("another")
    api.point("refs/tags/v1.4", second)
    assert await source.resolve(api.url, "v1.4") == found
    await source.refresh(api.url)
    assert (await source.resolve(api.url, "v1.4")).commit == second
    assert await source.read_file(api.url, first, "file") == b"prepare v1.4"


WORDS = [("latst", ("latest",)), ("prevous", ("previous",))]


async def test_what_is_nearly_a_name_is_offered(api: Repository, source: Source) -> None:
    api.release("v1.4")
    api.git("branch", "feature/login")
    api.point("refs/tags/v1.4<!channel>", api.git("rev-parse", "main"))
    await source.refresh(api.url)
    for text, near in (("1.4", ("v1.4",)), ("V1.4", ("v1.4",)), ("mian", ("main",)), ("zzzzzzzz", ()), *WORDS):
        assert await problem_of(source.resolve(api.url, text)) == UnknownRef(text=text, near=near)
    near_login = await problem_of(source.resolve(api.url, "feature/logni"))
    assert isinstance(near_login, UnknownRef)
    assert near_login.near[0] == "feature/login"


async def test_tag_and_branch_of_one_name(api: Repository, source: Source) -> None:
    one = api.release("v1.4")
    api.git("branch", "v1.4", "main")
    await source.refresh(api.url)
    assert (await source.resolve(api.url, "v1.4")).ref_kind is RefKind.TAG
    two = api.commit("another")
    api.point("refs/heads/v1.4", two)
    await source.refresh(api.url)
    problem = await problem_of(source.resolve(api.url, "v1.4"))
    assert isinstance(problem, AmbiguousRef)
    assert [(each.kind, each.commit) for each in problem.candidates] == [(RefKind.TAG, one), (RefKind.BRANCH, two)]


@pytest.mark.parametrize("folder", ["refs/tags", "refs/heads"])
async def test_a_name_that_is_also_the_beginning_of_a_commit(folder: str, api: Repository, source: Source) -> None:
    one, two = api.commit("one"), api.commit("two")
    api.point(f"{folder}/{one[:8]}", two)
    await source.refresh(api.url)
    problem = await problem_of(source.resolve(api.url, one[:8]))
    assert isinstance(problem, AmbiguousRef)
    assert {each.commit for each in problem.candidates} == {one, two}
    api.point(f"{folder}/{one[:8]}", one)
    await source.refresh(api.url)
    assert (await source.resolve(api.url, one[:8])).commit == one


async def test_a_name_of_forty_digits_does_not_hide_the_commit(api: Repository, source: Source) -> None:
    one, two = api.commit("one"), api.commit("two")
    api.point(f"refs/tags/{one}", two)
    await source.refresh(api.url)
    assert isinstance(await problem_of(source.resolve(api.url, one)), AmbiguousRef)


async def test_seven_digits_that_two_commits_share(api: Repository, source: Source) -> None:
    """A pair of commits whose ids begin alike, found once by trying dates."""
    tree = api.git("hash-object", "-t", "tree", "-w", "--stdin", stdin="")
    person = "ana <ana@example.com>"
    ids = [
        api.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=TWIN.format(tree=tree, person=person, at=at))
        for at in TWINS
    ]
    assert ids[0][:7] == ids[1][:7]
    assert ids[0] != ids[1]
    for number, commit in enumerate(ids):
        api.point(f"refs/heads/twin-{number}", commit)
    await source.refresh(api.url)
    problem = await problem_of(source.resolve(api.url, ids[0][:7]))
    assert isinstance(problem, AmbiguousRef)
    assert {each.commit for each in problem.candidates} == set(ids)
    api.git("update-ref", "-d", "refs/heads/twin-1")
    await source.refresh(api.url)
    assert (await source.resolve(api.url, ids[0][:7])).commit == ids[0]


TWIN = "tree {tree}\nauthor {person} {at} +0000\ncommitter {person} {at} +0000\n\ntwin\n"
TWINS = (1_000_002_558, 1_000_013_992)


@pytest.mark.parametrize("text", ["-x", "a..b", "HEAD@{1}", ":/x", "--output=/tmp/x", "v1.4^{/c1}", "main:file", "@"])
async def test_git_syntax_is_refused(text: str, api: Repository, source: Source) -> None:
    api.release("v1.4")
    await source.refresh(api.url)
    assert isinstance(await problem_of(source.resolve(api.url, text)), BadRef)


async def test_only_the_full_name_of_a_ref_counts(api: Repository, source: Source) -> None:
    """git itself would find these by its rules for short names."""
    commit = api.commit()
    for ref in ("refs/heads/refs/tags/v9.9", "refs/tags/refs/heads/sneaky", "refs/heads/a/b"):
        api.point(ref, commit)
    await source.refresh(api.url)
    for text in ("v9.9", "sneaky", "HEAD", "a", "heads/main", "refs/heads/main", "b", "FETCH_HEAD"):
        assert isinstance(await problem_of(source.resolve(api.url, text)), UnknownRef), text


async def test_a_tag_of_something_that_is_no_commit(api: Repository, source: Source) -> None:
    api.commit()
    api.git("tag", "v9.9", api.git("hash-object", "-w", "--stdin", stdin="a key"))
    await source.refresh(api.url)
    assert isinstance(await problem_of(source.resolve(api.url, "v9.9")), UnknownRef)
    assert isinstance(await problem_of(source.resolve(api.url, "latest")), UnknownRef)


async def test_a_commit_that_no_branch_or_tag_reaches(api: Repository, source: Source) -> None:
    api.commit("base")
    api.git("checkout", "--quiet", "-b", "topic")
    commit = api.commit("on a topic")
    await source.refresh(api.url)
    assert (await source.resolve(api.url, commit)).commit == commit
    await source.keep(api.url, commit)
    api.git("checkout", "--quiet", "main")
    api.git("branch", "-D", "topic")
    await source.refresh(api.url)
    assert await source.has(api.url, commit)
    for text in (commit, commit[:9]):
        assert await problem_of(source.resolve(api.url, text)) == Unreachable(commit=commit)


async def test_pull_requests_are_not_fetched(api: Repository, source: Source) -> None:
    base = api.commit("base")
    api.git("checkout", "--quiet", "--detach")
    commit = api.commit("from a fork")
    api.git("checkout", "--quiet", "main")
    api.point("refs/pull/1/head", commit)
    await source.refresh(api.url)
    assert await source.has(api.url, base)
    assert not await source.has(api.url, commit)
    assert isinstance(await problem_of(source.resolve(api.url, commit)), UnknownRef)


async def test_a_kept_commit_outlives_its_branch_and_every_clean_up(
    api: Repository, source: Source, tmp_path: Path
) -> None:
    api.commit("base")
    for branch in ("kept", "lost"):
        api.git("checkout", "--quiet", "-b", branch, "main")
        api.commit(branch)
    kept, lost = api.git("rev-parse", "kept"), api.git("rev-parse", "lost")
    api.git("checkout", "--quiet", "main")
    await source.refresh(api.url)
    await source.keep(api.url, kept)
    api.git("branch", "-D", "kept", "lost")
    await source.refresh(api.url)
    assert isinstance(await problem_of(source.resolve(api.url, "kept")), UnknownRef)
    await source.tidy(api.url)
    collect(api, tmp_path)
    assert await source.has(api.url, kept)
    assert not await source.has(api.url, lost)
    assert await source.read_file(api.url, kept, "file") == b"kept"
    await source.forget(api.url, kept)
    await source.forget(api.url, kept)
    collect(api, tmp_path)
    assert not await source.has(api.url, kept)


def collect(api: Repository, tmp_path: Path) -> None:
    """git's own clean-up, at its sharpest, in the copy."""
    [mirror] = (tmp_path / "data" / "mirrors").glob("*.git")
    api.git(f"--git-dir={mirror}", "gc", "--quiet", "--prune=now")


async def test_commits_between(api: Repository, source: Source) -> None:
    old = api.release("v1.3")
    api.git("config", "user.name", "raj\u202e <!channel>")
    for number in range(4):
        new = api.commit(f"fix {number}\n\nbody")
    await source.refresh(api.url)
    found = await source.commits_between(api.url, old, new, limit=3)
    assert (found.ahead, found.behind) == (4, 0)
    assert [line.subject for line in found.lines] == ["fix 3", "fix 2", "fix 1"]
    assert found.lines[0].commit == new
    assert found.lines[0].author == api.git("log", "-1", "--format=%an", new)
    assert found.lines[0].at.tzinfo is not None
    back = await source.commits_between(api.url, new, old)
    assert (back.ahead, back.behind, back.lines) == (0, 4, ())
    assert (await source.commits_between(api.url, new, new)).ahead == 0


async def test_commits_between_diverged_and_unrelated(api: Repository, source: Source) -> None:
    api.commit("base")
    api.git("checkout", "--quiet", "-b", "topic")
    topic = api.commit("topic")
    api.git("checkout", "--quiet", "main")
    for number in range(2):
        main = api.commit(f"main {number}")
    api.git("checkout", "--quiet", "--orphan", "island")
    island = api.commit("island")
    await source.refresh(api.url)
    found = await source.commits_between(api.url, main, topic)
    assert (found.ahead, found.behind) == (1, 2)
    assert (await source.commits_between(api.url, main, island)).behind == 3


async def test_an_unknown_commit_is_said_to_be_unknown(api: Repository, source: Source) -> None:
    here = api.commit()
    await source.refresh(api.url)
    for gone in ("f" * 40, "main", "--output=/tmp/x", here[:12]):
        for asked in (
            source.commits_between(api.url, gone, here),
            source.changed_paths(api.url, here, gone),
            source.read_file(api.url, gone, "file"),
            source.ls(api.url, gone),
            source.tree(api.url, gone),
        ):
            assert await problem_of(asked) == UnknownRef(text=gone)


async def test_reading_files(api: Repository, source: Source) -> None:
    (api.folder / "link").symlink_to("deploy/run.sh")
    (api.folder / "out").symlink_to("/etc/passwd")
    files = {"deploy.yml": "a: 1\n", "deploy/run.sh": "x", "big": "x" * 1_000_001, "ä ö": "u", "*": "star"}
    commit = api.commit("files", files)
    await source.refresh(api.url)
    for path, content in (
        *[("deploy.yml", b"a: 1\n"), ("link", b"x"), ("ä ö", b"u"), ("*", b"star")],
        *[(path, None) for path in ("none", "deploy", "out", "", "../api/deploy.yml", "/etc/passwd", "a\nb", "a\0b")],
    ):
        assert await source.read_file(api.url, commit, path) == content, path
    problem = await problem_of(source.read_file(api.url, commit, "big"))
    assert problem == TooLarge(path="big", size=1_000_001, limit=1_000_000)


async def test_listing_and_comparing(api: Repository, source: Source) -> None:
    (api.folder / "deploy").mkdir()
    (api.folder / "deploy" / "run.sh").write_text("#!/bin/sh\n")
    (api.folder / "deploy" / "run.sh").chmod(0o755)
    (api.folder / "link").symlink_to("deploy")
    old = api.commit("one", {"deploy/data": "1", "ä": "1", "*": "1"})
    new = api.commit("two", {"deploy/data": "2", "added": "2"})
    await source.refresh(api.url)
    everything = {"*": "100644", "deploy/data": "100644", "deploy/run.sh": "100755", "link": "120000", "ä": "100644"}
    assert await source.ls(api.url, old) == everything
    assert set(await source.ls(api.url, old, "deploy/")) == {"deploy/data", "deploy/run.sh"}
    assert set(await source.ls(api.url, old, "*")) == {"*"}
    assert await source.ls(api.url, old, "none") == {}
    assert set(await source.changed_paths(api.url, old, new)) == {"deploy/data", "added"}


async def test_nothing_to_read_before_the_first_fetch(api: Repository, source: Source) -> None:
    commit = api.commit()
    for asked in (source.resolve(api.url, "main"), source.read_file(api.url, commit, "file")):
        problem = await problem_of(asked)
        assert isinstance(problem, RemoteAway)
        assert problem.as_of is None
    assert not await source.has(api.url, commit)


async def test_git_not_installed(source: Source, api: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SourceError, match=re.escape("git is not installed")):
        await source.refresh(api.url)
