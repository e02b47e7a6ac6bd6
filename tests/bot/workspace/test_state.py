"""What outlives a restart: messages, private ones, files, answers; and a file that cannot be read."""

from pathlib import Path

import aiohttp
import pytest

from bot.workspace import Workspace, default_seed
from bot.workspace.files import KEPT, Files
from bot.workspace.state import NAME, State
from tests.bot.workspace.bolt import ACTIONS, by_socket


async def test_it_goes_on_where_it_was(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    first = Workspace(default_seed(), tmp_path)
    await first.start()
    headers = {"Authorization": f"Bearer {first.seed.app.bot_token}"}
    said = {"channel": "C0DEPLOYS", "text": "root", "blocks": ACTIONS}
    async with http.post(f"{first.api_url}chat.postMessage", json=said, headers=headers) as answer:
        root = (await answer.json())["ts"]
    whisper = {"channel": "C0DEPLOYS", "user": "U0ANA", "text": "psst"}
    async with http.post(f"{first.api_url}chat.postEphemeral", json=whisper, headers=headers) as answer:
        assert (await answer.json())["ok"]
    file = first.state.files.announce("log.txt", 3)
    async with http.post(f"{first.page_url}upload/{file}", data=b"one") as answer:
        assert await answer.text() == "OK - 3"
    async with http.post(f"{first.page_url}upload/{file}", data=b"two") as answer:
        assert answer.status == 404
    channel = first.state.channel("#deploys")
    assert channel is not None
    key = first.people.answers.open(channel, first.person("ana").user).rsplit("/", 1)[1]
    await first.person("ana").command("#random", "/invite", "@shipmate")
    await first.stop()

    second = Workspace(default_seed(), tmp_path)
    await second.start()
    try:
        assert [m["text"] for m in second.ephemerals("ana")] == ["psst"]
        assert (await second.person("raj").say("#deploys", "hello"))["ts"] > root
        assert second.state.files[file]["content"] == "one"
        async with http.get(f"{second.page_url}files/{file}") as answer:
            assert (await answer.text(), answer.content_type) == ("one", "text/plain")
        async with http.post(f"{second.page_url}respond/{key}", json={"text": "late"}) as answer:
            assert answer.status == 200
        async with by_socket(second) as heard:
            assert await second.person("ana").click(second.messages("#deploys")[0], "Roll back")
            assert heard.clicks[0]["message"]["ts"] == root
        joined = second.state.channel("#random")
        assert joined is not None and joined.bot_is_member
    finally:
        await second.stop()


async def test_a_start_that_is_refused_changes_nothing_on_disk(tmp_path: Path) -> None:
    first = Workspace(default_seed(), tmp_path)
    await first.start()
    try:
        second = Workspace(default_seed(), tmp_path)
        await first.person("ana").say("#deploys", "kept")
        first.state.save()
        before = (tmp_path / NAME).read_text()
        with pytest.raises(ValueError, match="this machine alone"):
            await second.start(host="192.0.2.1")
        await second.stop()
        assert (tmp_path / NAME).read_text() == before
    finally:
        await first.stop()


async def test_a_file_that_cannot_be_read_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("{")
    state = State(default_seed(), tmp_path)
    state.load()
    assert state.kept.messages == {}
    assert (tmp_path / f"{NAME}.unreadable").read_text() == "{"


def test_names_of_messages_always_rise() -> None:
    state = State(default_seed(), None)
    names = [state.new_ts() for _ in range(2_000)]
    assert names == sorted(set(names))


def test_the_oldest_files_go_when_there_are_too_many(tmp_path: Path) -> None:
    for folder in (tmp_path, None):
        files = Files(folder)
        first = files.announce("first.txt", 3)
        files.keep(first, b"one")
        second = files.announce("second.txt", 3)
        files.keep(second, b"two")
        for _ in range(KEPT - 1):
            files.announce("more.txt", 1)
        assert first not in files.known
        assert (files.content(first), files.content(second)) == (b"", b"two")
