"""The key that signs sessions: the operator's, or one made once and kept in the data folder."""

import os
import secrets
from pathlib import Path
from typing import Final

FILE_NAME: Final = "secret"
SECRET_BYTES: Final = 32


def keep_secret(data_dir: Path, configured: str) -> str:
    """The configured secret, else the one in the data folder (mode 0600), made when missing.

    Two processes that start at once agree: the file appears whole or not at all.
    """
    if configured:
        return configured
    path = data_dir / FILE_NAME
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _publish(path, secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text().strip()


def _publish(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first: its secret counts
    finally:
        draft.unlink()
