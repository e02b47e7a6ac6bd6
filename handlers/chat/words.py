"""The sentences of every refusal: what stopped it, who can lift it, the way on. One for each code, none left out."""

from datetime import datetime
from typing import assert_never

from handlers.chat.times import between, clock
from pipelines.domain.refusals import Code, Gate, Refusal, refuse

RESTARTING = "Shipmate is restarting; say it again in a moment."
SECRETS_FROM = "`secrets_from: file:///etc/shipmate/secrets/{service}/{environment}/{name}`"


def sentences(refusal: Refusal, now: datetime, verb: str = "") -> list[str]:
    """One sentence a closed gate, in the order in which they were tried. `verb` is what was asked, if not a deploy."""
    return [sentence(gate, now, verb) for gate in refusal.gates]


def sentence(gate: Gate, now: datetime, verb: str = "") -> str:  # noqa: PLR0912 (one arm a code is the point)
    say = gate.text
    match gate.code:
        case Code.NOT_A_MEMBER:
            return _not_a_member(say("kind"), say("by"))
        case Code.NOT_ALLOWED:
            return (
                f"You may not deploy {say('service')} to {say('where')}: that is for {_people(gate.listed('who'))}. "
                f"Ask {_them(gate.listed('who'))}, or have the configuration changed."
            )
        case Code.GROUP_UNKNOWN:
            return (
                f"Nobody can tell who is in {say('group')} right now, so nobody may deploy to {say('where')} by it. "
                "Try again in a minute, or list the group under `groups:` in the configuration."
            )
        case Code.UNKNOWN_SERVICE:
            wrong = _mention(gate, "service") or f"There is no service {say('given')!r}"
            return f"{wrong}. {_known('Services', gate)}"
        case Code.UNKNOWN_ENVIRONMENT:
            wrong = _mention(gate, "environment") or f"There is no environment {say('given')!r}"
            return f"{wrong}. {_known('Environments', gate)}"
        case Code.UNKNOWN_VERSION:
            near = f"Near it: {', '.join(gate.listed('near'))}." if gate.listed("near") else _try(gate, "latest", verb)
            return f"There is no tag, branch or commit {say('given')!r}. {near}"
        case Code.BAD_VERSION:
            return f"{say('given')!r} cannot be a version, because it {say('reason')}. {_try(gate, 'latest', verb)}"
        case Code.AMBIGUOUS_VERSION:
            commit = next(iter(gate.listed("commits")), "COMMIT")
            return f"{say('given')!r} means two things: {_or(gate.listed('candidates'))}. {_try(gate, commit, verb)}"
        case Code.UNREACHABLE_COMMIT:
            return (
                f"The commit {say('given')[:12]} is on no branch or tag of the repository, so it is not deployed. "
                "Push it to a branch, or tag it."
            )
        case Code.REPOSITORY_AWAY:
            return say("detail")
        case Code.BAD_RECIPE:
            return "deploy.yml cannot be used:\n" + "\n".join(gate.listed("errors"))
        case Code.NO_SECRETS_FROM:
            return (
                f"deploy.yml names {_secrets(gate.listed('names'))}, but the bot's configuration does not say where "
                f"those of {say('where')} are. Write {SECRETS_FROM} there, under its environment {say('where')}."
            )
        case Code.SECRETS_MISSING:
            return (
                f"These secrets of {say('service')} cannot be read for {say('where')}:\n"
                + "\n".join(gate.listed("problems"))
                + "\nPut each value into its file, readable by the bot's user, then ask again."
            )
        case Code.NOT_PASSED:
            return (
                f"What `pass_env` hands to scripts in {say('where')} cannot be given:\n"
                + "\n".join(gate.listed("problems"))
                + "\nStart the bot with the variable, or change `pass_env` in its configuration."
            )
        case Code.ROOM_BUSY:
            return (
                f"{say('service')} is being deployed to {say('where')}: {say('version')} by {say('by')}, "
                f"for {_since(gate, now)}. Wait for it, or end it: `/deploy abort {say('service')} {say('where')}`."
            )
        case Code.ROLLBACK_WHILE_RUNNING:
            return (
                f"{say('version')} is being deployed to {say('where')} by {say('by')}, for {_since(gate, now)}. "
                f"A rollback to {say('to')} ends that first: `/rollback {say('service')} {say('where')} now`."
            )
        case Code.ROOM_UNKNOWN:
            lines = tuple(f"`/deploy {line}`" for line in gate.listed("says"))
            return (
                f"Nobody knows how {say('step')!r} of {say('version')} in {say('where')} ended, and that "
                f"deploy, by {say('by')}, waits for an answer. Say {_or(lines)}, or roll back."
            )
        case Code.ROOM_LATE:
            return (
                f"{say('version')} by {say('by')} waits in {say('where')}: Shipmate was away when its next step should "
                f"have begun. Say `/deploy go on {say('service')} {say('where')}`, or roll back."
            )
        case Code.ALREADY_LIVE:
            return (
                f"{say('service')} {say('version')} is already live in {say('where')}. "
                f"Do it all the same: `/deploy {say('service')} {say('version')} {say('where')} force`."
            )
        case Code.NOTHING_TO_ROLL_BACK_TO:
            return (
                f"There is no version of {say('service')} to go back to in {say('where')}: nothing else was good "
                f"there and stayed so. Name one: `/deploy {say('service')} latest {say('where')}`."
            )
        case Code.NEVER_GOOD_HERE:
            good = f" Good here: {', '.join(gate.listed('good')[:5])}." if gate.listed("good") else ""
            return (
                f"{say('given')!r} never ended well in {say('where')}, so a rollback does not go there.{good} "
                f"{_go_there(gate)}"
            )
        case Code.STALE_BUTTON:
            by = f" by {say('by')}" if say("by") else ""
            return (
                f"That button is from before: {say('version') or 'another version'} went live since{by}. "
                f"Nothing was done; a rollback now would not go to {say('to')} by that button."
            )
        case Code.ALREADY_DONE:
            return f"{say('by')} did that already, at {clock(datetime.fromisoformat(say('at')), now)}."
        case Code.ALREADY_ANSWERED:
            at = clock(datetime.fromisoformat(say("at")), now)
            return f"{say('by')} answered that already, at {at}: {say('choice')}. Nothing was done twice."
        case Code.NOTHING_RUNNING:
            return f"Nothing is being deployed{_where(gate)}, so there is nothing to abort. See `/deploy status`."
        case Code.NOTHING_TO_RETRY:
            return f"There is no failed deploy to retry{_where(gate)}. See `/deploy status`."
        case Code.NOTHING_ASKED:
            return f"No step waits for such an answer{_where(gate)}. See `/deploy status`."
        case Code.WHICH_DEPLOY:
            return f"Which one? {_or(gate.listed('choices'))}. Name its service and environment."
        case Code.ALREADY_ENDED:
            return f"{say('version')} in {say('where')} is over already: {say('state')}. Nothing was done."
        case Code.ALREADY_ABORTING:
            return f"{say('by')} is ending it already. Nothing was done twice."
        case Code.CANNOT_POST:
            return (
                f"Shipmate cannot post in {say('channel')}, so nothing was started. "
                "Type `/invite @shipmate` there, then ask again."
            )
        case Code.DISK_FULL:
            return (
                f"The disk of Shipmate's host has {say('left')} left, so nothing new is started. What runs goes on, "
                "and a rollback is tried all the same. Free some of it, or set SHIPMATE_KEEP_FREE to less."
            )
        case Code.NOT_BUILT:
            return f"{say('name')!r} is not built yet, so nothing was done. See `/deploy help` for what is."
        case Code.TOO_OLD:
            return (
                "That was asked while Shipmate was away, too long ago to do it unseen. Say it again if it still holds."
            )
        case Code.BROKEN:
            return f"Something in Shipmate itself broke, and nothing was started. Its log has it under {say('id')}."
        case _:
            assert_never(gate.code)


def not_built(name: str) -> Refusal:
    return refuse(Code.NOT_BUILT, name=name)


def answer_lost(number: str) -> str:
    """What is told instead of an answer that could not be told."""
    return (
        "What you asked for was decided, but Shipmate itself broke while telling you how. See `/deploy status`. "
        f"Its log has the error under {number}."
    )


def message_lost(what: str, number: str) -> str:
    """What is told of a deploy whose message could not be painted."""
    return (
        f"Shipmate itself broke while showing {what}, so its message may not be up to date. The deploy goes on; see "
        f"`/deploy status`. Its log has the error under {number}."
    )


def _not_a_member(kind: str, by: str) -> str:
    if kind == "unknown":
        return (
            f"Slack tells nothing about {by!r}, so they may not do this; it is for full members of this workspace. "
            "In a terminal say who you are: `--as NAME`."
        )
    if kind == "unsure":
        return (
            f"Slack does not answer at the moment who {by!r} is, so nothing was done. Say it again in a moment. On the "
            "bot's own machine it goes without Slack: `shipmate say`."
        )
    who = {
        "guest": "Guests",
        "bot": "Bots",
        "deleted": "Deactivated users",
        "stranger": "People of another workspace",
    }.get(kind, "They")
    return f"{who} may not do this; it is for full members of this workspace. Ask one of them."


def _go_there(gate: Gate) -> str:
    service, where, good = gate.text("service"), gate.text("where"), gate.listed("good")
    if good:
        return f"Say for example `/deploy rollback {service} {where} to {good[0]}`."
    return f"Say for example `/deploy {service} latest {where}`."


def _them(names: tuple[str, ...]) -> str:
    return "them" if len(names) == 1 else "one of them"


def _people(names: tuple[str, ...]) -> str:
    return _or(names) if names else "nobody yet (set `owners:` or `deployers:`)"


def _secrets(names: tuple[str, ...]) -> str:
    return ("the secret " if len(names) == 1 else "the secrets ") + _and(names)


def _and(names: tuple[str, ...]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def _or(names: tuple[str, ...]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def _try(gate: Gate, version: str, verb: str) -> str:
    service, where = gate.text("service"), gate.text("where")
    line = " ".join(filter(None, (verb, service, version, where)))
    return f"Say for example `/deploy {line}`." if service else f"Say for example `{version}`."


def _mention(gate: Gate, wanted: str) -> str:
    """What was mentioned where a name belongs. Slack tells a channel's name, but of a person only a number."""
    given = gate.text("given")
    mentions = {"#": f"{given!r} is a channel, no {wanted}", "@": f"A person or a group is no {wanted}"}
    return mentions.get(given[:1], "")


def _known(what: str, gate: Gate) -> str:
    names = gate.listed("known")
    return f"{what}: {', '.join(names[:20])}." if names else f"{what}: none yet; add one to the configuration."


def _since(gate: Gate, now: datetime) -> str:
    return between(datetime.fromisoformat(gate.text("since")), now)


def _where(gate: Gate) -> str:
    service, where = gate.text("service"), gate.text("where")
    return f" for {service} in {where}" if service and where else ""
