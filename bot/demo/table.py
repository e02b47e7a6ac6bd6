"""A router's weight table: read, spread requests by it, count those in flight. No sockets, no files."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class BadTableError(ValueError):
    """The text is not a whole table; says which line and what is expected."""


def parse(text: str, targets: list[str]) -> dict[str, int]:
    """Lines `target weight`, one for every target of the environment. Raises BadTableError."""
    table: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match line.split():
            case [target, weight] if weight.isascii() and weight.isdigit() and len(weight) < 10:
                if target in table:
                    raise BadTableError(f"line {number}: {target} stands in the table twice")
                table[target] = int(weight)
            case _:
                raise BadTableError(
                    f"line {number}: expected `target weight`, like `{targets[0]} 1`, not `{line[:80]}`"
                )
    if unknown := [target for target in table if target not in targets]:
        raise BadTableError(f"no target of this router: {', '.join(unknown)}; it has {', '.join(targets)}")
    if missing := [target for target in targets if target not in table]:
        raise BadTableError(f"the table must name every target; not in it: {', '.join(missing)}")
    return table


def write_out(table: Mapping[str, int]) -> str:
    return "".join(f"{target} {weight}\n" for target, weight in table.items())


class Balancer:
    """Smooth weighted round robin, as nginx does it: the shares are exact and no target gets a clump of requests."""

    def __init__(self, table: Mapping[str, int]) -> None:
        self._landed = asyncio.Event()
        self._flying: Counter[str] = Counter()
        self.set(table)

    def set(self, table: Mapping[str, int]) -> None:
        self.table = dict(table)
        self._credit = dict.fromkeys(table, 0)

    @contextmanager
    def turn(self) -> Iterator[str | None]:
        """The target whose turn it is, in flight until the block ends; None when every weight is 0."""
        target = self._pick()
        if target is None:
            yield None
            return
        self._flying[target] += 1
        try:
            yield target
        finally:
            self._flying[target] -= 1
            self._landed.set()

    def busy(self) -> dict[str, int]:
        """Requests still in flight to targets that get no new ones."""
        return {name: count for name, count in self._flying.items() if count and not self.table.get(name)}

    async def drained(self) -> None:
        """Returns when no target of weight 0 has a request in flight; without a limit of its own."""
        while self.busy():
            self._landed.clear()
            await self._landed.wait()

    def _pick(self) -> str | None:
        weights = {target: weight for target, weight in self.table.items() if weight}
        if not weights:
            return None
        for target, weight in weights.items():
            self._credit[target] += weight
        chosen = max(weights, key=self._credit.__getitem__)
        self._credit[chosen] -= sum(weights.values())
        return chosen
