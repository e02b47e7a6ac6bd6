"""Secrets as files, one file a secret, the way Docker and Kubernetes mount them: a reference becomes its value.

Whether one is there is asked by reading it, so a plan and a script get the same answer. No error here holds a value.
"""

import os
import stat
from collections.abc import Mapping

FILE = "file://"
LIMIT = 32 * 1024
"""Bytes of a value. Linux gives a variable at most 128 KiB, and masking costs memory for each byte."""

TOTAL = 128 * 1024
"""Characters of all the secrets of a deploy."""


class SecretError(Exception):
    """Why a secret cannot be had, as a clause that names its path and says what to do."""


def read(reference: str) -> str:
    """The value behind a reference, without the line ends at its end. Raises SecretError.

    Bytes that are no UTF-8 come as surrogates, which an environment takes."""
    if not reference.startswith(FILE):
        raise SecretError("nothing says where it is; write `secrets_from` in the bot's configuration")
    path = reference.removeprefix(FILE)
    value = _bytes(path).rstrip(b"\r\n")
    if not value:
        raise SecretError(f"{path} is empty; write the value into it")
    if b"\0" in value:
        raise SecretError(f"{path} holds a zero byte, which no variable can; write it as text, such as base64")
    return value.decode(errors="surrogateescape")


def read_all(references: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The values by name, and what is wrong with those that cannot be had."""
    values: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, reference in references.items():
        try:
            value = read(reference)
        except SecretError as error:
            wrong[name] = str(error)
            continue
        if sum(map(len, values.values())) + len(value) > TOTAL:
            wrong[name] = f"the secrets of one deploy are larger than {TOTAL // 1024} KiB together; name fewer"
        values[name] = value
    return values, wrong


def _bytes(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe without a writer would wait
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SecretError(f"{path} is not a file; put the value into a file of that name")
            value = b""
            while len(value) <= LIMIT and (more := os.read(descriptor, LIMIT + 1)):
                value += more
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise SecretError(f"there is no file {path}; write the value into it") from None
    except OSError as error:
        raise SecretError(f"{path} cannot be read ({error.strerror}); let the bot's user read it") from None
    if len(value) > LIMIT:
        raise SecretError(f"{path} is larger than {LIMIT // 1024} KiB; let a script fetch what is so large by itself")
    return value
