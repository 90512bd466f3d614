"""The image's recipe: what it copies is enough, nothing else is in it, and the process starts and drains from that."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "smpp_bridge" / "Dockerfile").read_text()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder that the image's WORKDIR would be."""
    copies = [line.split()[1:] for line in RECIPE.splitlines() if line.startswith("COPY ") and "--from" not in line]
    for *sources, target in copies[1:]:  # the first is the requirements
        for source in map(ROOT.joinpath, sources):
            if source.is_dir():
                shutil.copytree(source, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (tmp_path / target).mkdir(exist_ok=True)
                shutil.copy(source, tmp_path / target)
    return tmp_path


def test_the_image_holds_the_bridge_and_what_it_stands_on_and_no_more(image: Path) -> None:
    assert sorted(entry.name for entry in image.iterdir()) == ["chalicelib", "smpp_bridge"]
    inside = {entry.name for entry in (image / "chalicelib").iterdir()}
    assert inside == {"__init__.py", "settings.py", "wire.py", "domain", "store", "services"}


def test_the_image_runs_as_nobody_in_particular_and_checks_its_health() -> None:
    assert re.search(r"^USER 10001$", RECIPE, re.MULTILINE)
    assert RECIPE.index("USER 10001") < RECIPE.index("ENTRYPOINT")
    assert "HEALTHCHECK" in RECIPE


def test_the_process_starts_from_the_image_s_files_alone_and_drains_on_sigterm(image: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # nobody is there: rules cannot be read, and it goes on asking
        "CHASQUI_BRIDGE_PORT": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "smpp_bridge"], cwd=image, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert '"bridge started"' in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert '"bridge stopped"' in said
