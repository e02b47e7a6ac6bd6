"""How often a method may be called, as Slack counts it: so many a minute for each, posts by the second in a channel."""

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bot.workspace.limits import A_MINUTE, POSTS_A_SECOND, POSTS_BURST

MINUTE = 60.0


@dataclass
class Rates:
    """`on` may be turned at any time."""

    on: bool = True
    calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    posts: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, method: str, channel: str = "") -> int:
        """Whole seconds to wait before this call is taken; 0 when it is taken now, and counted."""
        if not self.on or method not in A_MINUTE:
            return 0
        now = time.monotonic()
        made = self.calls[method]
        while made and made[0] <= now - MINUTE:
            made.popleft()
        if len(made) >= A_MINUTE[method]:
            return max(1, math.ceil(made[0] + MINUTE - now))
        if method == "chat.postMessage" and not self._room(channel, now):
            return 1
        made.append(now)
        return 0

    def _room(self, channel: str, now: float) -> bool:
        left, at = self.posts.get(channel, (float(POSTS_BURST), now))
        left = min(POSTS_BURST, left + (now - at) * POSTS_A_SECOND)
        self.posts[channel] = (left - 1 if left >= 1 else left, now)
        return left >= 1
