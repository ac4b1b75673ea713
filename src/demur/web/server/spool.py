"""A file that is being sent, kept out of memory until all of it is there.

Invariants: nothing that is sent touches the disk before it is sealed, so what is spooled is encrypted under a key that
is in memory alone and ends with the file; the file has no name, is nobody else's to read, and is gone with the process.
"""

import os
import tempfile
from pathlib import Path
from typing import IO, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_IN_MEMORY: Final = 64 * 1024
"""Bytes that are kept in memory: most files that people send are larger, most forms are not."""
_KEY_BYTES: Final = 32
_NONCE: Final = bytes(16)
"""A key is used for one file only, from its beginning."""


class Spool:
    """Takes bytes one after another, and gives them back as a whole.

    It is written and read as :class:`starlette.datastructures.UploadFile` does with a file: `write`, `seek(0)`, `read`,
    `close`. Only its beginning can be sought.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cipher = Cipher(algorithms.AES(os.urandom(_KEY_BYTES)), modes.CTR(_NONCE))
        self._encryptor = self._cipher.encryptor()
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    def write(self, data: bytes) -> int:
        """Add to the end.

        Raises:
            OSError: when the disk is full.
        """
        self._memory += data
        if len(self._memory) > _IN_MEMORY:
            self._flush()
        return len(data)

    def seek(self, offset: int) -> int:
        """Go to the beginning."""
        assert offset == 0
        return 0

    def read(self, size: int = -1) -> bytes:
        """All of it."""
        assert size < 0
        if self._file is None:
            return bytes(self._memory)
        self._flush()
        self._file.seek(0)
        return self._cipher.decryptor().update(self._file.read())

    def close(self) -> None:
        """Forget it."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _flush(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115  # close() closes it
        left = memoryview(self._encryptor.update(bytes(self._memory)))
        while left:
            left = left[self._file.write(left) :]
        self._memory.clear()
