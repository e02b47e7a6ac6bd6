"""What the shop shows: one text for a path."""

PAGES = {
    "/": "Welcome to the shop.",
    "/tea": "Tea, 4.50 a box.",
    "/cart": "Your cart is empty.",
    "/help": "We answer within a day.",
}


def page(path: str, visit: int) -> str:
    """The page at a path; `visit` counts the pages shown since the start, from 1."""
    return text(path)


def text(path: str) -> str:
    return PAGES.get(path, "Nothing is sold on this shelf yet.")
