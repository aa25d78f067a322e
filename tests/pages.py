"""The pages of docs/ as tests read them: code blocks, what they are, and the files that recipes make."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [REPOSITORY / n for n in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (REPOSITORY / "docs").glob("*.md")
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: file it stands in.
        language: behind the fence.
        text: its lines.
        before: the paragraph before it.
    """

    page: Path
    language: str
    text: str
    before: str

    @property
    def file(self) -> str | None:
        """The path the reader is told to write this block to: the last one named in the paragraph before it."""
        named = [w for w in _INLINE.findall(self.before) if re.fullmatch(r"src/[\w./-]+\.(py|yaml)", w)]
        whole = self.language in ("python", "yaml") and not self.text.startswith(" ")  # indented: a line to add
        return named[-1] if named and whole else None


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        before = text[: match.start()].rstrip("\n").rpartition("\n\n")[2]
        found.append(Block(page, match[1], match[2], before))
    return [b for b in found if language in (None, b.language)]


def inline(page: Path) -> list[str]:
    """Inline code of a page."""
    return _INLINE.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))


def commands(page: Path, program: str) -> list[list[str]]:
    """Command lines of a program in the shell blocks of a page, split into words (redirections and pipes cut off)."""
    lines = [line for b in blocks(page, "sh") for line in b.text.splitlines()]
    found = []
    for line in lines:
        words = shlex.split(re.split(r" [|>] ", line)[0], comments=True)
        if words and Path(words[0]).name == program:
            found.append(words[1:])
    return found


def recipe_files(page: Path) -> dict[str, str]:
    """Path (in the repository) and text of every file that a page tells the reader to write."""
    return {b.file: b.text for b in blocks(page) if b.file}


def clone(target: Path) -> Path:
    """Copy the working tree as a fresh clone would hold it: tracked files, and new ones that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((REPOSITORY / name).read_bytes())
    return target
