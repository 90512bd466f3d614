"""A child's tie to its run: it ends when the run ends, in whatever way the run ends.

The run holds the writing end of a pipe and its children the reading end; when the run is gone, even by SIGKILL, the
children read the end of it.
"""

import os
import threading

from infra.local.place import LIFELINE


def hold() -> None:
    """End this process as soon as the run that started it is gone."""
    descriptor = os.environ.get(LIFELINE)
    if descriptor:
        threading.Thread(target=_wait, args=(int(descriptor),), name="lifeline", daemon=True).start()


def _wait(descriptor: int) -> None:
    while True:
        if not os.read(descriptor, 1):
            os._exit(1)  # nobody is left to be told, so nothing to clean up for
