"""Slack's limits as this stand-in holds them: numbers alone. Sizes are in characters, times in seconds."""

TEXT_TRUNCATED = 40_000
UPDATE_TEXT = 4_000
MARKDOWN = 12_000
BLOCKS = 50
MODAL_BLOCKS = 100
BLOCK_TEXT = 13_200
SECTION = 3_000
FIELDS, FIELD = 10, 2_000
HEADER = 150
IMAGE_ALT, URL = 2_000, 3_000
CONTEXT, ACTIONS = 10, 25
BUTTON, VALUE, ID, ACCESSIBILITY = 75, 2_000, 255, 75
CONFIRM_TITLE, CONFIRM_TEXT, CONFIRM_BUTTON = 100, 300, 30
OPTIONS, OPTION_TEXT, OPTION_VALUE, OPTION_DESCRIPTION = 100, 75, 150, 75
OPTION_GROUPS, GROUP_LABEL = 100, 75
OVERFLOW, CHOICES = 5, 10
PLACEHOLDER = 150
INPUT_LABEL, INPUT_HINT, INPUT_TEXT = 2_000, 2_000, 3_000
MIN_QUERY = 3
TABLE_ROWS, TABLE_CELLS = 100, 20
PLAN_TASKS = 50
MODAL_TITLE, PRIVATE_METADATA, VIEW_BYTES, VIEW_STACK = 24, 3_000, 250_000, 3

ACK_SECONDS = 3.0
REDELIVERY_SECONDS = 4.0
HTTP_RETRY_SECONDS = (0.1, 60.0, 300.0)
TRIGGER_SECONDS = 3.0
TICKET_SECONDS = 30.0
RESPONSE_URL_SECONDS, RESPONSE_URL_USES = 1_800.0, 5
CONNECTIONS = 10
UPLOAD_BYTES = 64 * 1024 * 1024

POSTS_A_SECOND, POSTS_BURST, POSTS_A_MINUTE = 1.0, 4, 300
TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
A_MINUTE = {
    "chat.postMessage": POSTS_A_MINUTE,
    **dict.fromkeys(
        (
            "apps.connections.open",
            "chat.delete",
            "chat.update",
            "conversations.history",
            "conversations.info",
            "conversations.join",
            "conversations.open",
            "conversations.replies",
            "reactions.add",
            "team.info",
            "users.lookupByEmail",
        ),
        TIER_3,
    ),
    **dict.fromkeys(("conversations.list", "usergroups.list", "usergroups.users.list", "users.list"), TIER_2),
    **dict.fromkeys(
        (
            "chat.postEphemeral",
            "conversations.members",
            "files.completeUploadExternal",
            "files.getUploadURLExternal",
            "files.info",
            "users.info",
            "views.open",
            "views.push",
            "views.update",
        ),
        TIER_4,
    ),
}
