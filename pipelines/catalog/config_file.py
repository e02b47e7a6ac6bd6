"""The configuration's file: read whole, read again when it changed; one that is broken changes nothing."""

import logging
import os
import stat
import threading
from pathlib import Path

from pipelines.catalog.config import parse_config
from pipelines.catalog.nodes import Limits
from pipelines.catalog.problems import ConfigErrors, Problem
from pipelines.domain.model import Config

log = logging.getLogger(__name__)

Version = tuple[int, ...]


def load_config(path: Path) -> Config:
    """The configuration in a file. Raises ConfigErrors with every problem."""
    try:
        text = _content(path)
    except FileNotFoundError:
        message = f"there is no such file in {path.parent.absolute()}; name one with --config or SHIPMATE_CONFIG"
        raise ConfigErrors([Problem(file=path.name, line=1, message=message)]) from None
    except OSError as error:
        message = f"this file cannot be read: {error.strerror or error}"
        raise ConfigErrors([Problem(file=path.name, line=1, message=message)]) from None
    return parse_config(text, file=path.name, folder=path.parent)


def _content(path: Path) -> bytes:
    """What is in a file, as far as a configuration may reach. Neither a device nor a pipe is waited for."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no plain file")
        return file.read(Limits().size + 1)


class ConfigFile:
    """Call it for the `Config` that holds. `problems` are those of the file as it stands, none while it is in use.

    Every method blocks as long as the disk does, and may be called in any thread. Raises ConfigErrors when it is made
    from a file that cannot be used, and never again."""

    def __init__(self, path: Path) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._path = path
        self._turn = threading.Lock()
        self._read = self._seen = _version(path)
        self._config = load_config(path)

    def __call__(self) -> Config:
        return self._config

    def look(self) -> None:
        """Read the file when it changed, in whatever way: written to, replaced, moved away, or reached by a link that
        leads elsewhere now. It must have stood still since the look before: half a file may look like a whole one."""
        with self._turn:
            before, self._seen = self._seen, _version(self._path)
            if self._seen != self._read and self._seen == before:
                self._take()

    def read_again(self) -> None:
        """Read the file at once."""
        with self._turn:
            self._take()

    def _take(self) -> None:
        self._read = _version(self._path)  # before it is read: what changes meanwhile is read again
        try:
            config = load_config(self._path)
        except ConfigErrors as errors:
            self._refuse(errors.problems)
            return
        if self.problems or config != self._config:
            log.info("%s was read again and holds from now on", self._path)
        self.problems, self._config = (), config

    def _refuse(self, problems: tuple[Problem, ...]) -> None:
        if problems != self.problems:
            for problem in problems:
                log.error("%s", problem)
            log.error("%s cannot be used; the configuration that was read before it still holds", self._path)
        self.problems = problems


def _version(path: Path) -> Version:
    """What is another one whenever the file is. An access that was granted or taken away counts, too."""
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
