"""``deskledger-booking``: web, worker, migrate, admin."""

from booking.service import SERVICE
from common.cli import service_cli

main = service_cli(SERVICE)

if __name__ == "__main__":
    main()
