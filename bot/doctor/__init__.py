"""The doctor: what is wrong with a bot, its machine and what it talks to, and what to do about it."""
