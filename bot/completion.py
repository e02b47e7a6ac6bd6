"""Shell completion: the script for each shell, and the words that the scripts ask for. Standard library only.

Commands and flags come out of the parser itself, so they cannot differ; the words of a sentence come from the bot that
runs, and where none answers at once there are none.
"""

import argparse
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from bot.asking import told
from bot.settings import DATA

SECONDS = 0.3
FILES, FOLDERS = ":files", ":folders"  # for the shell's own completion of paths
OF_METAVAR: Mapping[str | tuple[str, ...] | None, str] = {"FILE": FILES, "DIR": FOLDERS, "PATH": FILES}
SAFE = re.compile(r"[\w./+@-]+")  # nothing that any shell would do something with

SCRIPTS: Mapping[str, str] = {
    "bash": r"""# To use it, put this line into ~/.bashrc:  eval "$(shipmate completion bash)"
_shipmate() {
    local current=${COMP_WORDS[COMP_CWORD]} found line paths=
    COMPREPLY=()
    found=$("$1" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return 0
    case $found in
        :files) paths=f ;;
        :folders) paths=d ;;
    esac
    if [ -n "$paths" ]; then
        compopt -o filenames 2>/dev/null
        [ "$current" = "=" ] && current=
        found=$(compgen "-$paths" -- "$current")
    fi
    while IFS= read -r line; do
        [ -n "$line" ] && COMPREPLY+=("$line")
    done <<<"$found"
}
complete -F _shipmate shipmate
""",
    "zsh": r"""#compdef shipmate
# To use it, put this line into ~/.zshrc, after compinit:  eval "$(shipmate completion zsh)"
_shipmate() {
    local -a found
    found=("${(@f)$("${(Q)words[1]}" complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    case ${found[1]} in
        :files) _files ;;
        :folders) _files -/ ;;
        '') return 1 ;;
        *) compadd -V shipmate -- "${found[@]}" ;;
    esac
}
if [ "$funcstack[1]" = "_shipmate" ]; then
    _shipmate "$@"
else
    compdef _shipmate shipmate
fi
""",
    "fish": r"""# To use it:  shipmate completion fish > ~/.config/fish/completions/shipmate.fish
function __shipmate
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] complete $words[2..-1] "$current" 2>/dev/null)
    switch "$found[1]"
        case ':files'
            __fish_complete_path "$current"
        case ':folders'
            __fish_complete_directories "$current"
        case '*'
            printf '%s\n' $found
    end
end
complete -c shipmate -f -k -a '(__shipmate)'
""",
}


def complete(parser: argparse.ArgumentParser, words: list[str]) -> list[str]:
    """What may stand in place of the last of these words, which is being typed. Never raises."""
    *before, typed = [word for word in words if word != "="] or [""]  # bash makes a word of its own of it
    commands = _commands(parser)
    if not before:
        return _beginning(typed, commands)
    command = commands.get(before[0])
    return _of_command(command, before, typed) if command is not None else []


def _of_command(command: argparse.ArgumentParser, before: list[str], typed: str) -> list[str]:
    options = {flag: action for action in command._actions for flag in action.option_strings}
    asked = options.get(before[-1])
    if asked is not None and asked.nargs != 0:
        return _values(asked, typed)
    if typed.startswith("-"):
        return _beginning(typed, options)
    rest, data = _plain(before[1:], options)
    if before[0] == "say":
        return _sentence(rest, typed, data)
    positional = [action for action in command._actions if not action.option_strings]
    return _values(positional[len(rest)], typed) if len(rest) < len(positional) else []


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _values(action: argparse.Action, typed: str) -> list[str]:
    if action.choices is not None:
        return _beginning(typed, action.choices)
    way = OF_METAVAR.get(action.metavar)
    return [way] if way else []


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(typed)]


def _plain(words: list[str], options: Mapping[str, argparse.Action]) -> tuple[list[str], Path]:
    """The words that are no flag and no flag's value; and the data folder that they name, if any."""
    plain: list[str] = []
    data = os.environ.get("SHIPMATE_DATA") or DATA
    waiting: str | None = None
    for word in words:
        if waiting is not None:
            data, waiting = (word if waiting == "--data" else data), None
        elif word in options:
            waiting = word if options[word].nargs != 0 else None
        elif word.startswith("--data="):
            data = word.removeprefix("--data=")
        elif not word.startswith("-"):
            plain.append(word)
    return plain, Path(data).expanduser()


def _sentence(rest: list[str], typed: str, data: Path) -> list[str]:
    """The next word of a sentence, which may be one quoted word of the shell: it is completed as a whole."""
    *inner, last = typed.lstrip("\"'").split(" ")
    words = [part for word in rest for part in word.strip("\"'").split()] + inner
    found = told(data, "words", seconds=SECONDS, words=words, typed=last)
    safe = [word for word in found if isinstance(word, str) and SAFE.fullmatch(word)] if isinstance(found, list) else []
    return [" ".join([*inner, word]) for word in safe]
