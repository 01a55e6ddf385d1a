"""How fast training goes, and what of the machine it takes: what a log line says beside the metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from . import pjrt
from .artifact import Artifact


_RESOURCES_SECONDS = 1.0


@dataclass(frozen=True)
class Work:
    """What a step is, of all devices, and what one device can do."""

    tokens: int
    flops: float | None
    """Operations of the model, however often the program computes them; None: the artifact does not say."""
    devices: int
    peak: float | None
    """Operations/s of a device at most; None where that is not known."""


def work_of(artifact: Artifact, tokens: int) -> Work:
    """The work of an artifact's step. A peak is known where the programs run on what they were compiled for."""
    made_for = artifact.device
    here = pjrt.devices()[0]["platform"] in _PLATFORMS.get(made_for.platform, ()) if made_for else False
    return Work(tokens, artifact.flops_per_step, pjrt.mesh_size(artifact.mesh), made_for.peak_flops if here else None)


# XLA's names of a platform's devices.
_PLATFORMS = {"tpu": ("tpu",), "gpu": ("gpu", "cuda", "rocm")}


def rates(work: Work, steps: int, seconds: float, waited: float) -> dict[str, float]:
    """What so many steps in so many seconds make, of which `waited` were spent on getting data. MFU as PaLM (arXiv:2204.02311, appendix B) has it."""
    if steps == 0 or seconds <= 0:
        return {}
    a_step = seconds / steps
    found = {
        "perf/step_seconds": a_step,
        "perf/tokens_per_second_per_device": work.tokens / a_step / work.devices,
        "perf/data_wait": min(1.0, waited / seconds),
    }
    if work.flops is not None:
        per_device = work.flops / a_step / work.devices
        found["perf/tflops_per_second_per_device"] = per_device / 1e12
        if work.peak is not None:
            found["perf/mfu"] = per_device / work.peak
    return found


class Resources:
    """Memory and processors, of this host and its devices. Looked at once a second at most: to ask takes some milliseconds."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._found: dict[str, float] = {}
        self._due = 0.0
        psutil.cpu_percent()  # counts from here on

    def read(self) -> dict[str, float]:
        """Bytes held on the fullest device, bytes of this process and its workers, the share of the host's processors that were in use of late."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _RESOURCES_SECONDS
            processes = [self._process, *self._process.children(recursive=True)]
            self._found = {
                **pjrt.device_memory(),
                "memory/host_bytes": float(sum(map(_resident, processes))),
                "host/cpu": psutil.cpu_percent() / 100,
            }
        return self._found


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:  # it has ended meanwhile
        return 0
