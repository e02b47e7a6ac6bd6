"""Slack's door: what it delivers becomes commands, what happens becomes messages. Only slack-bolt talks to Slack."""
