"""docs/rights.md tells the table of rights as it is."""

from chalicelib.domain.rights import RIGHTS, ROLES
from tests.docs.test_documents import ROOT

READ, CHANGE = "read", "change"


def row(subject: str, held: dict[str, frozenset[str]]) -> str:
    cells = [", ".join(role for role in ROLES if role in held.get(verb, ())) or "-" for verb in (READ, CHANGE)]
    return f"| `{subject}` | {cells[0]} | {cells[1]} |"


def test_each_line_of_the_table_of_rights_is_told_and_no_other() -> None:
    subjects: dict[tuple[bool, str], dict[str, frozenset[str]]] = {}
    for right, roles in RIGHTS.items():
        subject, _, verb = right.partition(":")
        house = subject.startswith("admin.")
        place = subjects.setdefault((house, subject.removeprefix("admin.")), {})
        place[READ if verb == "read" else CHANGE] = frozenset(roles)
    text = (ROOT / "docs" / "rights.md").read_text()
    of_accounts, of_the_house = text.split("| what | sees it | changes it |\n|---|---|---|\n")[1:]
    for house, told in ((False, of_accounts), (True, of_the_house)):
        expected = [row(subject, held) for (of_house, subject), held in subjects.items() if of_house is house]
        assert sorted(told.split("\n\n")[0].splitlines()) == sorted(expected), "paste these lines into docs/rights.md"
