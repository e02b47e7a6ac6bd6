"""The database: that it opens, is of a schema that this version knows, is whole, and can be written to."""

from functools import partial

from bot.doctor.findings import Findings, in_thread, ok, problem, warning
from bot.settings import Settings
from pipelines.storage.checkup import Looked, look_over

SECONDS = 8.0
MEND = "stop the bot, keep a copy of it, then restore a backup (one lies beside it from before each upgrade)"


async def database(settings: Settings) -> Findings:
    looked = await in_thread(partial(look_over, settings.database, SECONDS))
    if looked is None:
        yield problem("database", "this version keeps its state in SQLite; unset DATABASE_URL, or give sqlite:///…")
        return
    if not looked.exists:
        yield ok("database", "not there yet; the first start makes it")
        return
    for wrong in looked.problems:
        yield problem("database", f"{looked.path}: {wrong}; {MEND}")
    if not looked.writable:
        yield problem("database", f"{looked.path} is not writable; look whose it is, and whether the disk is read-only")
    if looked.newer:
        yield problem(
            "database", f"a newer Shipmate wrote it (schema {looked.schema}); run that one, or restore a backup"
        )
    if looked.whole is None:
        yield warning("database", f"it is too large to look all of it over in {SECONDS:g} s; nothing wrong so far")
    elif not looked.problems and looked.writable and not looked.newer:
        yield ok("database", _good(looked))


def _good(looked: Looked) -> str:
    if looked.older:
        return f"whole and writable; at schema {looked.schema}, which the next start brings up to date, after a copy"
    return f"whole and writable, at schema {looked.schema}" if looked.schema else "empty; the first start fills it"
