"""The database: that it opens, is of a schema that this version knows, is whole, and can be written to; of a PostgreSQL
that it answers and is up to date."""

from functools import partial

from sqlalchemy.exc import DBAPIError

from bot.doctor.findings import Finding, Findings, Level, in_thread, ok, problem, warning
from bot.roles import Role
from bot.settings import Settings
from pipelines.storage.checkup import MEND, READ_ONLY, Looked, look_over
from pipelines.storage.database import Database
from pipelines.storage.errors import StorageError
from pipelines.storage.schema import HEAD, make_ready

SECONDS = 8.0


async def database(settings: Settings) -> Findings:
    looked = await in_thread(partial(look_over, settings.database, SECONDS))
    if looked is None:
        answers = await _server(settings.database)
        yield answers
        if answers.level is Level.OK:
            async for finding in _held(settings.database):
                yield finding
        return
    if looked.lost:
        yield problem("database", f"{looked.path}: {looked.lost}")
    if not looked.exists and not looked.lost:
        yield ok("database", "not there yet; the first start makes it")
    if not looked.exists:
        return
    for wrong in looked.problems:
        yield problem("database", f"{looked.path}: {wrong}; stop the bot, {MEND}")
    if not looked.writable:
        yield problem("database", f"{looked.path} {READ_ONLY}")
    if looked.newer:
        yield problem(
            "database", f"a newer Shipmate wrote it (schema {looked.schema}); run that one, or restore a backup"
        )
    if looked.whole is None and not looked.problems:
        yield warning("database", f"it is too large to look all of it over in {SECONDS:g} s; nothing wrong so far")
    elif not looked.problems and not looked.lost and looked.writable and not looked.newer:
        yield ok("database", _good(looked))


async def _server(url: str) -> Finding:
    from pipelines.execution.engine import DurableEngine
    from pipelines.storage.connecting import shown, wait_for

    try:
        await wait_for(url, 0, lambda _: None)
        await in_thread(partial(make_ready, url))
        await in_thread(DurableEngine(url).check)
    except StorageError as error:
        return problem("database", str(error))
    except DBAPIError as error:
        return problem("database", f"{shown(url)} does not do what it is asked: {error.orig}")
    return ok("database", f"{shown(url)} answers, and is at schema {HEAD}")


async def _held(url: str) -> Findings:
    """Which processes work on a server's database, and whether one of them carries out what is asked."""
    from pipelines.storage.slot import held

    database = Database(url)
    try:
        names = await database.read(held)
    finally:
        await database.close()
    if any(name.startswith(Role.WORKER) for name in names):
        yield ok("processes", f"{', '.join(names)} on this database")
    elif names:
        yield warning("processes", "a web and no worker, so what is asked is kept and nothing begins: shipmate worker")


def _good(looked: Looked) -> str:
    if looked.older:
        return f"whole and writable; at schema {looked.schema}, which the next start brings up to date, after a copy"
    return f"whole and writable, at schema {looked.schema}" if looked.schema else "empty; the first start fills it"
