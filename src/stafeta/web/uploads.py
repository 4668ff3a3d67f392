"""Files on their way in: plaintext only in files without a name, and only for the page that takes files.

Django reads the body of a request before any view has a say. So this handler decides first who may send files at all,
and lets go of what breaks a limit while it arrives; the view is told, and names it to the owner.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import IO, Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from stafeta.core.errors import PolicyError
from stafeta.vault.services.add_attachment import ATTACHMENTS_MAX
from stafeta.vault.storage import passing_file

PAGE: Final = "handover-attach"


class Upload(UploadedFile):  # type: ignore[type-arg]  # no generic at run time
    """One file that was sent. refusal: why nothing of it was kept, a limit or the disk."""

    def __init__(self, file: IO[bytes], name: str, *, size: int, refusal: PolicyError | OSError | None) -> None:
        super().__init__(file=file, name=name, size=size)
        self.refusal = refusal

    def opened(self) -> IO[bytes]:
        """Return the bytes. Raises PolicyError for a file that was refused, OSError where the disk was full."""
        if self.refusal:
            raise self.refusal
        assert self.file is not None
        return self.file


class PrivateUploadHandler(FileUploadHandler):
    """Takes the files that a signed-in owner sends to a handover; all others are dropped as they arrive."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._files = 0
        self._bytes = 0
        self._refusal: PolicyError | OSError | None = None
        self._file: IO[bytes] | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file. Raises SkipFile for those who may send none."""
        super().new_file(*args, **kwargs)
        if not self._is_welcome():
            raise SkipFile
        self._files += 1
        self._refusal = None
        if self._files > ATTACHMENTS_MAX:
            self._refusal = PolicyError("attachments", self._files, 0, ATTACHMENTS_MAX)
        self._file = None
        if self._refusal is None:
            self._on_disk(self._begin)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a part of the file, unless the file has broken a limit."""
        self._bytes += len(raw_data)
        self._check("attachment_bytes", start + len(raw_data), settings.ATTACHMENT_BYTES_MAX)
        self._check("attachments_bytes", self._bytes, settings.HANDOVER_ATTACHMENTS_BYTES_MAX)
        if self._file is not None:
            file = self._file
            self._on_disk(lambda: file.write(raw_data))
        return None

    def file_complete(self, file_size: int) -> Upload:
        """Return the file, or what is left of one that was refused: its name and length."""
        if self._file is not None:
            self._on_disk(lambda: self._file and self._file.seek(0))  # writes what was held back
        file, self._file = self._file or BytesIO(), None
        refusal = self._refusal
        if isinstance(refusal, PolicyError) and refusal.field == "attachment_bytes":
            refusal.value = file_size
        return Upload(file, self.file_name or "", size=file_size, refusal=refusal)

    def upload_interrupted(self) -> None:
        """Let go of the file that broke off."""
        self._let_go()

    def _check(self, field: str, value: int, most: int) -> None:
        if value > most and self._refusal is None:
            self._refusal = PolicyError(field, value, 0, most)
            self._let_go()

    def _begin(self) -> None:
        self._file = passing_file()

    def _on_disk(self, work: Callable[[], object]) -> None:
        """Do what a full disk may refuse; then the file is refused, and the others are still heard out."""
        try:
            work()
        except OSError as error:
            self._refusal = error
            self._let_go()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # a full disk may refuse what was held back; it is given up anyway
                file.close()

    def _is_welcome(self) -> bool:
        if self.request is None or self.request.resolver_match is None:
            return False
        return self.request.resolver_match.url_name == PAGE and self.request.user.is_authenticated


def arrived_whole(fields: QueryDict) -> bool:
    """Whether the form came to its end: its last field, after all files, is there."""
    return fields.get("end") == "1"


def uploads_in(files: MultiValueDict[str, Any]) -> list[Upload]:
    """Return the files that were sent under the name "files", in their order."""
    return [file for file in files.getlist("files") if isinstance(file, Upload)]
