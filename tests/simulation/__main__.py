"""python -m tests.simulation --seed 7            one seed, and what happened in it
python -m tests.simulation --seeds 1:500      so many; ends at the first that breaks"""

import argparse
import gc
from contextlib import nullcontext
from tests.simulation.mutations import mutated
import shutil
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from pipelines.storage.database import Database
from pipelines.storage.schema import bring_up_to_date
from tests.simulation.chance import MIXES, Mix
from tests.simulation.engine import make_table
from tests.simulation.world import World


@dataclass(frozen=True, kw_only=True)
class Ended:
    digest: str
    broken: str
    trace: tuple[str, ...]


class Stage:
    """A folder in memory where there is one, with an empty database that every seed begins with."""

    def __init__(self) -> None:
        self.mutation: str | None = None
        memory = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(prefix="shipmate-sim-", dir=memory if memory.is_dir() else None)
        self.root = Path(self._folder.name)
        self.template = self.root / "empty.db"
        url = f"sqlite:///{self.template}"
        bring_up_to_date(url)
        database = Database(url)
        database.write_now(lambda session, _topics: make_table(session))
        database._writer.dispose()
        database._reader.dispose()

    def run(self, seed: int, mix: Mix) -> Ended:
        folder = self.root / "seed"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if True:
            world = World(seed, mix, folder=folder, template=self.template)
            broken = ""
            try:
                with mutated(self.mutation) if self.mutation else nullcontext():
                    world.run()
            except Exception:
                broken = traceback.format_exc()
            world.invariants.close()
            return Ended(digest=world.digest, broken=broken, trace=tuple(world.trace))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds")
    parser.add_argument("--mix", default="all")
    parser.add_argument("--mutation")
    parser.add_argument("--digests", action="store_true")
    parser.add_argument("--keep-going", action="store_true")
    given = parser.parse_args()
    stage = Stage()
    stage.mutation = given.mutation
    first, last = (given.seed, given.seed) if given.seed is not None else map(int, given.seeds.split(":"))
    gc.set_threshold(50000, 20, 20)
    began = time.process_time()
    bad = 0
    for seed in range(first, last + 1):
        ended = stage.run(seed, MIXES[given.mix])
        if seed % 20 == 0:
            gc.collect()
        print("D", seed, ended.digest) if given.digests else None
        if ended.broken or given.seed is not None:
            lines = ended.trace if given.seed is not None else ended.trace[-3:]
            print("\n".join(lines))
            print(ended.broken if given.seed is not None else ended.broken.strip().splitlines()[-1:])
            print(f"seed {seed} {ended.digest}")
            bad += bool(ended.broken)
            if bad and not given.keep_going:
                return 1
    took = time.process_time() - began
    print(f"{last - first + 1} seeds, {bad} broken, {took / (last - first + 1) * 1000:.0f} ms each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
