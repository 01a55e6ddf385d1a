"""The loss curve as a picture."""

from __future__ import annotations

import os
from pathlib import Path

from .pjrt import cache_home

# matplotlib keeps an index of fonts, by default in a folder of the user's own configuration.
os.environ.setdefault("MPLCONFIGDIR", str(cache_home() / "matplotlib"))

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from .metrics import Entry, read

_BLUE, _ORANGE, _GREY = "#2563eb", "#ea580c", "#6b7280"


def draw(entries: list[Entry], path: Path, title: str) -> None:
    """Draws the training and the validation loss over the steps into a PNG."""
    train = [(entry["step"], entry["loss"]) for entry in entries if "loss" in entry]
    validation = [(entry["step"], entry["validation_loss"]) for entry in entries if "validation_loss" in entry]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    if train:
        # The single batches are noisy: they are drawn faintly, their running mean clearly.
        steps, losses = zip(*train, strict=True)
        axes.plot(steps, losses, color=_BLUE, alpha=0.25, linewidth=1)
        axes.plot(
            steps, _running_mean(losses), color=_BLUE, linewidth=1.8, label=f"training, {losses[-1]:.3f} at the end"
        )
    if validation:
        steps, losses = zip(*validation, strict=True)
        axes.plot(
            steps, losses, color=_ORANGE, linewidth=1.8, marker="o", markersize=4,
            label=f"validation, {losses[-1]:.3f} at the end",
        )  # fmt: skip
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per token)")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GREY)
    axes.grid(axis="y", color=_GREY, alpha=0.2)
    if train or validation:
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def compare(runs: list[Path], path: Path) -> None:
    """Draws the validation losses of several runs, the training losses of those without, over the steps into one PNG."""
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for run in runs:
        entries = read(run / "metrics.jsonl")
        kind = "validation_loss" if any("validation_loss" in entry for entry in entries) else "loss"
        points = [(entry["step"], entry[kind]) for entry in entries if kind in entry]
        axes.plot(*zip(*points, strict=True), linewidth=1.8, marker="o", markersize=3, label=run.name)
    axes.set_xlabel("step")
    axes.set_ylabel("validation loss (nats per token)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=_GREY, alpha=0.2)
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _running_mean(values: tuple[float, ...]) -> list[float]:
    """An exponential mean over about a thirtieth of the run, without the pull of its first value."""
    weight = min(1.0, max(0.05, 30 / max(1, len(values))))
    mean, total, result = 0.0, 0.0, []
    for value in values:
        mean = (1 - weight) * mean + weight * value
        total = (1 - weight) * total + weight
        result.append(mean / total)
    return result
