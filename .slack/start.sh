#!/bin/sh
# `slack run` calls this with tokens of its own for the app it made from manifest.json.
export SLACK_BOT_TOKEN="${SLACK_CLI_XOXB:-$SLACK_BOT_TOKEN}"
export SLACK_APP_TOKEN="${SLACK_CLI_XAPP:-$SLACK_APP_TOKEN}"
PATH="$PWD/.venv/bin:$PATH" exec python -m bot run
