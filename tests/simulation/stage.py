"""Running seeds in this process, one after the other, each on a database and a host of its own."""

import gc
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date
from tests.simulation.chance import MIXES
from tests.simulation.engine import make_table
from tests.simulation.mutations import mutated
from tests.simulation.world import World

MEMORY = Path("/dev/shm")
GARBAGE = 50_000  # objects between collections: a seed leaves many, and few of them for long


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a seed ended: `broken` is a traceback, empty where all held; `digest` is of all that happened."""

    seed: int
    digest: str
    broken: str
    trace: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Stage:
    root: Path
    template: Path

    def run(self, seed: int, mix: str = "all", mutation: str | None = None) -> Ended:
        folder = self.root / "seed"  # the same for each: what the database engine compiled for it is good for all
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        world = World(seed, MIXES[mix], folder=folder, template=self.template)
        broken = ""
        try:
            with mutated(mutation) if mutation else nullcontext():
                world.run()
        except Exception:
            broken = traceback.format_exc()
        finally:
            world.invariants.close()
        return Ended(seed=seed, digest=world.digest, broken=broken, trace=tuple(world.trace))


@contextmanager
def on_stage() -> Iterator[Stage]:
    """In memory where the system has a folder there: a simulated disk need not be a slow one."""
    gc.set_threshold(GARBAGE, 20, 20)
    with tempfile.TemporaryDirectory(prefix="shipmate-sim-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        template = Path(folder) / "empty.db"
        url = f"sqlite:///{template}"
        bring_up_to_date(url)
        database = Database(url)
        database.write_now(lambda session, _topics: make_table(session))
        database._writer.dispose()
        yield Stage(root=Path(folder), template=template)
