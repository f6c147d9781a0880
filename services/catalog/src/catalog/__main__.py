"""``python -m catalog web|worker|migrate|admin``."""

from __future__ import annotations

from catalog.service import SERVICE
from common.cli import service_cli

main = service_cli(SERVICE)

if __name__ == "__main__":
    main()
