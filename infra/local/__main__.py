"""`make run`: the whole platform on one machine, from nothing to three delivered messages, until Ctrl-C."""

import sys

from infra.local import card, demo, watch
from infra.local.children import Crew, RunFailed
from infra.local.place import BadPlace, Place, place
from infra.local.start import Stopped, crewed, start_platform


def main() -> int:
    """0 when asked to stop (or, run once, when the three messages ended as they should), else 1."""
    try:
        where = place()
        with crewed(where) as crew:
            return _run(where, crew)
    except (BadPlace, RunFailed) as failure:
        print(f"\nmake run: {failure}", file=sys.stderr, flush=True)
        return 1
    except Stopped:
        return 0


def _run(where: Place, crew: Crew) -> int:
    print(f"Chasqui on one machine, AWS by {where.backend}; logs in {where.run_dir / 'logs'}", flush=True)
    keys = start_platform(where, crew)
    card.write(where, keys)
    delivered = demo.send_three(where, keys, crew)
    if where.run_once:
        return 0 if delivered else 1
    print(demo.banner(where, keys), flush=True)
    watch.follow(where, keys, crew)
    return 0


if __name__ == "__main__":
    sys.exit(main())
