"""What a host's owner sets for it: what one script may take, how much disk stays free, and how long things are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.variables import SettingsError, days, number, size, switch

LEAST_MEMORY = 16 << 20  # with less no shell begins
LEAST_FILES = 16


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """`limit_*` and `no_new_privs` are what `pipelines.execution.rundir.Limits` says; sizes in bytes."""

    limit_memory: int | None = None
    limit_processes: int | None = None
    limit_files: int | None = None
    no_new_privs: bool = False
    keep_free: int = 100 << 20
    keep_logs: timedelta = timedelta(days=90)
    keep_runs: timedelta = timedelta(days=1)
    keep_trees: timedelta = timedelta(days=14)


def read_upkeep(env: Mapping[str, str]) -> Upkeep:
    """Raises SettingsError."""
    memory, files = size(env, "SHIPMATE_LIMIT_MEMORY"), number(env, "SHIPMATE_LIMIT_FILES")
    if memory is not None and memory < LEAST_MEMORY:
        raise SettingsError("SHIPMATE_LIMIT_MEMORY is less than 16M; no script begins with that. Write 512M, say.")
    if files is not None and files < LEAST_FILES:
        raise SettingsError("SHIPMATE_LIMIT_FILES is less than 16; no script begins with that. Write 1024, say.")
    free = size(env, "SHIPMATE_KEEP_FREE")
    return Upkeep(
        limit_memory=memory,
        limit_processes=number(env, "SHIPMATE_LIMIT_PROCESSES"),
        limit_files=files,
        no_new_privs=switch(env, "SHIPMATE_NO_NEW_PRIVS"),
        keep_free=Upkeep.keep_free if free is None else free,
        keep_logs=days(env, "SHIPMATE_KEEP_LOGS", 90),
        keep_runs=days(env, "SHIPMATE_KEEP_RUNS", 1),
        keep_trees=days(env, "SHIPMATE_KEEP_TREES", 14),
    )
