"""The addresses beside the Web API: the page and its files, uploads, answer addresses, and the doors for tests outside
of this process."""

import asyncio
from pathlib import Path

from aiohttp import web

from bot.workspace.access import csp
from bot.workspace.answers import Answers, Gone
from bot.workspace.people import People
from bot.workspace.person import PersonAtWork
from bot.workspace.searches import NoOptionsError
from bot.workspace.state import NotThereError, State
from bot.workspace.wire import ApiError, arguments

STATIC = Path(__file__).parent / "static"


class Site:
    def __init__(self, state: State, people: People, answers: Answers) -> None:
        self._state = state
        self._people = people
        self._answers = answers

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/", self._index)
        app.router.add_static("/static/", STATIC)
        app.router.add_post("/respond/{key}", self._respond)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/files/{file}", self._file)
        app.router.add_post("/_person", self._person)

    async def _index(self, request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": csp(request.host)}
        return web.Response(text=(STATIC / "index.html").read_text(), content_type="text/html", headers=headers)

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            self._answers.take(request.match_info["key"], await arguments(request))
        except Gone as gone:
            return web.Response(status=404, text=str(gone))
        except ApiError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        """The bytes of a file, once: raw, or the first file of a form."""
        file = request.match_info["file"]
        if not self._state.files.known.get(file, {"here": True})["here"]:
            raw = await _bytes(request)
            await asyncio.to_thread(self._state.files.keep, file, raw)
            return web.Response(text=f"OK - {len(raw)}")
        return web.Response(status=404, text="no such upload")

    async def _file(self, request: web.Request) -> web.Response:
        file = request.match_info["file"]
        if file not in self._state.files.known:
            return web.Response(status=404, text="no such file")
        raw = await asyncio.to_thread(self._state.files.content, file)
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "inline"}
        return web.Response(body=raw, content_type="text/plain", charset="utf-8", headers=headers)

    async def _person(self, request: web.Request) -> web.Response:
        try:
            said = await arguments(request)
            user = self._state.user(str(said.get("user")))
            if user is None:
                raise KeyError(f"nobody is called {said.get('user')}")
            done = await PersonAtWork(people=self._people, forms=self._people.forms, user=user).do(said)
        except (ApiError, KeyError, TypeError, NotThereError, NoOptionsError) as error:
            return web.json_response({"ok": False, "error": str(error.args[0] if error.args else error)}, status=400)
        return web.json_response({"ok": True, **done})


async def _bytes(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    parts = (await request.post()).values()
    found = next((part for part in parts if isinstance(part, web.FileField)), None)
    return found.file.read() if found else b""
