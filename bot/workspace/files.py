"""Files that were uploaded: their particulars, and their bytes on disk (in memory when the workspace keeps nothing)."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREVIEW_LINES, PREVIEW_BYTES = 5, 2_000
KEPT = 1_000


@dataclass
class Files:
    """`known`: id -> name, title, size (bytes), and whether its bytes have come."""

    folder: Path | None
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _bytes: dict[str, bytes] = field(default_factory=dict)

    def __getitem__(self, file: str) -> dict[str, Any]:
        """A file's particulars with its text."""
        return {**self.known[file], "content": self.content(file).decode(errors="replace")}

    def announce(self, name: str, size: int) -> str:
        """The id of a file that will be uploaded once. The oldest goes when there are too many."""
        file = f"F{secrets.token_hex(5).upper()}"
        self.known[file] = {"id": file, "name": name, "title": "", "size": size, "here": False}
        for old in list(self.known)[:-KEPT]:
            self._drop(old)
        return file

    def _drop(self, file: str) -> None:
        del self.known[file]
        self._bytes.pop(file, None)
        if self.folder is not None:
            (self.folder / file).unlink(missing_ok=True)

    def keep(self, file: str, raw: bytes) -> None:
        self.known[file] |= {"size": len(raw), "here": True}
        if self.folder is None:
            self._bytes[file] = raw
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_bytes(raw)

    def content(self, file: str) -> bytes:
        if self.folder is None:
            return self._bytes.get(file, b"")
        path = self.folder / file
        return path.read_bytes() if path.exists() else b""

    def start(self, file: str) -> str:
        """The first lines, to be shown under a message."""
        if self.folder is None:
            raw = self._bytes.get(file, b"")[:PREVIEW_BYTES]
        elif (path := self.folder / file).exists():
            with path.open("rb") as opened:
                raw = opened.read(PREVIEW_BYTES)
        else:
            raw = b""
        return "\n".join(raw.decode(errors="replace").splitlines()[:PREVIEW_LINES])

    def on_the_page(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        return [
            {**{name: self.known[one][name] for name in ("id", "name", "size")}, "url": f"/files/{one}"}
            | {"preview": self.start(one)}
            for one in ids
            if one in self.known
        ]

    def in_the_api(self, file: str, base_url: str) -> dict[str, Any]:
        known = self.known[file]
        url = f"{base_url}files/{file}"
        shown = {name: known[name] for name in ("id", "name", "title", "size")}
        return {**shown, "mimetype": "text/plain", "permalink": url, "url_private": url, "url_private_download": url}
