"""The configuration's section `data` (models/train/data.ts) as the runtime reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..artifact import Artifact
from ..errors import Problem


@dataclass(frozen=True)
class SourceSettings:
    """One source of a mixture."""

    path: str
    weight: float = 1.0
    kind: str | None = None
    field: str | None = None
    dtype: str | None = None


@dataclass(frozen=True)
class Settings:
    """What is said of the data, with what is not said switched off."""

    sources: tuple[SourceSettings, ...]
    """Those that have a weight."""
    seed: int
    validation: float
    validation_rows: int | None = None
    format: str = "text"
    packing: bool = False
    buckets: bool = False
    shuffle: int = 1024
    workers: int = 0
    prefetch: int = 2
    skip_bad: bool = False
    types: dict[str, Any] | None = None
    """The `field` of records that says of what type they are, and its `values`."""
    filters: dict[str, Any] = field(default_factory=dict)
    vocabulary: int | None = None
    paths: tuple[str, ...] = ()
    """Of all sources, as `read` takes them."""
    raw: dict[str, Any] = field(default_factory=dict)
    """The whole section, for the formatting of conversations."""

    @property
    def whole(self) -> bool:
        """Whether documents are kept whole: an answer is nothing without its prompt."""
        return self.format != "text"

    @property
    def alone(self) -> bool:
        """Whether every document has a row for itself."""
        return self.buckets or (self.whole and not self.packing)


def read(artifact: Artifact, paths: Sequence[str] = ()) -> Settings:
    """The settings of an artifact. One of `paths` takes the place of all its sources, as many as there are those of their paths."""
    given = artifact.config.get("data")
    given = {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else {}
    if len(paths) == 1 and len(given.get("sources") or ()) != 1:
        sources = (SourceSettings(paths[0], **_of_source(given)),)
    elif given.get("sources"):
        named = [source["path"] for source in given["sources"]]
        sources = tuple(
            SourceSettings(path, source.get("weight", 1.0), **_of_source(source))
            for path, source in zip(paths or named, given["sources"], strict=True)
        )
    elif given.get("path"):
        sources = (SourceSettings(given["path"], **_of_source(given)),)
    else:
        raise Problem("data_missing", "There is no text to read.", "Give a UTF-8 file or a folder with --data.")
    if not sum(source.weight for source in sources) > 0:
        raise Problem("data_empty", "The mixture is empty: all weights in data.sources are 0.", "Give one a weight.")
    vocabulary = artifact.config.get("model", {}).get("vocab")
    return Settings(
        sources=tuple(source for source in sources if source.weight > 0),
        seed=given["seed"] if "seed" in given else artifact.setting("train", "seed", int),
        validation=artifact.setting("data", "validation", float),
        validation_rows=given.get("validationRows"),
        format=given.get("format", "text"),
        packing=given.get("packing", False),
        buckets=bool(given.get("buckets")),
        shuffle=given.get("shuffle", Settings.shuffle),
        workers=given.get("workers", 0),
        prefetch=given.get("prefetch", Settings.prefetch),
        skip_bad=given.get("onBadRecord") == "skip",
        types=given.get("types"),
        filters=given.get("filters", {}),
        vocabulary=vocabulary if isinstance(vocabulary, int) else None,
        paths=tuple(source.path for source in sources),
        raw=given,
    )


def _of_source(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given.get(name) for name in ("kind", "field", "dtype")}
