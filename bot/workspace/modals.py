"""The modals that are open: for each person a stack of up to three views, of which the last is seen and used."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.workspace.limits import VIEW_STACK
from bot.workspace.seed import Seed
from bot.workspace.sheet import Sheet
from bot.workspace.views import View, completed
from bot.workspace.wire import ApiError


@dataclass(eq=False)
class Shown:
    """One view in a person's modal. `errors` by block id, as its person sees them at the inputs; `trouble` over the
    whole, and `why`, which Slack would not tell; `waiting`: it was submitted, and the app has not answered yet."""

    user: str
    view: View
    sheet: Sheet = field(default_factory=Sheet)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str = ""
    why: str = ""
    waiting: bool = False

    @property
    def id(self) -> str:
        return str(self.view["id"])

    def filled(self) -> View:
        """The view with what is filled in."""
        return {**self.view, "state": {"values": self.sheet.told()}}

    def complain(self, trouble: str = "", why: str = "", errors: dict[str, str] | None = None) -> None:
        self.trouble, self.why, self.errors = trouble, why, errors or {}


@dataclass
class Modals:
    """`changed` is told whose modal is another now, by the user's id."""

    seed: Seed
    changed: Callable[[str], None] = lambda user: None
    _stacks: dict[str, list[Shown]] = field(default_factory=dict)

    def top(self, user: str) -> Shown | None:
        """What this person sees."""
        return self._stacks[user][-1] if user in self._stacks else None

    def depth(self, user: str) -> int:
        return len(self._stacks.get(user, []))

    def root(self, user: str) -> Shown | None:
        return self._stacks[user][0] if user in self._stacks else None

    def find(self, *, view_id: str = "", external_id: str = "") -> Shown | None:
        for stack in self._stacks.values():
            for shown in stack:
                if shown.id == view_id or (external_id and shown.view["external_id"] == external_id):
                    return shown
        return None

    def open(self, user: str, view: View) -> Shown:
        """A modal of this one view, in place of the one that is open. Raises ApiError, as do `push` and `update`."""
        self._own_external_id(view, None)
        ident = _ident()
        return self._put(user, [], completed(self.seed, view, ident=ident, root=ident, previous=None))

    def push(self, below: Shown, view: View) -> Shown:
        stack = self._stacks[below.user]
        if len(stack) >= VIEW_STACK:
            raise ApiError("push_limit_reached")
        self._own_external_id(view, None)
        ident, root, previous = _ident(), stack[0].id, stack[-1].id
        return self._put(below.user, stack, completed(self.seed, view, ident=ident, root=root, previous=previous))

    def update(self, shown: Shown, view: View) -> Shown:
        """Another view under the same id. What is filled in stays, where block and action ids are the same."""
        self._own_external_id(view, shown)
        old = shown.view
        ids = {"ident": shown.id, "root": old["root_view_id"], "previous": old["previous_view_id"]}
        shown.view = completed(self.seed, view, **ids)
        shown.sheet.follow(shown.view["blocks"])
        shown.complain()
        self.changed(shown.user)
        return shown

    def close(self, shown: Shown) -> None:
        """The view goes, and the one below it is seen again."""
        stack = self._stacks.get(shown.user, [])
        if shown in stack:
            stack.remove(shown)
            if not stack:
                del self._stacks[shown.user]
            self.changed(shown.user)

    def clear(self, user: str) -> None:
        if self._stacks.pop(user, None):
            self.changed(user)

    def _put(self, user: str, stack: list[Shown], view: View) -> Shown:
        shown = Shown(user=user, view=view)
        shown.sheet.follow(view["blocks"])
        self._stacks[user] = [*stack, shown]
        self.changed(user)
        return shown

    def _own_external_id(self, view: View, mine: Shown | None) -> None:
        given = str(view.get("external_id") or "")
        other = self.find(external_id=given) if given else None
        if other is not None and other is not mine:
            raise ApiError("duplicate_external_id")


def _ident() -> str:
    return f"V{secrets.token_hex(5).upper()}"
