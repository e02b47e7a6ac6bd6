"""The composition: what a bot is made of, and who works with whom."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bot.settings import Settings
from bot.upkeep import Upkeep
from pipelines.catalog import ConfigFile
from pipelines.deciding import Decider
from pipelines.execution import disk
from pipelines.execution.engine import DurableEngine
from pipelines.execution.pruner import Keep
from pipelines.execution.rundir import Limits
from pipelines.execution.source import Source
from pipelines.facts import Doorman, Gatherer
from pipelines.ids import new_id
from pipelines.looking import Looker
from pipelines.probing import Prober
from pipelines.shipmate import Shipmate
from pipelines.storage.database import Database


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every role stands on. `host` names this process to the engine, and this machine to the steps; `workers` is
    how many processes there are that carry deploys out."""

    config: ConfigFile
    database: Database
    engine: DurableEngine
    source: Source
    host: str
    workers: Callable[[], Awaitable[int]]


def front_desk(ground: Ground, doorman: Doorman, settings: Settings) -> Shipmate:
    """The web's own: it keeps and decides what is asked."""
    database, config, enqueue = ground.database, ground.config, ground.engine.enqueue
    short = partial(disk.short, settings.data, settings.upkeep.keep_free)
    gatherer = Gatherer(source=ground.source, doorman=doorman, clock=utc_now, disk_short=short)
    prober = Prober(database=database, gatherer=gatherer, workers=ground.workers, clock=utc_now, new_id=new_id)
    decider = Decider(
        database=database,
        enqueue=enqueue,
        gatherer=gatherer,
        prober=prober,
        doorman=doorman,
        config=config,
        clock=utc_now,
        new_id=new_id,
    )
    looker = Looker(
        database=database,
        gatherer=gatherer,
        prober=prober,
        decider=decider,
        config=config,
        problems=lambda: tuple(str(problem) for problem in config.problems),
    )
    return Shipmate(
        database=database,
        enqueue=enqueue,
        decider=decider,
        looker=looker,
        config=config,
        clock=utc_now,
        new_id=new_id,
    )


def limits(upkeep: Upkeep) -> Limits:
    """What one script may take."""
    return Limits(
        memory=upkeep.limit_memory,
        processes=upkeep.limit_processes,
        files=upkeep.limit_files,
        no_new_privs=upkeep.no_new_privs,
    )


def keep(upkeep: Upkeep) -> Keep:
    return Keep(runs=upkeep.keep_runs, trees=upkeep.keep_trees, logs=upkeep.keep_logs)
