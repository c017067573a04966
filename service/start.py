"""Where the command begins: nothing is imported before Ctrl-C can be answered.

The engine's libraries take seconds to import; a user who changes their mind in that time should
read the same sentence as later.
"""

from __future__ import annotations

import sys

INTERRUPTED = 130  # service.settings.Exit.INTERRUPTED, which costs an import


def main() -> None:
    """Run the command line."""
    try:
        from service.cli import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Đã dừng theo yêu cầu.\n")
        sys.exit(INTERRUPTED)
