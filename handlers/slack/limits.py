"""Slack's numbers that this door keeps to, and our own that are stricter. Nothing here does anything."""

from collections.abc import Mapping

# Sizes, in characters unless said otherwise.
TEXT = 300
TITLE = 300
LINE = 600
BODY = 8_000  # all lines of a card; a whole message breaks at about 13,200
NOTE = 300
NOTES = 10
LABEL = 75
VALUE = 2_000
ACTION_ID = 255
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
OPTION = 75
OPTION_VALUE = 150
OPTIONS = 100
BUTTONS_A_BLOCK = 5
BUTTONS = 25
TAIL_LINES = 15
TAIL_LINE = 200
TAIL_READ = 16_384  # bytes of output that are looked at for a tail
LOG_BYTES = 8 * 1024 * 1024  # of a log file
BODY_BYTES = 1024 * 1024  # of a request to us

# Seconds.
CALL = 10.0
UPLOAD = 60.0
HELD_UP = 10.0  # an answer to a person, by what Slack allows us
EDIT_PACE = 3.0  # between two paintings of one message
POST_PACE = 1.0  # between two posts in one channel
REPLY_LIVES = 29 * 60.0  # a response_url lives 30 minutes
CLOCK_SKEW = 300  # of a signature's timestamp
REPLAY_KEPT = 600.0

# Calls of a method over the whole workspace, whoever makes them: so many at once, and so many more a minute. Slack
# counts by the minute, and has 20, 50 and 100 for its tiers.
Share = tuple[int, int]
TIER_2: Share = (12, 6)
TIER_3: Share = (5, 40)
TIER_4: Share = (30, 60)
SHARES: Mapping[str, Share] = {
    "chat.postMessage": (20, 220),
    "chat.update": (3, 42),
    **dict.fromkeys(
        ("apps.connections.open", "conversations.history", "conversations.info", "conversations.replies"), TIER_3
    ),
    **dict.fromkeys(("conversations.list", "usergroups.list", "usergroups.users.list", "users.list"), TIER_2),
}
