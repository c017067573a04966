"""A document read and mended in a process of its own, under limits of time and memory.

Parsers of other people's formats are large, files come from anywhere, and a page of nothing but
damage takes a second to mend: what crashes, hangs or swells there ends there, as a sentence about
that file. ``python -m corpus.apart PATH`` is the process; it writes what the document holds as JSON
and may write no file.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corpus.documents import read_document
from corpus.files import DEFAULT_LIMITS, Limits, UnreadableFile
from corpus.reading import Content, read_content

_UNKNOWN: Final = "tệp hỏng hoặc không đọc được; hãy mở bằng chương trình đã tạo ra và lưu lại"


@dataclass(frozen=True)
class Allowance:
    """What the process may take: seconds of wall and processor time, bytes of address space."""

    seconds: int = 300
    memory: int = 2 * 2**30


def read_apart(
    path: Path,
    limits: Limits = DEFAULT_LIMITS,
    allowed: Allowance = Allowance(),
) -> Content:
    """Return what the document at ``path`` holds. Raises UnreadableFile for whatever befell."""
    asked = [str(path), str(limits.file_bytes), str(limits.unpacked_bytes)]
    given = [str(allowed.seconds), str(allowed.memory)]
    command = [sys.executable, "-m", "corpus.apart", *asked, *given]
    try:
        done = subprocess.run(command, capture_output=True, timeout=allowed.seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile(path, _slow(allowed)) from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:  # it was killed: by the limit of processor time, or by itself
        told = _slow(allowed) if done.returncode in {-24, -9} else _UNKNOWN
        raise UnreadableFile(path, told) from error
    if "error" in answer:
        raise UnreadableFile(path, answer["error"])
    return Content.of_json(answer)


def _slow(allowed: Allowance) -> str:
    return f"đọc tệp quá {allowed.seconds} giây nên đã dừng; hãy tách thành nhiều tệp"


def main() -> None:
    """Read the file named on the command line and write what it holds, or why it cannot be read."""
    path, file_bytes, unpacked, seconds, memory = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    limits = Limits(file_bytes=int(file_bytes), unpacked_bytes=int(unpacked))
    try:
        content = read_content(read_document(Path(path), limits), Path(path).name)
        answer = json.dumps(content.to_json())
    except UnreadableFile as error:
        answer = json.dumps({"error": error.reason})
    except (MemoryError, RecursionError):
        told = f"đọc tệp cần hơn {int(memory) / 2**30:g} GB bộ nhớ nên đã dừng; hãy tách tệp"
        answer = json.dumps({"error": told})
    except Exception:  # a reader's mistake is this file's misfortune, not the others'
        answer = json.dumps({"error": _UNKNOWN})
    sys.stdout.write(answer)


if __name__ == "__main__":
    main()
