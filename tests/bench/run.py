"""`make bench`: the benchmarks, one after the other."""

import importlib.util
import subprocess
import sys
from typing import Final

BENCHMARKS: Final = ("text", "codec", "bridge", "customers", "end_to_end", "jobs", "suppression", "jobs_stop")


def main() -> int:
    """0 when every benchmark ran and met its bars."""
    wanted = sys.argv[1:] or BENCHMARKS
    failed = []
    for name in wanted:
        module = f"tests.bench.{name}"
        print(f"\n── {name} " + "─" * (70 - len(name)), flush=True)
        if importlib.util.find_spec(module) is None:
            print(f"there is no {module}", file=sys.stderr)
            failed.append(name)
        elif subprocess.run([sys.executable, "-m", module], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
