"""Package the Lambdas for deployment: `chalice package` over a clean copy of what is shipped, and what it leaves out.

python -m infra.package --stage prod dist    writes dist/deployment.zip and dist/sam.json
"""

import argparse
import importlib.util
import json
import marshal
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra import gateway_responses

ROOT: Final = Path(__file__).parent.parent
SHIPPED: Final = ("app.py", "requirements.txt", "chalicelib", "functions")
# Caches of whoever packages are no part of the code; `deployments` holds chalice's zips of earlier times.
_LEFT_BEHIND: Final = shutil.ignore_patterns("__pycache__", "*.pyc", "deployments", "deployed", ".DS_Store")
MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}  # a CPU as AWS calls it → as wheels do
_READABLE: Final = 0o644  # Lambda runs as another user
# Of all that botocore knows, what functions call: the rest is two thirds of a zip. A test holds it against their code.
SERVICES: Final = frozenset({"cloudwatch", "dynamodb", "s3", "secretsmanager", "sesv2", "sqs"})
_GLIBC: Final = 26  # 2.26: the oldest that a runtime of our Pythons has (Amazon Linux 2)


class PackagingFailed(Exception):
    """Chalice could not make the package; the text is what it said."""


def package(out: Path, *, stage: str, architecture: str | None = None) -> Path:
    """Make the package of a stage in the folder `out`, for the stage's CPU or another. Gives the template's path."""
    with TemporaryDirectory(prefix="chasqui-package-") as folder:
        project = Path(folder) / "project"
        _copy(project, architecture)
        _compile(project)
        _run_chalice(project, stage, out.resolve(), MACHINES[_config(project)["lambda_architecture"]])
    leave_out_services(out / "deployment.zip")
    add_bytecode(out / "deployment.zip")
    template = out / "sam.json"
    document = json.loads(template.read_text())
    template.write_text(json.dumps(told_as_problems(named(document, stage)), indent=2, sort_keys=True) + "\n")
    return template


def named(template: dict[str, Any], stage: str) -> dict[str, Any]:
    """The template with the functions' names as `chalice deploy` gives them, so that alarms know them either way.

    Their log groups are named after them: chalice 1.34 lets the API's refer to a function that it renames afterwards.
    """
    resources = template["Resources"]
    for name, properties in functions_of(template):
        api = name == "APIHandler"
        suffix = "" if api else "-" + properties["Handler"].rpartition(".")[2]
        properties["FunctionName"] = f"chasqui-{stage}{suffix}"
        log_group = resources["ApiHandlerLogGroup" if api else f"{name}LogGroup"]
        log_group["Properties"]["LogGroupName"] = f"/aws/lambda/{properties['FunctionName']}"
    return template


def told_as_problems(template: dict[str, Any]) -> dict[str, Any]:
    """The template with API Gateway's own answers (an unknown path, a throttled call) as the API's problems."""
    definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    definition["x-amazon-apigateway-gateway-responses"] = gateway_responses.extension()
    return template


def leave_out_services(archive: Path) -> None:
    """Take the models of AWS services that no function calls out of the zip."""
    whole = archive.rename(archive.with_suffix(".whole"))
    with ZipFile(whole) as given, ZipFile(archive, "w", ZIP_DEFLATED) as kept:
        for entry in given.infolist():
            if _is_called(PurePosixPath(entry.filename)):
                kept.writestr(entry, given.read(entry))
    whole.unlink()


def _is_called(path: PurePosixPath) -> bool:
    """What botocore holds of a service is in botocore/data/SERVICE; files beside these are of all services."""
    of_service = path.parts[:2] == ("botocore", "data") and len(path.parts) > 3
    return not of_service or path.parts[2] in SERVICES


def add_bytecode(archive: Path) -> None:
    """Put the bytecode of every module into the zip, for the Python that runs this (chalice makes it the runtime).

    Lambda's folder is read-only, so that without it every cold start compiles boto3 again (docs/decisions/0007).
    """
    with ZipFile(archive, "a", ZIP_DEFLATED) as zipped:
        names = set(zipped.namelist())
        for name in sorted(name for name in names if name.endswith(".py")):
            entry = ZipInfo(importlib.util.cache_from_source(name))
            if entry.filename in names:
                continue
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = _READABLE << 16
            zipped.writestr(entry, _bytecode(zipped.read(name), name))


@cache  # packages for two CPUs have the same modules
def _bytecode(source: bytes, name: str) -> bytes:
    """A .pyc that is taken without looking at the source's date (PEP 552, unchecked hash): a zip changes dates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what libraries' sources are warned of is theirs
        code = compile(source, f"/var/task/{name}", "exec", dont_inherit=True)
    unchecked_hash = (0b01).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + unchecked_hash + importlib.util.source_hash(source) + marshal.dumps(code)


def functions_of(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each Lambda function of a template: its logical name and its properties."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            yield name, resource["Properties"]


def _copy(project: Path, architecture: str | None) -> None:
    project.mkdir()
    for name in (*SHIPPED, ".chalice"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=_LEFT_BEHIND)
        else:
            shutil.copy2(source, project / name)
    (project / "vendor").mkdir()
    (project / "vendor" / "functions").symlink_to("../functions")
    if architecture is not None:
        config = _config(project) | {"lambda_architecture": architecture}
        (project / ".chalice" / "config.json").write_text(json.dumps(config))


def _compile(project: Path) -> None:
    """Put our modules' bytecode beside them: chalice imports them before it zips all that lies there."""
    for folder in ("chalicelib", "functions"):
        for path in (project / folder).rglob("*.py"):
            compiled = Path(importlib.util.cache_from_source(str(path)))
            compiled.parent.mkdir(exist_ok=True)
            compiled.write_bytes(_bytecode(path.read_bytes(), path.relative_to(project).as_posix()))
            compiled.chmod(_READABLE)


def _run_chalice(project: Path, stage: str, out: Path, machine: str) -> None:
    # A region, because chalice asks botocore for the service principal; no bytecode, because chalice imports the app
    # before it zips it.
    environment = {"AWS_DEFAULT_REGION": "eu-west-1", **os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    # chalice has pip fetch this machine's wheels, then one by one those that do not fit: here the right ones at once.
    platforms = [*(f"manylinux_2_{minor}_{machine}" for minor in range(17, _GLIBC + 1)), f"manylinux2014_{machine}"]
    environment |= {"PIP_PLATFORM": " ".join(platforms), "PIP_ONLY_BINARY": ":all:"}
    command = [sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())"]
    done = subprocess.run(  # noqa: S603 - fixed program, arguments checked by argparse
        [*command, "package", "--stage", stage, str(out)],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    # A package without one of its dependencies is no package: chalice only warns.
    if done.returncode or "Could not install dependencies" in said:
        raise PackagingFailed(said.strip())


def main() -> None:
    """Read the command line and package."""
    arguments = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    arguments.add_argument("out", type=Path, help="the folder to write deployment.zip and sam.json to")
    arguments.add_argument("--stage", required=True, choices=sorted(stages()))
    arguments.add_argument("--architecture", choices=MACHINES, help="another CPU than the stage's")
    given = arguments.parse_args()
    try:
        template = package(given.out, stage=given.stage, architecture=given.architecture)
    except PackagingFailed as failure:
        sys.exit(str(failure))
    sys.stdout.write(f"{template}\n{given.out / 'deployment.zip'}\n")


def stages() -> dict[str, Any]:
    """The stages of .chalice/config.json by name."""
    return dict(_config(ROOT)["stages"])


def _config(project: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((project / ".chalice" / "config.json").read_text())
    return config


if __name__ == "__main__":
    main()
