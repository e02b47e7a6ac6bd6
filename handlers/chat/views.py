"""Views as cards: one for each thing that people can look at."""

from datetime import datetime
from typing import assert_never

from handlers.chat.card import Card
from handlers.chat.choices_card import choices_card
from handlers.chat.history_card import history_card, recent_card
from handlers.chat.people_card import who_card
from handlers.chat.preview_card import diff_card, preview_card
from handlers.chat.status_card import status_card
from pipelines.domain.model import Config
from pipelines.domain.views import (
    ChoicesView,
    DiffView,
    HistoryView,
    PreviewView,
    RecentView,
    StatusView,
    View,
    WhoView,
)


def view_card(view: View, config: Config, now: datetime) -> Card:
    match view:
        case StatusView():
            return status_card(view, now)
        case PreviewView():
            return preview_card(view, config, now)
        case HistoryView():
            return history_card(view, now)
        case DiffView():
            return diff_card(view, now)
        case WhoView():
            return who_card(view, now)
        case RecentView():
            return recent_card(view, now)
        case ChoicesView():
            return choices_card(view)
        case _:
            assert_never(view)
