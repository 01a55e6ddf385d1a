"""Numbers as people read them, and the log line of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def size(number: float) -> str:
    """Bytes: `1.23 GB`."""
    return f"{short(number)}B" if number >= 1000 else f"{number:.0f} B"


def short(number: float) -> str:
    """Three digits and a power of a thousand: `1.23 M`."""
    for unit in ("", " k", " M", " G", " T", " P"):
        if abs(number) < 999.5:
            return f"{number:.0f}" if unit == "" else f"{_three(number)}{unit}"
        number /= 1000
    return f"{_three(number)} E"


def listed(things: Sequence[str], most: int = 3) -> str:
    """The first of some things, and how many more there are."""
    more = f", and {len(things) - most:,} more" if len(things) > most else ""
    return "; ".join(things[:most]) + more


def _three(number: float) -> str:
    return f"{number:.{max(0, 2 - len(str(int(abs(number)))) + 1)}f}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def step_line(step: int, steps: int, values: Mapping[str, object], left: float | None) -> str:
    """The line of a step in the field's form, of the metrics and measurements that there are, by their names in metrics.jsonl."""
    total = f"{steps:,}"
    parts = [f"step {step:>{len(total)},}/{total}"]
    forms = {
        "loss": lambda v: f"loss {v:.4f}",
        "grad_norm": lambda v: f"grad_norm {v:.3g}",
        "learning_rate": lambda v: f"lr {v:.3g}",
        "perf/tokens_per_second_per_device": lambda v: f"{v:,.0f} tokens/s/device",
        "perf/tflops_per_second_per_device": lambda v: f"{v:.3g} TFLOP/s/device",
        "perf/mfu": lambda v: f"MFU {v:.1%}",
        "memory/device_bytes": lambda v: f"memory {size(v)}",
        "memory/host_bytes": lambda v: f"host {size(v)}",
        "perf/data_wait": lambda v: f"data wait {v:.1%}",
    }
    parts += [form(values[name]) for name, form in forms.items() if isinstance(values.get(name), float)]
    if left is not None and step < steps:
        parts.append(f"{duration(left)} left")
    return "  ".join(parts)
