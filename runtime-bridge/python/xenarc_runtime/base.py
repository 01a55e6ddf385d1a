"""What checkpoints of adapters leave out: the weights that the adapters stand beside, which stay where the run found them.

Such a checkpoint's record says where that is, what lies there (a fingerprint of the files), and which parameters are read from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etils import epath

from . import checkpoint, group, safetensors_folder, soundness
from .artifact import Artifact
from .errors import Problem


@dataclass(frozen=True)
class Base:
    """Where weights are; `path` is a folder or a file of safetensors, or RUN/checkpoints/N."""

    path: str
    fingerprint: str
    names: tuple[str, ...]
    """The state's arrays that are read from there."""

    def as_json(self) -> dict[str, Any]:
        """As it stands in a record."""
        return {**asdict(self), "names": list(self.names)}

    def check(self, user: object) -> Path:
        """Where it is, if it is still what it was. Raises Problem when it is gone, or another; `user` is what needs it."""
        path = Path(self.path)
        found = group.from_first(lambda: _fingerprint(path))
        if found == self.fingerprint:
            return path
        what = "are no longer there" if found is None else "are not those with which the run began: files there have changed"
        raise Problem(
            "base_missing" if found is None else "base_changed",
            f"{user} holds adapters alone, and the weights that they stand beside, at {path}, {what}.",
            "Bring them back there; a link to where they are now will do.",
        )


def base_at(path: Path, names: Iterable[str]) -> Base:
    """What lies at a path now, of which these arrays are taken."""
    fingerprint = group.from_first(lambda: _fingerprint(path))
    assert fingerprint is not None
    return Base(str(path.absolute()), fingerprint, tuple(sorted(names)))


def base_of(record: dict[str, Any]) -> Base | None:
    """What a checkpoint leaves out, by its record."""
    noted = record.get("base")
    return None if noted is None else Base(noted["path"], noted["fingerprint"], tuple(noted["names"]))


def frozen(artifact: Artifact) -> set[str]:
    """The parameters that training leaves as they are."""
    return {
        port.name
        for port in artifact.program("train_step").outputs
        if port.frozen and port.name.startswith(checkpoint.PARAMETERS)
    }


def _fingerprint(path: Path) -> str | None:
    """Of the files that weights are read from: the sizes and checksums of all; None: there are none."""
    if checkpoint.is_one(path):
        found = [saved for saved in checkpoint.all_of(checkpoint.tiers(path.parent.parent)) if saved.step == int(path.name)]
        sums = next((sums for saved in found if (sums := soundness.sums(saved.path, ("params", "record")))), None)
    elif safetensors_folder.is_one(path):
        sums = soundness.sums_of({file.name: epath.Path(file) for file in safetensors_folder.files(path)})
    else:
        sums = None
    return None if sums is None else hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()
