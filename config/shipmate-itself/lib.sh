# Where things are on the host that runs the bot. Everything of it is in one folder:
#
#   current -> releases/COMMIT      what is started the next time
#   releases/COMMIT/                a release each, with .venv -> envs/HASH
#   envs/HASH/                      an environment for each requirements.lock that was installed
#   data/                           the bot's data folder (--data)
root=/opt/shipmate
patience=60 # seconds that a bot may take to come back

# The process that is the bot, nothing while there is none.
bot() {
  local pid
  pid=$(cat "$root/data/bot.lock" 2>/dev/null) && [ -e "/proc/$pid/cwd" ] && echo "$pid" || true
}

# The release that the bot runs, by its commit: the folder it works in, not the one that it would be started in.
running() { basename "$(readlink "/proc/$(bot)/cwd")"; }
