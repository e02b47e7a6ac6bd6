"""What is wrong with a database, for those who start on it or wait for it. Each message says what to do."""


class StorageError(Exception):
    """Any of these."""


class UnreachableError(StorageError):
    """The database does not answer, or refuses who asks."""


class DatabaseAwayError(StorageError):
    """The database did not do its work in time. Whether the work was done after all nobody knows, so it must be such
    that it may be done again."""


class ReadOnlyError(StorageError):
    """The database takes no writes."""


class OlderSchemaError(StorageError):
    """The database has to be brought up to date first."""


class NewerSchemaError(StorageError):
    """The database was written by a newer Shipmate."""


class BrokenError(StorageError):
    """The database is not as it was left, so nobody may go on with it."""


class NoRoomError(StorageError):
    """The disk of the database is full."""


class SlotTakenError(StorageError):
    """Another process is already what this one is to be."""
