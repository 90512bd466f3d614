"""The meters of a local run's processes, summed."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Counts:
    """What all processes together did: calls by `service.Operation`, work by function, CPU seconds by process."""

    calls: dict[str, dict[str, float]]
    work: dict[str, dict[str, float]]
    cpu: dict[str, float]

    @classmethod
    def read(cls, folder: Path) -> "Counts":
        """The sums as of now; a process tells every half second."""
        calls, work, cpu = _sums(), _sums(), dict[str, float]()
        for path in folder.glob("*.json"):
            told: dict[str, Any] = json.loads(path.read_text())
            cpu[told["role"]] = cpu.get(told["role"], 0.0) + told["cpu_seconds"]
            for sums, part in ((calls, told["calls"]), (work, told["work"])):
                for name, line in part.items():
                    for field, value in line.items():
                        sums[name][field] += value
        return cls(_plain(calls), _plain(work), cpu)

    def since(self, before: "Counts") -> "Counts":
        """What was added."""
        return Counts(
            calls=_less(self.calls, before.calls),
            work=_less(self.work, before.work),
            cpu={role: seconds - before.cpu.get(role, 0.0) for role, seconds in self.cpu.items()},
        )


def _sums() -> defaultdict[str, defaultdict[str, float]]:
    return defaultdict(lambda: defaultdict(float))


def _plain(sums: defaultdict[str, defaultdict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: dict(line) for name, line in sums.items()}


def _less(after: dict[str, dict[str, float]], before: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        name: {field: value - before.get(name, {}).get(field, 0.0) for field, value in line.items()}
        for name, line in after.items()
    }
