"""The grammar of refs, the order of version tags, and the sentences of what can go wrong."""

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.domain.ref_problems import (
    AmbiguousRef,
    BadRef,
    BadTree,
    GitFailed,
    RemoteAway,
    SourceError,
    SourceProblem,
    TooLarge,
    UnknownRef,
    Unreachable,
    check_ref,
    explain,
)
from pipelines.domain.refs import Candidate, RefKind, flaw, newest_release, release, version_tag

ALLOWED = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+-")

REFUSED = [
    *("", "-x", "--output=/tmp/x", "--upload-pack=sh", "-", ".hidden", "/main", "_x", "+x", "@", "HEAD@{1}", "@{-1}"),
    *(":/fix", "v1.4^{/c1}", "v1.4^0", "HEAD~0", "main:file", "a..b", "a...b", "..", "a//b", "main/", "main.lock"),
    *("a b", "a\tb", "v1.4\n", "\nv1.4", "v1.4\0", "$(id)", "`id`", "a;b", "a|b", "a&b", "<!channel>", "a'b", 'a"b'),
    *("a*b", "a?b", "a[b", "a\\b", "a%2e", "a#b", "a,b", "a=b", "a(b", "v1\N{ZERO WIDTH SPACE}.4", "v1.4\u202e"),
    *("\N{CYRILLIC SMALL LETTER A}pi", "v\N{FULLWIDTH DIGIT ONE}", "v١.٤", "é", "🚀", "x" * 201),
]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_ref(text)
    problem = caught.value.problem
    assert isinstance(problem, BadRef)
    assert problem.text == text
    assert "because it" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text", ["v1.4", "main", "HEAD", "3f2a91c", "feature/x-1", "api-v1.2.3+build.7", "a", "x" * 200, "1.0", "a.b_c"]
)
def test_accepted(text: str) -> None:
    assert check_ref(text) == text


@given(st.one_of(st.text(max_size=220), st.text(sorted(ALLOWED | set("@{:\n ")), max_size=220)))
@example("a.lock")
def test_whatever_is_accepted_is_harmless(text: str) -> None:
    if flaw(text) is not None:
        return
    assert 1 <= len(text) <= 200
    assert set(text) <= ALLOWED
    assert text[0].isalnum()
    assert not any(part in text for part in ("..", "@{", ":", "//", "\n"))
    assert not text.endswith((".lock", "/"))


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9][A-Za-z0-9_+-]{0,30}){0,3}", fullmatch=True))
def test_ordinary_names_are_accepted(text: str) -> None:
    assert check_ref(text) == text


def test_a_look_alike_is_named() -> None:
    assert "cyrillic small letter a" in (flaw("\N{CYRILLIC SMALL LETTER A}pi") or "")
    assert "U+202E" in (flaw("v1\u202e") or "")


@pytest.mark.parametrize(
    ("tag", "pattern", "numbers"),
    [
        ("v1.4", "v*", (1, 4, 0)),
        ("v1.4.2", "v*", (1, 4, 2)),
        ("1.4", "*", (1, 4, 0)),
        ("1.4", "v*", None),
        ("v2", "v*", None),
        ("v1.2.3.4", "v*", None),
        ("v1.5-rc1", "v*", None),
        ("vnext", "v*", None),
        ("api-v1.10", "api-v*", (1, 10, 0)),
        ("web-v1.10", "api-v*", None),
        ("v1.10", "v1.*", (1, 10, 0)),
        ("v2.0", "v1.*", None),
        ("release-2026.11", "release-2026.*", (2026, 11, 0)),
        ("v1.٤", "v*", None),
    ],
)
def test_release_numbers(tag: str, pattern: str, numbers: tuple[int, int, int] | None) -> None:
    assert release(tag, pattern) == numbers


def test_latest_goes_by_number_and_leaves_pre_releases_out() -> None:
    tags = ["v1.9", "v1.10", "v1.10.1-rc1", "v2.0-beta", "v3", "nightly", "w9.9"]
    assert newest_release(tags, "v*") == "v1.10"
    assert newest_release(["v1.5.0", "v1.5"], "v*") == "v1.5.0"
    assert newest_release(["nightly"], "v*") is None


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=30))
def test_latest_is_the_highest(numbers: list[tuple[int, int]]) -> None:
    newest = max(numbers)
    assert newest_release([f"v{a}.{b}" for a, b in numbers], "v*") == f"v{newest[0]}.{newest[1]}"


def test_version_of_a_commit_with_several_tags() -> None:
    assert version_tag(["v1.9", "v1.10", "v1.11-rc1", "zzz"], "v*") == "v1.10"
    assert version_tag(["v1.11-rc2", "v1.11-rc10"], "v*") == "v1.11-rc10"
    assert version_tag(["nightly"], "v*") is None
    assert version_tag(["v<!channel>"], "v*") is None


PROBLEMS: list[tuple[SourceProblem, list[str]]] = [
    (BadRef(text="a\nb", reason="holds U+000A (control character)"), ["U+000A"]),
    (UnknownRef(text="v1.44", near=("v1.4", "v1.3")), ["v1.44", "Did you mean v1.4 or v1.3?"]),
    (UnknownRef(text="latest"), ["v1.2.3"]),
    (UnknownRef(text="x" * 150), ["…", "Push it first"]),
    (
        AmbiguousRef(
            text="v1",
            candidates=(
                Candidate(kind=RefKind.TAG, name="v1", commit="a" * 40),
                Candidate(kind=RefKind.BRANCH, name="v1", commit="b" * 40),
            ),
        ),
        ["tag v1 (aaaaaaaaaaaa)", "branch v1 (bbbbbbbbbbbb)", "full id"],
    ),
    (Unreachable(commit="c" * 40), ["cccccccccccc", "Push it"]),
    (RemoteAway(as_of=None, detail="no route"), ["never", "no route"]),
    (RemoteAway(as_of=datetime(2026, 3, 1, 14, 2, tzinfo=UTC), detail="no route"), ["2026-03-01 14:02"]),
    (BadTree(commit="d" * 40, path="etc/link", reason="is a submodule"), ["etc/link", "submodule"]),
    (TooLarge(path="big", size=2_000_000, limit=1_000_000), ["2,000,000", "1,000,000"]),
    (GitFailed(doing="fetch", detail="it did not finish in 10 s"), ["fetch", "10 s"]),
]


@pytest.mark.parametrize(("problem", "words"), PROBLEMS, ids=lambda value: getattr(value, "code", ""))
def test_every_problem_is_a_kind_sentence(problem: SourceProblem, words: list[str]) -> None:
    sentence = explain(problem)
    assert all(word in sentence for word in words)
    assert sentence.endswith((".", "?"))
    assert sentence.isprintable()


def test_git_agrees_that_accepted_names_are_names() -> None:
    """The grammar is narrower than git's for what it accepts here, so nothing accepted is git's own syntax."""
    for text in ("v1.4", "feature/x-1", "api-v1.2.3+build.7"):
        assert subprocess.run(["git", "check-ref-format", f"refs/tags/{text}"], timeout=30).returncode == 0
