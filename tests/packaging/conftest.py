"""The packages, made once a test run: one for AWS, and one for the CPU of this machine, to be run."""

import fcntl
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest

from infra.package import functions_of, package

HERE = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]


class Package(NamedTuple):
    """A stage's package."""

    folder: Path

    @property
    def archive(self) -> Path:
        return self.folder / "deployment.zip"

    @property
    def template(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "sam.json").read_text())
        return document

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Properties of every function by its handler."""
        return {properties["Handler"]: properties for _, properties in functions_of(self.template)}

    def policy_of(self, handler: str) -> dict[str, Any]:
        """The policy document of the handler's own role."""
        role, attribute = self.functions[handler]["Role"]["Fn::GetAtt"]
        assert attribute == "Arn"
        (policy,) = self.template["Resources"][role]["Properties"]["Policies"]
        document: dict[str, Any] = policy["PolicyDocument"]
        return document


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, made by one process: what they have in common is compiled once."""

    def make(out: Path) -> None:
        package(out / "shipped", stage="prod")
        package(out / "runnable", stage="prod", architecture=HERE)

    return _once(tmp_path_factory, "packages", make)


@pytest.fixture(scope="session")
def shipped(packages: Path) -> Package:
    """The package of stage prod, as it is deployed."""
    return Package(packages / "shipped")


@pytest.fixture(scope="session")
def runnable(packages: Path) -> Package:
    """The same package with this machine's wheels."""
    return Package(packages / "runnable")


@pytest.fixture(scope="session")
def unpacked(runnable: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runnable package as Lambda lays it out."""

    def unzip(out: Path) -> None:
        with ZipFile(runnable.archive) as archive:
            archive.extractall(out)

    return _once(tmp_path_factory, "unpacked", unzip)


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` filled, made by whichever of pytest-xdist's workers comes first."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / f"packaging-{name}"
    with (base / f"packaging-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = base / f"packaging-{name}.making"
            making.mkdir()
            make(making)
            making.rename(folder)
    return folder
