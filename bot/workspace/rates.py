"""How often a method may be called, as Slack counts it: so many a minute, and posts a second in a channel."""

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bot.workspace.limits import A_MINUTE, POSTS_A_SECOND, POSTS_BURST


@dataclass
class Rates:
    on: bool = True
    calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    posts: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, method: str, channel: str = "") -> int:
        """Seconds to wait before this call is taken; 0 when it is taken now, and counted."""
        if not self.on:
            return 0
        now = time.monotonic()
        if method == "chat.postMessage":
            tokens, at = self.posts.get(channel, (float(POSTS_BURST), now))
            tokens = min(POSTS_BURST, tokens + (now - at) * POSTS_A_SECOND)
            if tokens < 1:
                return 1
            self.posts[channel] = (tokens - 1, now)
            return 0
        most = A_MINUTE.get(method)
        made = self.calls[method]
        while made and made[0] < now - 60:
            made.popleft()
        if most is not None and len(made) >= most:
            return max(1, int(made[0] + 60 - now) + 1)
        made.append(now)
        return 0
