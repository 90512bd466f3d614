"""Make an administrator's key, as the first thing after a deployment: every other key can then be made over HTTPS.

AWS_PROFILE=… CHASQUI_PREFIX=chasqui-prod python -m infra.admin_key "Ana, operations"
"""

import argparse
import getpass
import sys
import time

from chalicelib.services.issue_key import issue_admin_key
from chalicelib.services.record_change import recording_command
from chalicelib.settings import settings


def main() -> None:
    """Make the key and print it: it is shown this once, what is kept is its digest."""
    arguments = argparse.ArgumentParser(prog="python -m infra.admin_key", description=__doc__)
    arguments.add_argument("name", help="whose key it is, for the list of keys")
    name: str = arguments.parse_args().name
    now_ms = time.time_ns() // 1_000_000
    with recording_command("admin_key", getpass.getuser(), now_ms):
        made = issue_admin_key(name, now_ms)
    sys.stderr.write(f"a key for the administrators of {settings().prefix}, shown this once:\n")
    sys.stdout.write(f"{made.text}\n")


if __name__ == "__main__":
    main()
