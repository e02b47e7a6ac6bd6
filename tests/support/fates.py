"""What may become of a call to Slack."""

from enum import StrEnum


class Fate(StrEnum):
    WELL = "well"
    BUSY = "429"
    ILL = "503"
    UNHEARD = "unheard"  # the connection broke before Slack had read it
    LOST = "lost"  # Slack did it, and the answer was lost
    SILENT = "silent"  # Slack did it, or not, and never answers
