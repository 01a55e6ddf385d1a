"""The command line: `python -m xenarc_runtime COMMAND`.

Exit codes: 0 fine, 1 the user's program or data is wrong, 2 usage, 3 the environment.
"""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":
    # While modules are imported Python may make another error of a KeyboardInterrupt: until `main` can catch it, Ctrl-C just ends this.
    _interrupt = signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import events
from .errors import Problem, from_exception

if TYPE_CHECKING:
    from .data.settings import SourceSettings

# Whose fault a problem is, by its kind. The same list is in runtime-bridge/process.ts.
_EXIT_CODES = {
    **dict.fromkeys(["usage", "target", "run_exists", "run_busy", "entry_point"], 2),
    **dict.fromkeys(["internal", "python_packages", "group", "hang"], 3),
}


def main() -> int:
    """Parses the command, runs it, and reports what went wrong as an `error` event."""
    arguments = _parser().parse_args()
    if arguments.command != "worker":
        events.claim_stdout()
    try:
        arguments.run(arguments)
        return 0
    except KeyboardInterrupt:
        if _in_group():
            os._exit(130)  # the others are ending too; nobody waits
        return 130
    except Exception as error:
        if os.environ.get("XENARC_DEBUG"):
            raise
        problem = from_exception(error)
        if _in_group():
            from . import group

            problem = group.in_group_words(problem)
            group.fail(problem, _EXIT_CODES.get(problem.kind, 1))
        events.emit("error", **problem.as_json())
        return _EXIT_CODES.get(problem.kind, 1)


def _in_group() -> bool:
    """Whether this is one of several processes; what was never imported has joined none."""
    return f"{__package__}.group" in sys.modules and sys.modules[f"{__package__}.group"].size() > 1


def _add_evaluated(command: argparse.ArgumentParser) -> None:
    """What is evaluated, and on what."""
    command.add_argument("artifact", type=Path)
    command.add_argument("--run", type=Path, dest="folder", required=True, help="the folder of the run")
    command.add_argument("--step", type=int, help="which checkpoint; default: the newest")
    command.add_argument("--data", action="append", default=[], help="all of this instead of what the run kept for validation")
    command.add_argument("--batches", type=int, help="how many to read; default: all")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xenarc_runtime", description="Runs xenarc artifacts.")
    commands = parser.add_subparsers(dest="command", required=True)

    worker = commands.add_parser("worker", help="serve verify, canonical, execute and hlo on a Unix socket")
    worker.add_argument("--socket", type=Path, required=True)
    worker.add_argument("--plugin", type=Path, action="append", default=[], help="a file with further METHODS")
    worker.set_defaults(run=_worker)

    train = commands.add_parser("train", help="train an artifact")
    train.add_argument("artifact", type=Path)
    train.add_argument("--run", type=Path, dest="folder", required=True, help="the run's folder")
    data = "what to train on instead of what the artifact's config says; once for each source of a mixture"
    train.add_argument("--data", action="append", default=[], help=data)
    train.add_argument("--from", type=Path, dest="source", help="begin with these weights: a run, a folder of safetensors, adapters")
    train.add_argument("--base", type=Path, help="what adapters at --from stand beside; default: the base model that they name")
    existing = train.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="go on from the newest checkpoint, if there is one")
    existing.add_argument("--overwrite", action="store_true", help="delete what an earlier run left in the folder")
    train.add_argument("--watchdog", type=float, default=600, help="seconds without a step that end it; 0: never")
    train.add_argument("--profile", help="the first and the last step to trace: 10:15")
    train.add_argument("--command", dest="typed", type=json.loads, help="JSON: what run.json says of the command")
    train.add_argument("--repeats", type=Path, help="the run that this one repeats")
    train.add_argument("--coordinator", help="HOST:PORT of the first of several processes; default: the environment's")
    train.add_argument("--processes", type=int, help="how many processes there are")
    train.add_argument("--process", type=int, help="the number of this one, from 0")
    train.set_defaults(run=_train)

    generate = commands.add_parser("generate", help="stream text from a checkpoint")
    generate.add_argument("artifact", type=Path)
    generate.add_argument(
        "--run", type=Path, dest="folder", required=True, help="the folder of the run that trained it"
    )
    generate.add_argument("--step", type=int, help="which checkpoint; default: the newest")
    generate.add_argument("--prompt", default="\n")
    generate.add_argument("--max-tokens", type=int, default=256)
    generate.add_argument("--temperature", type=float, default=0.8, help="0 takes the likeliest token")
    generate.add_argument("--top-k", type=int, default=0, help="0 switches it off")
    generate.add_argument("--top-p", type=float, default=1.0, help="1 switches it off")
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument("--stop", action="append", default=[], help="text that ends the generation")
    generate.add_argument("--probes", type=Path, help="an artifact with the programs that look into the model: say what they see")
    generate.add_argument("--top", type=int, default=5, help="with --probes: how many of the likeliest tokens to name")
    generate.add_argument("--session", type=Path, help="the file of what the model remembers: read if it is there, and written")
    generate.add_argument("--embeddings", type=Path, action="append", default=[], help="a file of vectors that stand in the prompt")
    generate.add_argument("--at", type=int, action="append", default=[], help="behind so many of its tokens; one for each --embeddings")
    generate.set_defaults(run=_generate)

    sources = commands.add_parser("sources", help="what tells the data of an artifact from others")
    sources.add_argument("artifact", type=Path)
    sources.add_argument("--data", action="append", default=[], help="instead of what the artifact's config says")
    sources.set_defaults(run=_told_sources)

    evaluate = commands.add_parser("evaluate", help="the loss of a checkpoint over held-out data")
    _add_evaluated(evaluate)
    evaluate.set_defaults(run=_evaluate)

    curves = commands.add_parser("curves", help="draw the loss curves of several runs into one picture")
    curves.add_argument("runs", type=Path, nargs="+")
    curves.add_argument("--out", type=Path, required=True)
    curves.set_defaults(run=_curves)

    characters = commands.add_parser("characters", help="make a tokenizer.json of the characters of texts")
    characters.add_argument("--source", action="append", required=True, help='JSON: {"path": ..., "kind": ..., "field": ...}')
    characters.add_argument("--skip-bad", action="store_true", help="leave out what cannot be read")
    characters.add_argument("--out", type=Path, required=True)
    characters.set_defaults(run=_characters)

    tokenize = commands.add_parser("tokenize", help="tokenize data ahead of training")
    _add_sources(tokenize)
    tokenize.add_argument("--out", type=Path, required=True, help="the folder of the shards and their index")
    tokenize.add_argument("--format", choices=("bin", "tfrecord", "hdf5", "arrayrecord"), default="bin")
    tokenize.add_argument("--shard-tokens", type=int, default=100_000_000, help="a shard ends once it has so many")
    tokenize.add_argument("--workers", type=int, default=1, help="threads that tokenize")
    tokenize.set_defaults(run=_tokenize)

    stats = commands.add_parser("stats", help="lengths, duplicates and entropies of data")
    _add_sources(stats)
    stats.set_defaults(run=_stats)

    run = commands.add_parser("run", help="run any entry point on the tensors of a safetensors file")
    run.add_argument("artifact", type=Path)
    run.add_argument("entry")
    run.add_argument("--in", type=Path, dest="source", required=True)
    run.add_argument("--out", type=Path, dest="target", required=True)
    run.add_argument("--run", type=Path, dest="folder", help="take parameters that the file lacks from this run")
    run.set_defaults(run=_run)

    export = commands.add_parser("export", help="write a checkpoint's weights as safetensors files")
    export.add_argument("checkpoint", type=Path, help="a run's folder, or RUN/checkpoints/N")
    export.add_argument("--out", type=Path, required=True, help="the folder to write")
    export.add_argument("--shard-bytes", type=int, default=5 * 10**9, help="the most bytes of a file")
    export.add_argument("--dtype", choices=("f32", "bf16", "f16"), help="default: as the weights are stored")
    export.add_argument("--names", choices=("xenarc", "huggingface"), help="default: huggingface if the model has a map")
    export.add_argument("--adapters", action="store_true", help="adapters alone, in PEFT's format")
    export.add_argument("--ema", action="store_true", help="the averages that training has kept")
    export.set_defaults(run=_export)

    prune = commands.add_parser("prune-experts", help="a checkpoint with fewer experts in each mixture")
    _add_evaluated(prune)
    prune.add_argument("--out", type=Path, required=True, help="the new run's folder, which has the artifact of the smaller model")
    prune.add_argument("--merge", action="store_true", help="merge the others into the nearest that stay")
    prune.set_defaults(run=_prune)

    inspect = commands.add_parser("inspect", help="compile an artifact's programs; XLA's memory and optimized HLO")
    inspect.add_argument("artifact", type=Path)
    inspect.add_argument("--hlo", type=Path, help="write the optimized HLO into this folder")
    inspect.set_defaults(run=_inspect)

    ahead = commands.add_parser("ahead", help="compile an entry point for devices that need not be here")
    ahead.add_argument("artifact", type=Path)
    ahead.add_argument("entry")
    ahead.add_argument("--platform", choices=("cpu", "tpu"), required=True)
    ahead.add_argument("--generation", default="", help="of TPUs: v5p, ...")
    ahead.add_argument("--topology", type=_sizes, default=(), help="of TPUs: chips along a slice's torus, 4x4x4")
    ahead.add_argument("--slices", type=int, default=1)
    ahead.add_argument("--out", type=Path, required=True, help="where the optimized HLO and the executable go")
    ahead.set_defaults(run=_ahead)

    commands.add_parser("doctor", help="versions and devices").set_defaults(run=_doctor)
    return parser


def _add_sources(command: argparse.ArgumentParser) -> None:
    command.add_argument("sources", nargs="+", help="a file, a folder, a glob or a URL")
    command.add_argument("--tokenizer", default="bytes", help="`bytes`, or the path of a tokenizer.json")
    command.add_argument("--tokenizer-name", help="what it is called; default: the same")
    command.add_argument("--kind", help="the format of the sources; default: told by the names of the files")
    command.add_argument("--field", help="which value of a record is the text")
    command.add_argument("--dtype", choices=("uint8", "uint16", "uint32"), help="what files of token ids hold; default: uint16")
    command.add_argument("--skip-bad", action="store_true", help="leave out and count what cannot be read")


# The commands import what they need when they run: `doctor` must not wait for Orbax, nor the worker for matplotlib.


@contextmanager
def _importing() -> Iterator[None]:
    """Ctrl-C ends the process at once: while modules are loaded, some of them would take it for a failure of their own and go on."""
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _worker(arguments: argparse.Namespace) -> None:
    with _importing():
        from .worker import serve

    serve(arguments.socket, arguments.plugin)


def _train(arguments: argparse.Namespace) -> None:
    with _importing():
        from . import group
        from .profile import parse_window
        from .train import train

    a = arguments
    window = None if a.profile is None else parse_window(a.profile)
    group.join(a.coordinator, a.processes, a.process)
    train(a.artifact, a.folder, a.data, a.resume, a.overwrite, a.watchdog, a.source, window, a.typed, a.repeats, a.base)


def _told_sources(arguments: argparse.Namespace) -> None:
    with _importing():
        from . import artifact, history
        from .data import settings

    read = settings.read(artifact.load(arguments.artifact), arguments.data)
    events.emit("sources", sources=history.sources(read))


def _generate(arguments: argparse.Namespace) -> None:
    with _importing():
        from .generate import Sampling, generate

    sampling = Sampling(arguments.temperature, arguments.top_k, arguments.top_p, arguments.seed)
    generate(
        arguments.artifact,
        arguments.folder,
        arguments.step,
        arguments.prompt,
        sampling,
        arguments.max_tokens,
        arguments.stop,
        arguments.probes,
        arguments.top,
        arguments.session,
        list(zip(arguments.embeddings, arguments.at, strict=True)),
    )


def _evaluate(arguments: argparse.Namespace) -> None:
    with _importing():
        from .evaluation import evaluate

    a = arguments
    evaluate(a.artifact, a.folder, a.step, a.data, a.batches)


def _curves(arguments: argparse.Namespace) -> None:
    with _importing():
        from .curve import compare

    compare(arguments.runs, arguments.out)


def _characters(arguments: argparse.Namespace) -> None:
    with _importing():
        from . import tokenizer
        from .data.reading import Reader
        from .data.statistics import text_in

    sources = [_source(**json.loads(source)) for source in arguments.source]
    reader = Reader(sources, arguments.skip_bad, tokenizer.BYTES, conversations=True)

    def texts() -> Iterator[str]:
        yield "\n"  # is put between texts
        for item in reader.items():
            text = None if item.value is None else text_in(item.value)
            if text is not None:
                yield reader.attempt(item, partial(tokenizer.unicode, text)) or ""

    arguments.out.write_text(tokenizer.characters(texts()), encoding="utf-8")
    events.emit("vocabulary", path=str(arguments.out), size=tokenizer.read(str(arguments.out)).vocab_size)


def _tokenize(arguments: argparse.Namespace) -> None:
    # Read by the library when it first has work to share.
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    os.environ["RAYON_NUM_THREADS"] = str(arguments.workers)
    with _importing():
        from . import tokenizer
        from .data.pretokenize import Work, pretokenize

    a = arguments
    made = tokenizer.read(a.tokenizer)
    name = a.tokenizer_name or a.tokenizer
    pretokenize(Work(_sources(a), made, name, a.out, a.format, a.shard_tokens, a.skip_bad))


def _stats(arguments: argparse.Namespace) -> None:
    with _importing():
        from . import tokenizer
        from .data.reading import Reader
        from .data.statistics import statistics

    made = tokenizer.read(arguments.tokenizer)
    reader = Reader(_sources(arguments), arguments.skip_bad, made, conversations=True)
    statistics(reader, made, arguments.tokenizer_name or arguments.tokenizer)


def _sources(arguments: argparse.Namespace) -> tuple[SourceSettings, ...]:
    a = arguments
    return tuple(_source(path, kind=a.kind, field=a.field, dtype=a.dtype) for path in a.sources)


def _source(path: str, kind: str | None = None, **settings: str | None) -> SourceSettings:
    from .data.kinds import KINDS
    from .data.settings import SourceSettings

    if kind is not None and kind not in KINDS:
        raise Problem("usage", f"There is no kind of data `{kind}`.", f"It is one of {', '.join(KINDS)}.")
    return SourceSettings(path, kind=kind, **settings)


def _run(arguments: argparse.Namespace) -> None:
    with _importing():
        from .run import run

    run(arguments.artifact, arguments.entry, arguments.source, arguments.target, arguments.folder)


def _export(arguments: argparse.Namespace) -> None:
    with _importing():
        from .export import export

    a = arguments
    export(a.checkpoint, a.out, a.shard_bytes, a.dtype, a.names, a.adapters, a.ema)


def _prune(arguments: argparse.Namespace) -> None:
    with _importing():
        from .prune import prune

    a = arguments
    prune(a.artifact, a.folder, a.step, a.data, a.batches, a.out, a.merge)


def _inspect(arguments: argparse.Namespace) -> None:
    with _importing():
        from .inspect import inspect

    inspect(arguments.artifact, arguments.hlo)


def _ahead(arguments: argparse.Namespace) -> None:
    with _importing():
        from .ahead import compile_ahead

    a = arguments
    compile_ahead(a.artifact, a.entry, a.platform, a.generation, a.topology, a.slices, a.out)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.split("x"))


def _doctor(_: argparse.Namespace) -> None:
    try:
        with _importing():
            from . import pjrt
    except ImportError as error:
        raise Problem("python_packages", f"A Python package is missing: {error.name}.") from None
    events.emit("facts", python=sys.version.split()[0], packages=pjrt.versions(), devices=pjrt.devices())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, _interrupt)
    sys.exit(main())
