"""What `chalice package` makes of stage prod: what is in the zip, what is not, and what its template says."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

from infra import policies
from infra.package import ROOT, stages
from tests.figures import FIGURE
from tests.packaging.conftest import Package

MAX_ZIP_BYTES = 25_000_000
MAX_UNZIPPED_BYTES = 250_000_000  # Lambda's own limit
# Of this tree, only these are shipped. Everything else in the zip comes from a pinned requirement.
OURS = ("app.py", "chalicelib/", "functions/")
NOT_SHIPPED = ("tests/", "infra/", "smpp_bridge/", "docs/", "vendor/", "requirements/", ".chalice/", ".git")
AARCH64 = 183  # elf(5), e_machine
DEVELOPMENT = (
    "moto",
    "pytest",
    "hypothesis",
    "mypy",
    "ruff",
    "schemathesis",
    "httpx",
    "cfnlint",
    "smpplib",
    "jinja2",
    "yaml",
)


def _names(package: Package) -> list[str]:
    with ZipFile(package.archive) as archive:
        return archive.namelist()


def test_the_zip_is_small(shipped: Package, record_property: Callable[[str, object], None]) -> None:
    with ZipFile(shipped.archive) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    size = shipped.archive.stat().st_size
    record_property(FIGURE, f"package: {size / 1e6:.1f} MB zipped, {unzipped / 1e6:.1f} MB unzipped")
    assert size < MAX_ZIP_BYTES
    assert unzipped < MAX_UNZIPPED_BYTES


def test_of_aws_the_zip_knows_what_functions_call_and_no_more(shipped: Package) -> None:
    known = {name.split("/")[2] for name in _names(shipped) if re.match("botocore/data/[^/]+/.", name)}
    sources = [path.read_text() for folder in ("chalicelib", "functions") for path in (ROOT / folder).rglob("*.py")]
    called = {service for source in sources for service in re.findall(r"\baws\.client\(\"(\w+)\"\)", source)}
    assert known == called


def test_the_zip_holds_every_module_of_ours(shipped: Package) -> None:
    names = set(_names(shipped))
    ours = {"app.py"} | {
        str(path.relative_to(ROOT)) for folder in ("chalicelib", "functions") for path in (ROOT / folder).rglob("*.py")
    }
    assert ours <= names
    assert "functions/__init__.py" in names, "functions/ is shipped through vendor/functions"


def test_nothing_that_only_development_needs_is_in_the_zip(shipped: Package) -> None:
    names = _names(shipped)
    assert [name for name in names if name.startswith(NOT_SHIPPED)] == []
    top = {name.partition("/")[0] for name in names}
    assert top & set(DEVELOPMENT) == set()


def test_what_api_gateway_answers_by_itself_is_a_problem_too(shipped: Package) -> None:
    definition = shipped.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    told = definition["x-amazon-apigateway-gateway-responses"]
    unknown_path = told["MISSING_AUTHENTICATION_TOKEN"]
    body = json.loads(unknown_path["responseTemplates"]["application/json"])
    assert (unknown_path["statusCode"], body["code"], body["request_id"]) == ("404", "not_found", "$context.requestId")
    assert {json.loads(one["responseTemplates"]["application/json"])["status"] for one in told.values()} >= {
        404,
        413,
        429,
    }


def test_nothing_is_in_the_zip_twice(shipped: Package) -> None:
    names = _names(shipped)
    assert len(names) == len(set(names))


def test_every_module_has_bytecode_that_needs_no_dates(shipped: Package) -> None:
    with ZipFile(shipped.archive) as archive:
        modules = {name for name in archive.namelist() if name.endswith(".py")}
        compiled = [name for name in archive.namelist() if name.endswith(".pyc")]
        assert len(compiled) == len(modules)
        unchecked = (0b01).to_bytes(4, "little")
        assert all(archive.read(name)[4:8] == unchecked for name in compiled)


def test_native_code_is_for_the_stages_cpu(shipped: Package) -> None:
    with ZipFile(shipped.archive) as archive:
        native = [name for name in archive.namelist() if re.search(r"\.so(\.|$)", name)]
        machines = {int.from_bytes(archive.read(name)[18:20], "little") for name in native}  # of their ELF headers
    assert any("msgspec" in name for name in native)
    assert any("argon2" in name for name in native)
    assert machines == {AARCH64}
    assert {tuple(properties["Architectures"]) for properties in shipped.functions.values()} == {("arm64",)}


def test_the_libraries_are_the_pinned_ones(shipped: Package) -> None:
    pins = dict(
        line.partition(";")[0].strip().split("==") for line in (ROOT / "requirements.txt").read_text().splitlines()
    )
    found = [re.fullmatch(r"([^/]+)-([^-/]+)\.dist-info/METADATA", name) for name in _names(shipped)]
    canonical = {match[1].lower().replace("_", "-"): match[2] for match in found if match}
    assert canonical == {name: version for name, version in pins.items() if name in canonical}
    assert set(pins) - set(canonical) <= {"typing-extensions"}, "only what this Python already has may be missing"


def test_the_template_names_the_functions_as_the_alarms_do(shipped: Package) -> None:
    names = {properties["FunctionName"] for properties in shipped.functions.values()}
    _, watched, _ = load(str(ROOT / "infra" / "alarms.yaml"))["Resources"]["Fn::ForEach::Errors"]
    assert names == {"chasqui-prod"} | {f"chasqui-prod-{name}" for name in watched}


def test_the_template_is_one_that_cloudformation_takes(shipped: Package) -> None:
    assert [str(match) for match in lint_file(shipped.folder / "sam.json")] == []


def test_the_environment_names_the_stage_and_holds_no_secret(shipped: Package) -> None:
    for properties in shipped.functions.values():
        assert properties["Environment"]["Variables"] == {"CHASQUI_PREFIX": "chasqui-prod"}


def test_every_function_has_logs_that_end_and_a_timeout_below_its_gateways(shipped: Package) -> None:
    groups = [r for r in shipped.template["Resources"].values() if r["Type"] == "AWS::Logs::LogGroup"]
    names = {f"/aws/lambda/{properties['FunctionName']}" for properties in shipped.functions.values()}
    assert {group["Properties"]["LogGroupName"] for group in groups} == names
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {90}
    assert max(properties["Timeout"] for properties in shipped.functions.values()) < 29  # API Gateway's limit


def test_the_policies_are_what_their_table_says() -> None:
    stale = [str(path) for path, text in policies.files().items() if path.read_text() != text]
    assert stale == [], "run python -m infra.policies"
    assert set(policies.FOLDER.rglob("*.json")) == set(policies.files())


# Log groups are named after functions, figures of CloudWatch have no names, and mails go out by the house's identity.
NOT_OF_A_STAGE = ("logs:", "cloudwatch:GetMetricData", "ses:")


@pytest.mark.parametrize("path", sorted(policies.files()), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_policy_names_its_actions_and_its_own_stages_resources(path: Path) -> None:
    for statement in json.loads(path.read_text())["Statement"]:
        assert all("*" not in action for action in statement["Action"])
        if statement["Action"][0].startswith(NOT_OF_A_STAGE):
            continue
        prefix = stages()[path.parent.name]["environment_variables"]["CHASQUI_PREFIX"]
        assert all(re.search(rf"[:/]{prefix}[-/]", resource) for resource in statement["Resource"])
