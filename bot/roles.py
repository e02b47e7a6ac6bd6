"""The roles of a process. On PostgreSQL each may be a process of its own; on SQLite one process has both.

What is asked is kept and decided by the web, which knows Slack and its people; what was decided is carried out by the
worker, on its host and without Slack. They meet in the database alone: each goes on while the other is away.
"""

from enum import StrEnum


class Role(StrEnum):
    WEB = "web"  # doors, front desk, deciding, painting
    WORKER = "worker"  # engine, agent, the deploys that nobody carries out


BOTH = frozenset(Role)
