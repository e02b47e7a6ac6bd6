"""Making deploys happen: git, trees, scripts, checks, the engine that walks a plan."""

import os

os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # else GitPython, where there is no git, cannot be imported at all
