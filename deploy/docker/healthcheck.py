"""Exit 0 when the web or worker process in this container is ready, and 1 when it is not."""

from __future__ import annotations

import os
import sys
import urllib.request


def main() -> int:
    """Ask the service whether it is ready; the exit code."""
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=2):
            return 0
    except OSError as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
