"""The name of this host, as far as scripts are concerned: of the folder in which their runs are.

A step belongs to the host whose folder has its run; where the folder is gone, so is the host. A machine's own name
would not do: it may change under the same folder, or come back without it.
"""

import contextlib
import os
import secrets
import socket
from pathlib import Path

FILE = "host"


def host_name(data: Path) -> str:
    """The name that was given to a data folder at its first use, such as `build-1.4f0c9a1e`."""
    path = data / FILE
    with contextlib.suppress(FileExistsError):
        name = f"{socket.gethostname().split('.')[0][:40]}.{secrets.token_hex(4)}"
        new = path.with_name(f"{FILE}.{name}")
        new.write_text(f"{name}\n")
        try:
            os.link(new, path)  # whole or not at all, and never over one that is there
        finally:
            new.unlink()
    return path.read_text().strip()
