"""`make audit`: audit the local run that is up, by what .run/local.json says of it."""

import json
import os
import sys
from dataclasses import replace
from urllib.parse import urlsplit

from infra import audit
from infra.local.place import BadPlace, environment, place


def main() -> int:
    """0 where the books agree, 1 where they do not; 2 where no run is up."""
    try:
        where = place()
        card = json.loads(where.card.read_text())
    except BadPlace as bad:
        return _refuse(str(bad))
    except FileNotFoundError:
        return _refuse(f"no run is up: there is no {where.card}; `make run` starts one")
    where = replace(where, aws_port=urlsplit(card["endpoint_url"]).port or where.aws_port)
    os.environ.update(environment(where, cursor_secret=""))
    return audit.main()


def _refuse(why: str) -> int:
    print(f"make audit: {why}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
