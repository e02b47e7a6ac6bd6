"""Fetching: shared by those who ask together, going on when the remote is away, ended when it takes too long."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipelines.domain.ref_problems import GitFailed, RemoteAway, SourceError
from pipelines.execution.mirror import Limits
from pipelines.execution.source import Source, redacted
from tests.support.repository import Repository, Shim, until


@pytest.fixture
def api(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "api")
    made.release("v1.3")
    return made


@pytest.fixture
def shim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shim:
    return Shim(tmp_path, monkeypatch)


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Source]:
    made = Source(tmp_path / "data")
    yield made
    await made.close()


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Source]:
    made = Source(tmp_path / "data", Limits(fetch=0.3, clone=0.3))
    yield made
    await made.close()


async def test_asks_at_the_same_time_share_one_fetch(api: Repository, source: Source, shim: Shim) -> None:
    answers = await asyncio.gather(*(source.refresh(api.url) for _ in range(20)))
    assert shim.asked("fetch") == 1
    assert len(set(answers)) == 1
    assert answers[0].fresh
    await source.refresh(api.url)
    assert shim.asked("fetch") == 2


async def test_who_asks_during_a_fetch_gets_one_that_began_afterwards(
    api: Repository, source: Source, shim: Shim
) -> None:
    shim.gate.touch()
    first = asyncio.create_task(source.refresh(api.url))
    await until(shim.waiting.exists)
    api.release("v1.4")
    later = [asyncio.create_task(source.refresh(api.url)) for _ in range(19)]
    await asyncio.sleep(0)
    shim.gate.unlink()
    await asyncio.gather(first, *later)
    assert shim.asked("fetch") == 2
    assert (await source.resolve(api.url, "latest")).version == "v1.4"


async def test_a_caller_that_goes_away_does_not_take_the_fetch_along(
    api: Repository, source: Source, shim: Shim
) -> None:
    shim.gate.touch()
    impatient, patient = (asyncio.create_task(source.refresh(api.url)) for _ in range(2))
    await until(shim.waiting.exists)
    impatient.cancel()
    shim.gate.unlink()
    assert (await patient).fresh
    assert shim.asked("fetch") == 1


async def test_remote_away_with_a_copy_goes_on_as_of_then(api: Repository, source: Source, tmp_path: Path) -> None:
    good = await source.refresh(api.url)
    api.folder.rename(tmp_path / "gone")
    answer = await source.refresh(api.url)
    assert not answer.fresh
    assert answer.as_of == good.as_of
    assert "api" in answer.detail
    assert (await source.resolve(api.url, "v1.3")).version == "v1.3"
    restarted = Source(tmp_path / "data")
    assert (await restarted.refresh(api.url)).as_of == good.as_of
    await restarted.close()
    (tmp_path / "gone").rename(api.folder)
    back = await source.refresh(api.url)
    assert back.fresh
    assert back.as_of > good.as_of


async def test_remote_away_without_a_copy(source: Source, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await source.refresh((tmp_path / "none").as_uri())
    problem = caught.value.problem
    assert isinstance(problem, RemoteAway)
    assert problem.as_of is None
    assert problem.detail


async def test_a_fetch_that_hangs_is_ended_with_all_its_processes(
    api: Repository, hasty: Source, shim: Shim, tmp_path: Path
) -> None:
    shim.gate.touch()
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"did not finish in 0\.") as caught:
        await hasty.refresh(api.url)
    assert isinstance(caught.value.problem, RemoteAway)
    assert time.monotonic() - began < 10
    await until(lambda: not alive(shim))
    shim.gate.unlink()
    patient = Source(tmp_path / "data")
    assert (await patient.refresh(api.url)).fresh
    await patient.close()


async def test_close_ends_what_runs(api: Repository, tmp_path: Path, shim: Shim) -> None:
    source = Source(tmp_path / "data")
    shim.gate.touch()
    asked = asyncio.create_task(source.refresh(api.url))
    await until(shim.waiting.exists)
    await asyncio.wait_for(source.close(), 10)
    with pytest.raises(SourceError):
        await asked
    assert not alive(shim)


def alive(shim: Shim) -> list[int]:
    found = []
    for pid in (int(line) for line in shim.waiting.read_text().split()):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        found.append(pid)
    return found


async def test_two_bots_on_one_folder_take_turns(api: Repository, hasty: Source, shim: Shim, tmp_path: Path) -> None:
    other = Source(tmp_path / "data")
    shim.gate.touch()
    first = asyncio.create_task(other.refresh(api.url))
    await until(shim.waiting.exists)
    with pytest.raises(SourceError, match="another fetch"):
        await hasty.refresh(api.url)
    shim.gate.unlink()
    assert (await first).fresh
    await other.close()


async def test_what_a_killed_git_left_does_not_block_for_ever(api: Repository, source: Source, tmp_path: Path) -> None:
    await source.refresh(api.url)
    [mirror] = (tmp_path / "data" / "mirrors").glob("*.git")
    stale = [mirror / "packed-refs.lock", mirror / "refs" / "heads" / "main.lock", mirror / "objects/pack/tmp_pack_x"]
    api.commit("more")
    api.git("tag", "--delete", "v1.3")
    for path in stale:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
    assert not (await source.refresh(api.url)).fresh
    for path in stale:
        os.utime(path, (0, 0))
    assert (await source.refresh(api.url)).fresh
    assert not any(path.exists() for path in stale)


async def test_branches_that_turn_into_folders_and_back(api: Repository, source: Source) -> None:
    api.git("branch", "topic")
    await source.refresh(api.url)
    api.git("branch", "-D", "topic")
    api.git("branch", "topic/one")
    assert (await source.refresh(api.url)).fresh
    assert (await source.resolve(api.url, "topic/one")).commit == api.git("rev-parse", "main")


async def test_history_that_was_rewritten_is_followed(api: Repository, source: Source) -> None:
    await source.refresh(api.url)
    api.git("commit", "--quiet", "--amend", "--message", "again")
    assert (await source.refresh(api.url)).fresh
    assert (await source.resolve(api.url, "main")).commit == api.git("rev-parse", "main")


@pytest.mark.parametrize("url", ["ext::sh -c 'touch {mark}'", "--upload-pack=touch {mark}", "http://127.0.0.1:9/api"])
async def test_addresses_that_run_things_are_refused(url: str, source: Source, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(SourceError) as caught:
        await source.refresh(url.format(mark=mark))
    assert "transport" in str(caught.value) or url.startswith("-")
    assert not mark.exists()


async def test_the_operators_configuration_reaches_a_fetch_but_no_hook_does(
    api: Repository, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credential helpers, proxies and rewritten addresses live there."""
    hooks, mark = tmp_path / "hooks", tmp_path / "mark"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "post-index-change", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch '{mark}'\n")
        (hooks / name).chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        f'[core]\nhooksPath = {hooks}\n[url "{tmp_path.as_uri()}/"]\ninsteadOf = https://git.example.com/\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert (await source.refresh("https://git.example.com/api")).fresh
    commit = (await source.resolve("https://git.example.com/api", "v1.3")).commit
    await source.keep("https://git.example.com/api", commit)
    await source.tree("https://git.example.com/api", commit)
    assert not mark.exists()


async def test_started_from_a_hook_it_reads_its_own_copy(
    api: Repository, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path / "other")
    other.commit("other")
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(other.folder / ".git"))
    monkeypatch.setenv("GIT_NAMESPACE", "elsewhere")
    await source.refresh(api.url)
    assert (await source.resolve(api.url, "v1.3")).version == "v1.3"


async def test_a_new_token_needs_no_new_copy_and_is_never_shown(source: Source, tmp_path: Path) -> None:
    """Nothing listens on port 1, so git says what it could not reach."""
    for token in ("hunter2", "s3cret"):
        with pytest.raises(SourceError) as caught:
            await source.refresh(f"https://bot:{token}@127.0.0.1:1/api.git")
        assert token not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
    mirrors = list((tmp_path / "data" / "mirrors").glob("*.git"))
    assert [path.name.startswith("api-") for path in mirrors] == [True]


@pytest.mark.parametrize("secret", ["user:hunter2@", "hunter2@", "user:hun%40ter2@", "a:b@hunter2@"])
def test_redaction(secret: str) -> None:
    shown = redacted(f"fatal: unable to access 'https://{secret}example.com/x':\n\tfailed\x1b[31m\n".encode())
    assert "unable to access 'https://[redacted]@example.com/x'" in shown
    assert "hunter2" not in shown
    assert shown.isprintable()
    assert len(redacted(b"x" * 9_999)) == 500


async def test_a_fault_of_git_itself_is_told(api: Repository, source: Source, tmp_path: Path) -> None:
    await source.refresh(api.url)
    commit = (await source.resolve(api.url, "v1.3")).commit
    [mirror] = (tmp_path / "data" / "mirrors").glob("*.git")
    (mirror / "HEAD").unlink()
    with pytest.raises(SourceError) as caught:
        await source.read_file(api.url, commit, "file")
    assert isinstance(caught.value.problem, GitFailed)
    assert (await source.refresh(api.url)).fresh
    assert await source.read_file(api.url, commit, "file") == b"prepare v1.3"
