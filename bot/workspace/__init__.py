"""A local stand-in for Slack: Web API, Socket Mode or signed HTTP, and a page. It is not Slack, and says so.

It imports nothing of ours and keeps its own table of Slack's limits: it and a client cannot be wrong in the same way.
"""

from bot.workspace.seed import App, Channel, Seed, User, default_seed
from bot.workspace.server import Workspace

__all__ = ["App", "Channel", "Seed", "User", "Workspace", "default_seed"]
