"""Every call of jaxlib's unstable API: parsing, compiling, running, asking. Only kernels.py reaches into it besides.

jax and jaxlib are pinned in requirements.lock because of this file; an upgrade is a change here.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Protocol

# Without a word from the user the CPU is the device; probing for accelerators would take seconds and may print.
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jaxlib.version
import numpy as np
from jax._src import clusters as _clusters
from jax._src import compiler as _compiler
from jax._src import distributed as _distributed
from jax._src import xla_bridge as _bridge
from jax._src.interpreters import mlir as _mlir
from jax.experimental import mesh_utils, multihost_utils, topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxlib import xla_client as _xla
from jaxlib.mlir import ir as _ir

from . import events, kernels
from .allocator import keep_memory
from .errors import Problem, first_lines, sentence

keep_memory()

Array = jax.Array

_CACHE_BYTES = 4 << 30
# Smaller programs compile about as fast as they load; keeping each would only fill the folder.
_CACHE_SECONDS = 0.2


@dataclass(frozen=True)
class TensorType:
    """Shape and MLIR element type of an argument or result."""

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return "x".join([*map(str, self.shape), self.dtype])


@dataclass(frozen=True)
class Executable:
    """A compiled program with the types of its `@main`."""

    loaded: _xla.LoadedExecutable
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]


@dataclass(frozen=True)
class Compiled:
    """A program compiled for devices that need not be here: it cannot run, but be looked at and saved."""

    executable: _xla.Executable | _xla.LoadedExecutable
    kernels: Sequence[kernels.Placement]


class OutOfMemory(Problem):
    """A program that needs more memory than its devices have; `report` is all that XLA says of it."""

    def __init__(self, report: str) -> None:
        super().__init__("out_of_memory", f"XLA cannot compile the program: {first_lines(report)}")
        self.report = report


# A process that is gone is noticed by the others after so long.
_HEARTBEAT_SECONDS = 10
_SHUTDOWN_SECONDS = 30


def join(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Starts jax.distributed, with what jax finds in the environment for what is None; a group of one is none."""
    if coordinator is None:
        found = [env for env in _clusters.ClusterEnv._cluster_types if not env.opt_in_only_method and env.is_env_present()]
        if not found or found[0].get_process_count() == 1:
            return
    jax.distributed.initialize(
        coordinator,
        processes,
        process,
        heartbeat_timeout_seconds=_HEARTBEAT_SECONDS,
        shutdown_timeout_seconds=_SHUTDOWN_SECONDS,
    )


def process_count() -> int:
    """Processes of the group; 1 without."""
    return _distributed.global_state.num_processes


def process_index() -> int:
    """The number of this process in its group."""
    return _distributed.global_state.process_id


def barrier(name: str) -> None:
    """Waits until every process of the group has come to the barrier of that name."""
    _distributed.global_state.client.wait_at_barrier(name, timeout_in_ms=300_000)


def publish(key: str, text: str) -> None:
    """Says something to every process of the group. The first word on a key stands: others raise."""
    _distributed.global_state.client.key_value_set(key, text)


def published(key: str) -> str | None:
    """What was said by `publish`."""
    try:
        return _distributed.global_state.client.key_value_try_get(key)
    except jax.errors.JaxRuntimeError as error:
        if "NOT_FOUND" in str(error):
            return None
        raise


def forget(key: str) -> None:
    """Takes back what was said by `publish`."""
    _distributed.global_state.client.key_value_delete(key)


def tell(folder: str, name: str, text: str) -> None:
    """Says something to every process of the group under a name in a folder, in place of what was said there before."""
    _distributed.global_state.client.key_value_set(f"{folder}/{name}", text, allow_overwrite=True)


def told(folder: str) -> dict[str, str]:
    """What was said by `tell`, by name."""
    said = _distributed.global_state.client.key_value_dir_get(f"{folder}/")
    return {key.rpartition("/")[2]: text for key, text in said}


def await_published(key: str, seconds: float) -> str:
    """What is said by `publish`, as soon as it is."""
    return _distributed.global_state.client.blocking_key_value_get(key, int(seconds * 1000))


def agreed_to_stop(step: int) -> bool:
    """Whether the group, of which some process got SIGTERM, has agreed to stop at this step; every process asks at each."""
    return multihost_utils.reached_preemption_sync_point(step)


class MeshAxis(Protocol):
    """What a mesh is made of: an axis of `size` devices, `slices` of them across slices."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def slices(self) -> int: ...


def make_mesh(axes: Sequence[MeshAxis], devices: Sequence[jax.Device] = ()) -> Mesh:
    """The devices as a grid with named axes; of TPUs, neighbours on an axis are neighbours on the torus.

    No axes: the first device alone. No devices: those of this process and of the ones it runs with.
    Raises Problem where there are fewer devices than the axes say.
    """
    count = math.prod(axis.size for axis in axes)
    if not devices:
        _provide_cpus(count)
        devices = jax.devices() if axes else jax.local_devices()
    if len(devices) < count or (process_count() > 1 and len(devices) != count):
        raise Problem(
            "devices",
            f"The artifact is for {count} devices; there are {len(devices)} ({devices[0].device_kind}).",
            "Compile the model for a mesh of as many devices as there are.",
        )
    names = [axis.name for axis in axes]
    chosen = devices[:count]
    if devices[0].platform != "tpu" or count == 1:
        grid = np.array(chosen).reshape([axis.size for axis in axes])
    elif all(axis.slices == 1 for axis in axes):
        grid = mesh_utils.create_device_mesh([axis.size for axis in axes], chosen, allow_split_physical_axes=True)
    else:
        inside, across = [axis.size // axis.slices for axis in axes], [axis.slices for axis in axes]
        grid = mesh_utils.create_hybrid_device_mesh(inside, across, chosen, allow_split_physical_axes=True)
    return Mesh(grid, names)


def _provide_cpus(count: int) -> None:
    """Makes the CPU show itself as several devices, which only works before the first is asked for."""
    if count % process_count() != 0 or count < process_count():
        raise Problem(
            "devices",
            f"The artifact is for {count} devices, which {process_count()} processes cannot share evenly.",
            f"Give a number of processes that divides {count}." if count > 1 else "Compile the model for a mesh.",
        )
    if count > 1 and not _bridge.backends_are_initialized():
        jax.config.update("jax_num_cpu_devices", count // process_count())


def tpu_devices(generation: str, topology: Sequence[int], slices: int) -> list[jax.Device]:
    """The devices of TPU slices that are not here, to compile for; libtpu must be on the path.

    `topology` counts chips along the dimensions of a slice's torus. Raises Problem for what libtpu does not know.
    """
    # Read by libtpu as it is loaded: no search for TPUs over the network, several compilers at a time, no chatter.
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
    os.environ.setdefault("TPU_STDERR_LOG_LEVEL", "3")
    options: dict[str, object] = {"chips_per_host_bounds": (*(min(2, chips) for chips in topology[:2]), 1)}
    if generation == "v4":
        options["chip_config_name"] = "megacore"
    if slices > 1:
        options["num_slices"] = slices
    name = f"{'tpu7x' if generation == '7x' else generation}:{'x'.join(map(str, topology))}"
    try:
        return list(topologies.get_topology_desc(platform="tpu", topology_name=name, **options).devices)
    except jax.errors.JaxRuntimeError as error:
        raise Problem("target", sentence(f"The TPU compiler has no {name}: {first_lines(str(error), 1)}")) from None


def placement(mesh: Mesh, split: Sequence[Sequence[str]], memory: str | None = None) -> NamedSharding:
    """Where an array lies whose dimensions are split over the named axes; none: whole on every device.

    `memory` is a kind of memory, such as `pinned_host`; by default the device's own.
    """
    return NamedSharding(mesh, PartitionSpec(*[tuple(names) or None for names in split]), memory_kind=memory)


def cache_home() -> Path:
    """`$XDG_CACHE_HOME/xenarc`, by default `~/.cache/xenarc`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "xenarc"


_cache_lock = threading.Lock()
_cache_ready = False


def _enable_cache() -> None:
    """Switches XLA's persistent compilation cache on, once; a folder that cannot be written is done without.

    The folder's name holds the processor, because code compiled for one may not run on another
    and home directories are shared between machines.
    """
    global _cache_ready
    with _cache_lock:
        if _cache_ready:
            return
        _cache_ready = True
        folder = cache_home() / "xla" / hashlib.sha256(_processor().encode()).hexdigest()[:16]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_compilation_cache_max_size", _CACHE_BYTES)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _CACHE_SECONDS)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("flags", "Features", "model name", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))


def _parse(text: str) -> _ir.Module:
    """The module of a StableHLO text, verified by MLIR; must be called inside a context."""
    try:
        return _ir.Module.parse(text)
    except _ir.MLIRError as error:
        raise Problem("invalid_program", _diagnostics(error)) from None
    except ValueError as error:
        raise Problem("invalid_program", first_lines(str(error))) from None


def _diagnostics(error: _ir.MLIRError) -> str:
    lines = []
    for diagnostic in error.error_diagnostics:
        lines.append(f"{diagnostic.location}: {diagnostic.message}")
        lines += [f"  note: {note.message}" for note in diagnostic.notes]
    return "\n".join(lines) or str(error)


def verify(text: str) -> str | None:
    """Parses and verifies a program by MLIR itself; what MLIR has against it, or None."""
    with _mlir.make_ir_context(), _ir.Location.unknown():
        try:
            _parse(text)
        except Problem as problem:
            return problem.message
    return None


def canonical(text: str, debug: bool = False) -> str:
    """The program as jaxlib prints it, with locations if `debug`."""
    with _mlir.make_ir_context(), _ir.Location.unknown():
        module = _parse(text)
        return str(module.operation.get_asm(enable_debug_info=True) if debug else module)


def compile_program(text: str, options: bytes | None = None, mesh: Mesh | None = None) -> Executable:
    """Compiles a StableHLO text for the devices of a mesh, or loads it from the persistent cache.

    `options` is a serialized CompileOptionsProto; no mesh: the first local device. Raises Problem for a program
    MLIR refuses, one that needs more memory than there is, or one for another number of devices than the mesh has.
    """
    _enable_cache()
    with _ready(text, options, mesh or make_mesh(())) as (module, grid, compile_options, placements):
        for placement in placements:
            if placement.reason is not None:
                message = f"{placement.composite} runs without a kernel: {placement.reason}"
                events.emit("log", level="info", message=message)
        inputs, outputs = _signature(module)
        # The cache names its files by the module; a module may have no name.
        if "sym_name" not in module.operation.attributes:
            module.operation.attributes["sym_name"] = _ir.StringAttr.get("main")
        devices = tuple(grid.flat)
        loaded = _compiler.compile_or_get_cached(
            devices[0].client, module, grid, compile_options, [], _xla.DeviceList(devices)
        )
    return Executable(loaded, inputs, outputs)


def compile_ahead(text: str, options: bytes | None, mesh: Mesh) -> Compiled:
    """Compiles a StableHLO text for devices that need not be here. Raises Problem as `compile_program` does."""
    with _ready(text, options, mesh) as (module, grid, compile_options, placements):
        client, devices = grid.flat[0].client, _xla.DeviceList(tuple(grid.flat))
        # XLA's client for CPUs cannot compile without loading.
        compile_only = client.compile_and_load if client.platform == "cpu" else client.compile
        executable = compile_only(module, executable_devices=devices, compile_options=compile_options)
        return Compiled(executable, placements)


@contextmanager
def _ready(
    text: str, options: bytes | None, mesh: Mesh
) -> Iterator[tuple[_ir.Module, np.ndarray, _xla.CompileOptions, Sequence[kernels.Placement]]]:
    """What XLA compiles: the module inside its context, the devices, the options, kernels; what XLA refuses is a Problem."""
    grid = mesh.devices
    compile_options = _compile_options(options, grid.size)
    # libtpu crashes without.
    compile_options.device_assignment = _xla.DeviceAssignment.create(
        np.array([[device.id for device in grid.flat]], np.int64)
    )
    with _mlir.make_ir_context(), _ir.Location.unknown():
        try:
            module = _parse(text)
            placements = kernels.replace(module, grid.flat[0].platform, grid.flat[0].device_kind)
            yield module, grid, compile_options, placements
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" in str(error):
                raise OutOfMemory(str(error)) from None
            raise Problem("compile", sentence(f"XLA cannot compile the program: {first_lines(str(error))}")) from None


def _compile_options(options: bytes | None, devices: int) -> _xla.CompileOptions:
    if options is None:
        return _xla.CompileOptions()
    try:
        parsed = _xla.CompileOptions.ParseFromString(options)
    except Exception as error:
        raise Problem("compile_options", sentence(f"The compile options are damaged: {first_lines(str(error))}")) from None
    count = parsed.num_replicas * parsed.num_partitions
    if count < 1:  # protobuf reads a missing field as 0, on which XLA would end the process
        raise Problem("compile_options", "The compile options are damaged: they name no replica or no partition.")
    if count != devices:
        raise Problem("devices", f"The program is for {count} devices; it was given {devices}.")
    return parsed


def load_executable(data: bytes, text: str, options: bytes, mesh: Mesh) -> Executable:
    """A program that was compiled ahead of time for just such devices; `text` is what it was compiled from."""
    with _ready(text, options, mesh) as (module, grid, compile_options, _):
        inputs, outputs = _signature(module)
        devices = tuple(grid.flat)
        loaded = devices[0].client.deserialize_executable(data, _xla.DeviceList(devices), compile_options)
        return Executable(loaded, inputs, outputs)


def _signature(module: _ir.Module) -> tuple[tuple[TensorType, ...], tuple[TensorType, ...]]:
    for operation in module.body.operations:
        if "sym_name" in operation.attributes and _ir.StringAttr(operation.attributes["sym_name"]).value == "main":
            kind = _ir.FunctionType(_ir.TypeAttr(operation.attributes["function_type"]).value)
            return tuple(map(_tensor_type, kind.inputs)), tuple(map(_tensor_type, kind.results))
    raise Problem("invalid_program", "The program has no function @main.")


def _tensor_type(kind: _ir.Type) -> TensorType:
    if not isinstance(kind, _ir.RankedTensorType) or not kind.has_static_shape:
        raise Problem("invalid_program", f"@main takes or gives {kind}; only tensors of known sizes can be passed.")
    return TensorType(tuple(kind.shape), str(kind.element_type))


def to_device(array: np.ndarray | np.generic, where: NamedSharding | None = None) -> Array:
    """Puts a numpy array on the devices. The caller must not change it afterwards: on CPUs it may be shared."""
    if where is not None and not where.is_fully_addressable:
        return from_callback(array.shape, where, lambda index: array[index])
    target = where or jax.local_devices()[0]
    if array.dtype.itemsize < 8:
        return jax.device_put(array, target)
    # jax would otherwise quietly make 32-bit elements of 64-bit ones.
    with jax.enable_x64(True):
        return jax.device_put(array, target)


def from_callback(
    shape: tuple[int, ...], where: NamedSharding, elements: Callable[[tuple[slice, ...]], np.ndarray]
) -> Array:
    """An array of which this process makes its own devices' parts: `elements` gives those of an index."""
    with jax.enable_x64(True):  # jax would otherwise make 32-bit elements of 64-bit ones
        return jax.make_array_from_callback(shape, where, elements)


def execute(
    executable: Executable, arguments: Sequence[Array], where: Sequence[NamedSharding] | None = None
) -> list[Array]:
    """Runs a program; returns at once, its results are computed meanwhile. Donated arguments are used up.

    `where` says how the results lie on the mesh; without it they are on one device.
    """
    results = executable.loaded.execute_sharded(arguments).disassemble_into_single_device_arrays()
    if where is None:
        return [shards[0] for shards in results]
    arrays = [
        jax.make_array_from_single_device_arrays(kind.shape, sharding, shards)
        for kind, sharding, shards in zip(executable.outputs, where, results, strict=True)
    ]
    if where and where[0].mesh.devices.flat[0].platform == "cpu" and where[0].mesh.size > 1:
        # CPU devices share threads: runs that overlap take each other's away and wait for each other for ever.
        jax.block_until_ready(arrays)
    return arrays


def wait(arrays: Mapping[str, Array]) -> None:
    """Returns when arrays have been computed."""
    jax.block_until_ready(list(arrays.values()))


def start_trace(folder: Path) -> None:
    """XLA's profiler begins to record what runs here; Python's own calls, which would fill the trace, are left out."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    jax.profiler.start_trace(folder, profiler_options=options)


def stop_trace() -> None:
    """Writes what was recorded into the folder."""
    jax.profiler.stop_trace()


def is_busy(array: Array | None) -> bool:
    """Whether an array is still being computed."""
    return array is not None and not array.is_ready()


def clear_caches() -> None:
    """Frees what `jax.jit` has compiled in this process; it is compiled again when it is next called."""
    jax.clear_caches()


def memory(executable: Executable | Compiled) -> dict[str, int]:
    """Bytes per device of arguments, results, what they share (donation), temporaries and code, by XLA's account.

    `peak` is what arguments, results and temporaries take when that is most; `temporaries` are all that XLA has laid out, of which more
    than fits can be said to be there. `host_...` are those in the host's memory, not counted in the others.
    """
    stats = _xla_executable(executable).get_compiled_memory_stats()
    return {
        "arguments": stats.argument_size_in_bytes,
        "outputs": stats.output_size_in_bytes,
        "aliased": stats.alias_size_in_bytes,
        "temporaries": stats.temp_size_in_bytes,
        # XLA counts arguments that lie in the host's memory here.
        "peak": max(0, stats.peak_memory_in_bytes - stats.host_argument_size_in_bytes),
        "code": stats.generated_code_size_in_bytes,
        "host_arguments": stats.host_argument_size_in_bytes,
        "host_outputs": stats.host_output_size_in_bytes,
        "host_aliased": stats.host_alias_size_in_bytes,
        "host_temporaries": stats.host_temp_size_in_bytes,
    }


def optimized_hlo(executable: Executable | Compiled) -> str:
    """The HLO that XLA made of the program after all its passes."""
    return "\n".join(module.to_string() for module in _xla_executable(executable).hlo_modules())


def serialized(compiled: Compiled) -> bytes:
    """The executable as a machine with such devices can load it."""
    return compiled.executable.serialize()


def _xla_executable(executable: Executable | Compiled) -> _xla.LoadedExecutable | _xla.Executable:
    return executable.loaded if isinstance(executable, Executable) else executable.executable


def devices() -> list[dict[str, str | int]]:
    """The devices that programs can run on."""
    return [{"id": device.id, "platform": device.platform, "kind": device.device_kind} for device in jax.devices()]


def mesh_size(axes: Sequence[MeshAxis]) -> int:
    """Devices of a mesh; 1 without axes."""
    return math.prod(axis.size for axis in axes)


def device_memory() -> dict[str, float]:
    """Bytes in use on the fullest device of this process, the most there have been, and how many there may be; empty where XLA does not say (CPUs)."""
    names = {"bytes_in_use": "memory/device_bytes", "peak_bytes_in_use": "memory/device_peak_bytes", "bytes_limit": "memory/device_limit_bytes"}
    all_stats = [device.memory_stats() or {} for device in jax.local_devices()]
    fullest = max(all_stats, key=lambda stats: stats.get("bytes_in_use", 0))
    return {name: float(fullest[key]) for key, name in names.items() if key in fullest}


def versions() -> dict[str, str]:
    """Versions of the libraries that compile and run; libtpu's where it is installed."""
    found = {"jax": jax.__version__, "jaxlib": jaxlib.version.__version__, "numpy": np.__version__}
    try:
        return {**found, "libtpu": metadata.version("libtpu")}
    except metadata.PackageNotFoundError:
        return found
