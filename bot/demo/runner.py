"""Run as a file by a host: `runner.py FOLDER/server.py` runs that program in this process until the host is gone.

A host holds the other end of this process's stdin. Its end closes with the host, however that dies, and then this
process ends at once, on every system. Standard library only.
"""

import os
import runpy
import sys
import threading

HOST_GONE = 70


def end_with_host() -> None:
    while os.read(0, 4096):
        pass
    os._exit(HOST_GONE)


if __name__ == "__main__":
    threading.Thread(target=end_with_host, daemon=True).start()
    program = sys.argv[1]
    sys.path[0] = os.path.dirname(program)  # noqa: PTH120 (pathlib would be half of the start)
    runpy.run_path(program, run_name="__main__")
