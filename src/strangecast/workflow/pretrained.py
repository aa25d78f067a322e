"""Local folders of pretrained weights, as config.yaml names them: where they are and what they hold.

A folder's content is known by the digest of its files, remembered by size and time of change, so that planning does not
read gigabytes again. Nothing is downloaded; a name without a folder is a stated absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from strangecast.core.errors import ConfigError
from strangecast.core.hashing import digest, file_digest
from strangecast.workflow.cache import Cache


@dataclass(frozen=True)
class Weights:
    """A folder that exists.

    Attributes:
        name: as emulators call it.
        folder: its path.
        content: digest of the names and bytes of its files.
    """

    name: str
    folder: str
    content: str


class Pretrained:
    """The folders of ``weights:`` in config.yaml.

    Args:
        folders: path by name.
        cache: where digests are remembered between processes.
    """

    def __init__(self, folders: dict[str, str], cache: Cache) -> None:
        self._folders = folders
        self._cache = cache
        self._found: dict[str, Weights | None] = {}

    def find(self, name: str, sha256: str | None = None) -> Weights | None:
        """The weights called ``name``, or None where config.yaml names no folder for them.

        Args:
            name: as the emulator's YAML has it.
            sha256: digest the folder must have, or None for any.

        Raises:
            ConfigError: the folder named does not exist, is empty, or does not hold what its digest promises.
        """
        if name not in self._found:
            self._found[name] = self._look(name)
        weights = self._found[name]
        if weights is not None and sha256 and weights.content != sha256:
            raise ConfigError(
                f"weights.{name}: {weights.folder} holds files of digest {weights.content}, the emulator's YAML wants {sha256}"
            )
        return weights

    def _look(self, name: str) -> Weights | None:
        if name not in self._folders:
            return None
        folder = Path(self._folders[name]).expanduser().absolute()
        files = sorted(folder.rglob("*")) if folder.is_dir() else []
        # What starts with a dot is a downloader's own note, with times in it.
        seen = [p for p in files if p.is_file() and not any(n[0] == "." for n in p.relative_to(folder).parts)]
        if not seen:
            raise ConfigError(f"weights.{name}: {folder} is no folder with files in it")
        content = digest([[p.relative_to(folder).as_posix(), self._file(p)] for p in seen], length=64)
        return Weights(name, str(folder), content)

    def _file(self, path: Path) -> str:
        about = path.stat()
        key = f"weights:{path}:{about.st_size}:{about.st_mtime_ns}"
        found = self._cache.get(key)
        return found if found is not None else self._cache.put(key, file_digest(path))
