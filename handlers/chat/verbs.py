"""Every verb of the product, on one page: what it is for, an example, and whether this version does it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`usage` shows the words in order; `examples` fills in what stands in braces. `notes` say what is special about
    each of them."""

    name: str
    does: str
    usage: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    built: bool = False


VERBS = (
    Verb(
        name="deploy",
        does="make a version live",
        usage=(
            "{service} {version} {environment}",
            "{service}@main to {environment} because the fix is urgent",
            "{service}",
        ),
        notes=("`latest` is the newest tag", "a branch, and why", "a form, or what there is to choose from"),
        built=True,
    ),
    Verb(
        name="rollback",
        does="back to the last good version, or to a named one",
        usage=(
            "rollback {service} {environment}",
            "rollback {service} {environment} to {good}",
            "rollback {service} {environment} now",
            "rollback",
        ),
        notes=(
            "to the last good one",
            "to this one, if it was good there",
            "also while a deploy runs there: it is aborted first",
            "the last five, with a button each",
        ),
        built=True,
    ),
    Verb(
        name="plan",
        does="what a deploy would do, and what holds it; nothing runs",
        usage=("plan {service} {version} {environment}",),
        built=True,
    ),
    Verb(
        name="status",
        does="what is live where",
        usage=("status", "status {service}", "status {service} {environment}"),
        built=True,
    ),
    Verb(
        name="history",
        does="what was deployed, by whom, and how it ended",
        usage=("history {service} {environment}", "history {service}"),
        built=True,
    ),
    Verb(
        name="diff",
        does="the commits between what is live and a version",
        usage=("diff {service} {version} {environment}",),
        built=True,
    ),
    Verb(name="who", does="who may deploy, and who does", usage=("who {service}", "who"), built=True),
    Verb(name="abort", does="end a running deploy", usage=("abort {service} {environment}", "abort"), built=True),
    Verb(name="retry", does="a failed deploy once more", usage=("retry {service} {environment}", "retry"), built=True),
    Verb(name="help", does="these lines", usage=("help", "help rollback"), built=True),
    Verb(
        name="run again",
        does="answer for a step whose end nobody knows",
        usage=("run again {service} {environment}", "it worked {service} {environment}"),
        notes=("starts that step once more", "goes on after it"),
        built=True,
    ),
    Verb(
        name="wait",
        does="answer for a script that runs without its supervisor",
        usage=("wait {service} {environment}", "stop it {service} {environment}"),
        notes=("until it ends by itself", "ends it now"),
        built=True,
    ),
    Verb(
        name="go on",
        does="answer for a deploy whose next step is late, because the bot was away",
        usage=("go on {service} {environment}",),
        built=True,
    ),
    *(
        Verb(name=name, does=does)
        for name, does in (
            ("why", "which gates hold a deploy"),
            ("approve", "let a waiting deploy go"),
            ("decline", "refuse a waiting deploy"),
            ("promote", "the same version in the next environment"),
            ("lock", "hold a room"),
            ("unlock", "let go of a room"),
            ("queue", "wait in line"),
            ("freeze", "stop all deploys of an environment"),
            ("thaw", "end a freeze"),
            ("dora", "the four key figures"),
            ("drift", "what runs that nobody deployed"),
            ("secrets", "which secrets a service names"),
            ("flag", "switch a feature flag"),
            ("drill", "rehearse a rollback"),
            ("test", "run a suite"),
        )
    ),
)
BY_NAME = {verb.name: verb for verb in VERBS}
UNBUILT_CLAUSES = {"at": "scheduling (at …)", "for": "a time span (for …)", "until": "a time (until …)"}
FILLERS = frozenset({"to", "in", "on", "the"})
FLAGS = frozenset({"force", "now"})
OWN_WORDS = FILLERS | FLAGS | UNBUILT_CLAUSES.keys() | {"because"}
COMMANDS = ("/deploy", "/rollback")
ALSO_SAID = {"roll back": "rollback", "roll-back": "rollback", "undo": "rollback", "revert": "rollback"}
"""Words of other tools for a verb: it is offered, not done."""
