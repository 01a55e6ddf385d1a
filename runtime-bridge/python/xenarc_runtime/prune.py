"""Expert pruning: a checkpoint with fewer experts in each mixture, chosen by how many of the held-out data's choices fall on them.

What is known of a mixture (models/layers/moe) is known by names: `X/router/utilization` is reported by `eval_step`; every parameter that
belongs to its experts, the router's columns among them, has the axis `expert`, and the inside of an expert is the axis `mlp`. What steers the router
from outside of X has that axis, too: it belongs to the mixture whose path has most in common with its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from . import checkpoint, data, events, lora, pjrt, pretrained, run_files
from .artifact import Artifact, Port
from .checkpoint import PARAMETERS
from .errors import Problem
from .evaluation import Evaluation, held_out_data, required_evaluator, saved_at
from .pretrained import AVERAGES
from .program import load, named, placements
from .saving import Saver
from .settings import CheckpointSettings
from .stored import Index, Stored, Weights, few

_EXPERT, _WIDTH = "expert", "mlp"
_ROUTER, _UTILIZATION = "router/weight", "router/utilization"
_REPORT = "pruning.json"


@dataclass(frozen=True)
class Member:
    """An expert's part in one that stays: its share of it, and the order in which its inner units are those of the one that stays (None: its own)."""

    expert: int
    share: float
    order: np.ndarray | None = None


Groups = Mapping[tuple[int, ...], Sequence[Sequence[Member]]]
"""By place (the layer), what each expert that stays is made of; the first member is the one that was kept."""


@dataclass(frozen=True)
class Mixture:
    """A mixture of experts: the beginning of its parameters' paths, the axes that it is stacked along, and each expert's share of the choices."""

    path: str
    places: tuple[str, ...]
    utilization: np.ndarray

    def near(self, name: str) -> int:
        """How many names at the beginning of a parameter's path are those of its own."""
        pairs = zip(self.path.split("/")[:-1], name.split("/"), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def prune(folder: Path, run: Path, step: int | None, paths: Sequence[str], batches: int | None, target: Path, merge: bool) -> None:
    """Writes the run `target`, of the model in its folder `artifact`: the one in `folder` with fewer experts in each mixture. Those that
    held-out data use most are kept; with `merge` each of the others is merged into the one that is nearest to it.

    Held-out data are the run's validation data, or all of what is at `paths`. Emits `pruning` events, and `pruned` at the end.
    """
    before, after = load(folder), load(target / "artifact")
    held_out = held_out_data(before, run, paths)
    ports = named(before.program("eval_step").inputs, "state")
    saved = saved_at(run, step, ["params", "rest", "record"])
    found = _evaluated(before, held_out, batches, saved, ports, "measuring")
    mixtures = _mixtures(before, found)

    weights = pretrained.stored(before, saved)
    own = pretrained.parameter_ports(before)
    keep = _experts(after)
    if merge and (adapters := [name for name in weights if lora.is_adapter(name) and _EXPERT in own[name].axes]):
        what = f"Experts with adapters cannot be merged: {few(adapters)}."
        raise Problem("usage", what, "Export the weights (adapters are merged into them), train from there, and merge those.")
    groups = {}
    for number, mixture in enumerate(mixtures):
        groups[mixture.path] = _groups(mixture, keep, weights, own, merge)
        _say("choosing", (number + 1) / len(mixtures))
    averages = checkpoint.stored(saved, AVERAGES)
    made = {
        **{PARAMETERS + name: tensor for name, tensor in _with_fewer(weights, own, mixtures, groups).items()},
        **{AVERAGES + name: tensor for name, tensor in _with_fewer(averages, own, mixtures, groups).items()},
    }
    _write(after, target, saved, made)

    now = checkpoint.at(target, saved.step, ["params", "rest", "record"])
    ports = named(after.program("eval_step").inputs, "state")
    left = _evaluated(after, data.open(after, held_out.settings.paths, held_out=bool(paths)), batches, now, ports, "judging")
    gone = np.mean([_share_of_the_others(mixture, groups[mixture.path]) for mixture in mixtures])
    fields = {
        "path": str(target),
        "step": saved.step,
        "experts": int(mixtures[0].utilization.shape[-1]),
        "kept": keep,
        "merged": merge,
        "others": round(float(gone), 6),
        "loss_before": found.loss,
        "loss_after": left.loss,
        "tokens": found.tokens,
        "data": held_out.path,
    }
    described = [_described(mixture, groups[mixture.path]) for mixture in mixtures]
    (target / _REPORT).write_text(json.dumps({"from": str(saved), **fields, "mixtures": described}, indent=2) + "\n")
    events.emit("pruned", **fields)


def _say(what: str, done: float) -> None:
    events.emit("pruning", what=what, done=done)


def _evaluated(
    artifact: Artifact, held_out: data.Pipeline, batches: int | None, saved: checkpoint.Saved, ports: list[Port], what: str
) -> Evaluation:
    evaluator = required_evaluator(artifact, held_out, batches)
    return evaluator(pretrained.restore(artifact, saved, ports), lambda number, of: None if of is None else _say(what, number / of))


def _mixtures(artifact: Artifact, found: Evaluation) -> list[Mixture]:
    outputs = artifact.program("eval_step").outputs
    reported = [port for port in named(outputs, "metric") if port.name.endswith(_UTILIZATION)]
    return [
        Mixture(
            port.name.removesuffix(_UTILIZATION),
            tuple(axis for axis in port.axes if axis != _EXPERT),
            np.moveaxis(found.reported[port.name], port.axes.index(_EXPERT), -1),
        )
        for port in reported
    ]


def _experts(artifact: Artifact) -> int:
    """How many experts a mixture of the artifact's has."""
    return next(
        port.shape[port.axes.index(_EXPERT)]
        for port in pretrained.parameter_ports(artifact).values()
        if _EXPERT in port.axes
    )


def _groups(mixture: Mixture, keep: int, weights: Weights, ports: Mapping[str, Port], merge: bool) -> Groups:
    """Of each place the most used experts, in their order; equally used ones in theirs."""
    groups: dict[tuple[int, ...], list[list[Member]]] = {}
    for place in np.ndindex(mixture.utilization.shape[:-1]):
        use = mixture.utilization[place]
        kept = sorted(np.argsort(-use, kind="stable")[:keep].tolist())
        members = [[expert] for expert in kept]
        if merge:
            nearest = _nearest(mixture, place, kept, weights, ports)
            for expert, to in nearest.items():
                members[to].append(expert)
        at = dict(zip(mixture.places, place, strict=True))
        groups[place] = [_group(mixture.path, group, use, at, weights, ports) for group in members]
    return groups


def _nearest(
    mixture: Mixture, place: tuple[int, ...], kept: list[int], weights: Weights, ports: Mapping[str, Port]
) -> dict[int, int]:
    """For each expert that does not stay the number of the one that does whose column of the router has the least angle to its own: the tokens that
    are drawn to the one are drawn to the other."""
    name = mixture.path + _ROUTER
    columns, axes = _at(weights[name], ports[name].axes, dict(zip(mixture.places, place, strict=True)))
    columns = np.moveaxis(columns, axes.index(_EXPERT), 0).astype(np.float32)
    columns /= np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), np.float32(1e-20))
    others = [expert for expert in range(len(columns)) if expert not in kept]
    return {expert: int(np.argmax(columns[kept] @ columns[expert])) for expert in others}


def _group(
    path: str, experts: list[int], use: np.ndarray, at: dict[str, int], weights: Weights, ports: Mapping[str, Port]
) -> list[Member]:
    """Experts as one, each by its part of their choices."""
    total = float(use[experts].sum())
    shares = [float(use[expert]) / total if total > 0 else 1 / len(experts) for expert in experts]
    first, *others = experts
    orders = [_order(path, first, other, at, weights, ports) for other in others]
    return [Member(*member) for member in zip(experts, shares, [None, *orders], strict=True)]


def _order(path: str, first: int, other: int, at: dict[str, int], weights: Weights, ports: Mapping[str, Port]) -> np.ndarray:
    """The inner units of an expert in the order in which they are most like those of another: an expert computes the same in any order, and
    means of weights make sense between units that are alike alone (Ainsworth et al. 2022, "Git Re-Basin", arXiv:2209.04836, section 3.2)."""
    from scipy.optimize import linear_sum_assignment

    likeness: np.ndarray | None = None
    for name, port in ports.items():
        if name not in weights or not name.startswith(path) or not {_EXPERT, _WIDTH} <= set(port.axes):
            continue
        one, two = (_units(weights[name], port.axes, {**at, _EXPERT: expert}) for expert in (first, other))
        likeness = one @ two.T if likeness is None else likeness + one @ two.T
    assert likeness is not None
    return linear_sum_assignment(likeness, maximize=True)[1]


def _units(tensor: Stored, axes: tuple[str, ...], at: Mapping[str, int]) -> np.ndarray:
    """An expert's weights as a row for each of its inner units (f32)."""
    part, left = _at(tensor, axes, at)
    return np.moveaxis(part, left.index(_WIDTH), 0).reshape(part.shape[left.index(_WIDTH)], -1).astype(np.float32)


def _at(tensor: Stored, axes: tuple[str, ...], at: Mapping[str, int]) -> tuple[np.ndarray, list[str]]:
    """The part of a tensor at places along some axes, and the axes that it has left."""
    index = tuple(slice(at[axis], at[axis] + 1) if axis in at else slice(0, size) for axis, size in zip(axes, tensor.shape))
    part = tensor.read(index).squeeze(tuple(d for d, axis in enumerate(axes) if axis in at))
    return part, [axis for axis in axes if axis not in at]


def _with_fewer(
    weights: Weights, ports: Mapping[str, Port], mixtures: Sequence[Mixture], groups: Mapping[str, Groups]
) -> dict[str, Stored]:
    """The weights with the experts that stay."""
    owners = {name: _owner(name, mixtures) if _EXPERT in ports[name].axes else None for name in weights}
    return {
        name: tensor if owner is None else _fewer(tensor, ports[name].axes, owner.places, groups[owner.path])
        for (name, tensor), owner in zip(weights.items(), owners.values(), strict=True)
    }


def _owner(name: str, mixtures: Sequence[Mixture]) -> Mixture:
    """The mixture that a parameter of experts belongs to. Raises Problem where it may be one or another."""
    nearest = max(mixture.near(name) for mixture in mixtures)
    first, *others = [mixture for mixture in mixtures if mixture.near(name) == nearest]
    if others:
        what = f"`{name}` has the axis `{_EXPERT}`, and may be of the mixture {first.path.rstrip('/')} or {others[0].path.rstrip('/')}."
        raise Problem("usage", what, "Declare it inside the mixture that it belongs to, or in the module around that mixture.")
    return first


def _fewer(tensor: Stored, axes: tuple[str, ...], places: tuple[str, ...], groups: Groups) -> Stored:
    kept = len(next(iter(groups.values())))
    shape = tuple(kept if axis == _EXPERT else size for axis, size in zip(axes, tensor.shape, strict=True))
    first = [*places, _EXPERT]
    order = [*first, *(axis for axis in axes if axis not in first)]

    def read(index: Index) -> np.ndarray:
        along = dict(zip(axes, index, strict=True))
        ranges = [range(*along[axis].indices(shape[axes.index(axis)])) for axis in first]
        parts = [_made(tensor, axes, along, dict(zip(places, at)), groups[tuple(at)][n]) for *at, n in product(*ranges)]
        stacked = np.stack(parts).reshape([*map(len, ranges), *parts[0].shape])
        return np.ascontiguousarray(stacked.transpose([order.index(axis) for axis in axes]))

    return Stored(shape, tensor.dtype, read)


def _made(
    tensor: Stored, axes: tuple[str, ...], along: Mapping[str, slice], at: Mapping[str, int], members: Sequence[Member]
) -> np.ndarray:
    """The part of one expert that stays: the mean of its members, computed in float32; of a single one itself."""

    def part(member: Member) -> np.ndarray:
        fixed = {axis: slice(i, i + 1) for axis, i in {**at, _EXPERT: member.expert}.items()}
        whole = {_WIDTH: slice(None)} if member.order is not None else {}
        index = tuple({**along, **whole, **fixed}[axis] for axis in axes)
        sizes = tuple(slice(*s.indices(size)) for s, size in zip(index, tensor.shape, strict=True))
        read = tensor.read(sizes).squeeze(tuple(d for d, axis in enumerate(axes) if axis in fixed))
        left = [axis for axis in axes if axis not in fixed]
        if member.order is None or _WIDTH not in left:
            return read
        return read.take(member.order[along[_WIDTH]], axis=left.index(_WIDTH))

    if len(members) == 1:
        return part(members[0])
    return sum(np.float32(member.share) * part(member).astype(np.float32) for member in members).astype(
        part(members[0]).dtype
    )


def _write(artifact: Artifact, target: Path, saved: checkpoint.Saved, made: Weights) -> None:
    """The checkpoint: weights, and the step that they are of. The optimizer's state was that of other parameters."""
    ports = {port.name: port for port in named(artifact.program("train_step").inputs, "state") if port.name in {*made, "step"}}
    where = placements(artifact, ports.values())
    state = {"step": pjrt.to_device(np.array(saved.step, np.int32), where["step"])}
    for number, (name, tensor) in enumerate(made.items()):
        port = ports[name]
        state[name] = pjrt.from_callback(port.shape, where[name], tensor.converted(port.dtype).read)
        _say("writing", (number + 1) / len(made))
    record = {name: value for name, value in checkpoint.read_record(saved).items() if name not in ("base", "validation_loss")}
    record |= {"config": artifact.config, "artifact": artifact.sha256, "versions": pjrt.versions()}
    with Saver(target, CheckpointSettings(every=1, keep=1)) as saver:
        saver.save(saved.step, state, record)
        saver.wait()
    run_files.describe(artifact, target)


def _share_of_the_others(mixture: Mixture, groups: Groups) -> float:
    """The share of the choices that fell on experts that were not kept, the mean over places."""
    kept = [mixture.utilization[place][[members[0].expert for members in group]].sum() for place, group in groups.items()]
    return 1 - float(np.mean(kept))


def _described(mixture: Mixture, groups: Groups) -> dict[str, Any]:
    """Of each place the utilization before, and what each expert that stays is made of."""
    return {
        "path": mixture.path.removesuffix("/"),
        "axes": list(mixture.places),
        "utilization": mixture.utilization.tolist(),
        "experts": [
            {
                "place": list(place),
                "made_of": [[{"expert": m.expert, "share": m.share} for m in members] for members in group],
            }
            for place, group in groups.items()
        ],
    }
