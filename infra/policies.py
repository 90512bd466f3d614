"""The IAM policies in .chalice/policies, one a function and stage, out of the table of infra/grants.py.

python -m infra.policies            writes them, after CHASQUI_PREFIX in .chalice/config.json or that table changed
python -m infra.policies --check    fails where they differ from it
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from infra.grants import GRANTS, Grant
from infra.package import ROOT, stages

FOLDER: Final = ROOT / ".chalice" / "policies"
MOST_OCTETS: Final = 10_240  # of a role's inline policy, white space aside (IAM, "Quotas")
# ARNs of resources, by service, with the stage's prefix. No region and account: a policy reaches no other account's.
ARNS: Final = {
    "dynamodb": "arn:aws:dynamodb:*:*:table/{prefix}-{name}",
    "sqs": "arn:aws:sqs:*:*:{prefix}-{name}",
    "s3": "arn:aws:s3:::{prefix}-{name}",
    "secretsmanager": "arn:aws:secretsmanager:*:*:secret:{prefix}/{name}",
    "ses": "arn:aws:ses:*:*:{name}",
    "cloudwatch": "*",  # has no resource to name
    "logs": "arn:aws:logs:*:*:log-group:/aws/lambda/chasqui-*:*",
}


def policy(function: str, prefix: str) -> dict[str, Any]:
    """The IAM policy document of a function under a prefix."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": resources}
            for actions, resources in _statements(GRANTS[function], prefix).items()
        ],
    }


def _statements(grants: Iterable[Grant], prefix: str) -> dict[tuple[str, ...], list[str]]:
    """Actions with the resources that they are allowed on, each resource once: IAM counts characters (MOST_OCTETS)."""
    actions: dict[str, set[str]] = {}
    for grant in grants:
        for name in grant.resources:
            arn = ARNS[grant.service].format(prefix=prefix, name=name)
            actions.setdefault(arn, set()).update(f"{grant.service}:{action}" for action in grant.actions)
    statements: dict[tuple[str, ...], list[str]] = {}
    for arn, allowed in actions.items():
        statements.setdefault(tuple(sorted(allowed)), []).append(arn)
    return statements


def files() -> dict[Path, str]:
    """Every policy file of every stage, as it should be."""
    return {
        FOLDER / stage / f"{function}.json": json.dumps(policy(function, _prefix(config)), indent=2) + "\n"
        for stage, config in stages().items()
        for function in GRANTS
    }


def _prefix(config: dict[str, Any]) -> str:
    return str(config["environment_variables"]["CHASQUI_PREFIX"])


def main() -> None:
    """Write the policies, or check them."""
    arguments = argparse.ArgumentParser(prog="python -m infra.policies", description=__doc__)
    arguments.add_argument("--check", action="store_true", help="change nothing, fail where a file differs")
    check: bool = arguments.parse_args().check
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if check and stale:
        sys.exit("run python -m infra.policies; it would change " + ", ".join(str(p.relative_to(ROOT)) for p in stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path])


if __name__ == "__main__":
    main()
