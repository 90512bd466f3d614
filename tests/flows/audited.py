"""`make audit` of a run, and what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.local.place import ROOT


def audited(card: dict[str, Any], folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Its exit code and its JSON. `folder` gets the run's card, by which it finds the run."""
    (folder / "local.json").write_text(json.dumps(card))
    done = subprocess.run(
        [sys.executable, "-m", "infra.local.audit", "--json", *arguments],
        env={**os.environ, "CHASQUI_RUN_DIR": str(folder)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)
