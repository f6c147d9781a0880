"""``python -m invoicing web|worker|migrate|admin``."""

from __future__ import annotations

from common.cli import service_cli
from invoicing.service import SERVICE

main = service_cli(SERVICE)

if __name__ == "__main__":
    main()
