"""Which hosts and routers the demo has and on which ports, the same ones after a restart. Nothing is served here.

Everything has a pair of ports: the even one is its public address, the odd one after it its control address. A pair is
claimed by listening on the odd one; the even one of a host belongs to the release that runs there.
"""

import json
import random
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.demo.local import LOOPBACK

ENVIRONMENTS: Mapping[str, tuple[str, ...]] = {
    "staging": ("stg-1", "stg-2"),
    "production": ("prod-1", "prod-2", "prod-3"),
}
# Below every system's range for outgoing connections, which else might sit on a port while its release is replaced.
PORTS = range(20_000, 32_000, 2)
PATIENCE = 3.0  # seconds in which the releases of a demo that was killed let go of their ports


@dataclass(frozen=True, kw_only=True)
class Place:
    """A host or a router: `port` is public, `control` listens on the port after it."""

    name: str
    port: int
    control: socket.socket

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def control_address(self) -> str:
        return f"{LOOPBACK}:{self.port + 1}"


@dataclass(frozen=True, kw_only=True)
class Layout:
    hosts: Mapping[str, Place]
    routers: Mapping[str, Place]

    def targets(self, environment: str) -> list[str]:
        return [self.hosts[name].address for name in ENVIRONMENTS[environment]]

    def close(self) -> None:
        for place in (*self.hosts.values(), *self.routers.values()):
            place.control.close()


def settle(file: Path) -> Layout:
    """Claims the ports that `file` remembers, other free ones where those are taken, and remembers them.

    Raises OSError when no free pair of ports is found.
    """
    known = json.loads(file.read_text()) if file.exists() else {}
    hosts = [name for names in ENVIRONMENTS.values() for name in names]
    until = time.monotonic() + PATIENCE
    places = {name: settle_one(name, known.get(name), until) for name in (*hosts, *ENVIRONMENTS)}
    write(file, json.dumps({name: place.port for name, place in places.items()}, indent=2) + "\n")
    return Layout(
        hosts={name: places[name] for name in hosts},
        routers={name: places[name] for name in ENVIRONMENTS},
    )


def settle_one(name: str, known: int | None, until: float) -> Place:
    if known is not None and (control := claim(known, until)):
        return Place(name=name, port=known, control=control)
    for port in random.sample(PORTS, 200):
        if control := claim(port):
            return Place(name=name, port=port, control=control)
    raise OSError(f"no two free ports in a row for {name} between {PORTS.start} and {PORTS.stop}: end some servers")


def claim(port: int, until: float = 0.0) -> socket.socket | None:
    """A socket that listens on the port after `port`, if both are free now or become so `until` (monotonic time)."""
    while True:
        control = listen(port + 1)
        if control and (public := listen(port)):
            public.close()
            return control
        if control:
            control.close()
        if time.monotonic() >= until:
            return None
        time.sleep(0.05)


def listen(port: int) -> socket.socket | None:
    try:
        return socket.create_server((LOOPBACK, port), backlog=128)
    except OSError:
        return None


def write(file: Path, text: str) -> None:
    """Replaces the file's text as a whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text)
    fresh.replace(file)
