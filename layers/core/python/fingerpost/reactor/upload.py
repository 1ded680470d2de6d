"""A script as it is uploaded, in either form, checked and ready to be installed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from ..errors import Finding, Invalid, TooLarge
from .bundles import MAIN, pack, read
from .filters import Filters, filters_in, functions_in
from .manifest import MANIFEST, Manifest, read_manifest

MAX_SCRIPT_BYTES = 1024 * 1024
MAX_MAIN_BYTES = 2 * 1024 * 1024  # of a bundle: it is read for filters, and answered as a text
MAX_ZIP_BYTES = 4 * 1024 * 1024  # what a request can carry to a Lambda function, and back
MAX_FILES = 1_000
MAX_UNPACKED_BYTES = 20 * 1024 * 1024
MODULES = "node_modules"

type Form = Literal["simple", "bundle"]

_BY_FILE_MANAGERS = ("__MACOSX", ".DS_Store", "Thumbs.db")
_SOURCES = (".js", ".cjs", ".mjs")


@dataclass(frozen=True, slots=True)
class Upload:
    """`files` by path, main.js among them."""

    form: Form
    files: Mapping[str, bytes]
    manifest: Manifest
    filters: Filters
    functions: tuple[str, ...]

    @property
    def script(self) -> str:
        return self.files[MAIN].decode("utf-8", "replace")

    @property
    def content(self) -> bytes:
        """The files as a zip."""
        return pack(iter(self.files.items()))


def simple(script: str, manifest: str) -> Upload:
    """Raises Duplicate, Invalid, TooLarge."""
    content = script.encode(errors="replace")
    if len(content) > MAX_SCRIPT_BYTES:
        raise TooLarge(f"A script has at most {MAX_SCRIPT_BYTES:,} bytes; larger ones are sent as a bundle")
    files = {MAIN: content, **({MANIFEST: manifest.encode(errors="replace")} if manifest.strip() else {})}
    return _upload("simple", files)


def bundle(content: bytes) -> Upload:
    """The upload of a zip. Raises Duplicate, Invalid, TooLarge."""
    if len(content) > MAX_ZIP_BYTES:
        raise TooLarge(f"The zip of a bundle has at most {MAX_ZIP_BYTES:,} bytes; this one has {len(content):,}")
    files = {
        path: found
        for path, found in read(content, max_files=MAX_FILES, max_bytes=MAX_UNPACKED_BYTES).items()
        if not set(PurePosixPath(path).parts) & set(_BY_FILE_MANAGERS)
    }
    if inside := next((path for path in files if MODULES in PurePosixPath(path).parts), None):
        raise _refused(f"The bundle holds {inside[:200]!r}: leave {MODULES} out, {MANIFEST} names what is installed")
    if MAIN not in files:
        deeper = next((path for path in files if path.endswith(f"/{MAIN}")), None)
        hint = f"; it has {deeper[:200]!r}: zip what is in the folder, not the folder" if deeper else ""
        raise _refused(f"The bundle holds no {MAIN} at its root{hint}")
    if (size := len(files[MAIN])) > MAX_MAIN_BYTES:
        raise TooLarge(f"{MAIN} has at most {MAX_MAIN_BYTES:,} bytes; this one has {size:,}: split it into files")
    return _upload("bundle", files)


def stored(form: Form, content: bytes) -> Upload:
    """An upload that was accepted before, from its zip."""
    return _upload(form, read(content))


def _upload(form: Form, files: Mapping[str, bytes]) -> Upload:
    manifest = read_manifest(files.get(MANIFEST, b"").decode("utf-8-sig", "replace"))
    sources = [text.decode("utf-8", "replace") for path, text in files.items() if path.endswith(_SOURCES)]
    return Upload(form, files, manifest, filters_in(files[MAIN].decode("utf-8", "replace")), functions_in(sources))


def _refused(message: str) -> Invalid:
    return Invalid(message, details=[Finding(field="file", message=message)])
