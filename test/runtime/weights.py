"""Holds weights to what others wrote and computed: imports a fixture of transformers', runs it, exports it again.

python weights.py hugging_face ARTIFACT FIXTURE FOLDER
python weights.py refused ARTIFACT FIXTURE FOLDER      prints what is said of weights that do not fit
python weights.py adapted ARTIFACT ADAPTED FIXTURE TEXT FOLDER   trains adapters of FIXTURE's weights, and exports them
python weights.py periodic ARTIFACT TEXT FOLDER   trains, and looks at the weights that are written on the way
python weights.py peft ADAPTED ARTIFACT FOLDER         prints what is said of PEFT's folders that lie
python weights.py damaged FIXTURE FOLDER               reads files that lie, and prints what is said of them

FIXTURE has config.json and model.safetensors as transformers writes them, and in expected.safetensors the logits that it
computes from input_ids.
"""

import json
import random
import shutil
import struct
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from xenarc_runtime import checkpoint, export, lora, pretrained, safetensors_folder, saving, train
from xenarc_runtime.errors import Problem
from xenarc_runtime.program import Entry, load, named
from xenarc_runtime.settings import CheckpointSettings


def tensors(folder):
    """All tensors of a folder of safetensors files, by the library's own reader, and the files' sizes."""
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="np") as opened:
            assert opened.metadata() == {"format": "pt"}
            found |= {name: opened.get_tensor(name) for name in opened.keys()}
    return found


def run_of(folder, artifact, parameters):
    """A run's folder whose only checkpoint has these parameters."""
    folder.mkdir()
    (folder / "artifact").symlink_to(artifact.resolve())
    averages = {"ema/norm/scale": np.full(32, 0.5, np.float32)}
    with saving.Saver(folder, CheckpointSettings(every=1, keep=1)) as saver:
        saver.save(3, {**parameters, **averages, "step": np.int32(3)}, {})
    return folder


def same(ours, theirs):
    assert sorted(ours) == sorted(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype and ours[name].shape == tensor.shape, name
        assert ours[name].tobytes() == tensor.tobytes(), name


def hugging_face(artifact_folder, fixture, folder):
    artifact, fixture, folder = load(Path(artifact_folder)), Path(fixture), Path(folder)
    forward = artifact.program("forward")
    parameters = pretrained.initial(artifact, fixture, named(forward.inputs, "state"))
    expected = load_file(fixture / "expected.safetensors")
    logits = np.asarray(Entry(artifact, "forward")({**parameters, "tokens": expected["input_ids"]})["logits"])
    np.testing.assert_allclose(logits, expected["logits"], rtol=1e-4, atol=1e-5)
    assert (logits.argmax(-1) == expected["logits"].argmax(-1)).all()

    original = load_file(fixture / "model.safetensors")
    run = run_of(folder / "run", Path(artifact_folder), parameters)
    export.export(run, folder / "whole", 10**9, None, None)
    assert sorted(file.name for file in (folder / "whole").iterdir()) == ["config.json", "model.safetensors"]
    same(tensors(folder / "whole"), original)
    config, theirs = (json.loads((at / "config.json").read_text()) for at in (folder / "whole", fixture))
    assert config["torch_dtype"] == theirs["dtype"]
    others = {"head_dim", "max_position_embeddings", "router_aux_loss_coef"}
    for key in config.keys() & theirs.keys() - others:
        # Bytes have no special tokens, as the fixture's vocabulary has.
        assert config[key] == (None if key.endswith("_token_id") else theirs[key]), key

    most = 40_000
    export.export(run / "checkpoints" / "3", folder / "shards", most, None, None)
    same(tensors(folder / "shards"), original)
    index = json.loads((folder / "shards/model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in original.values())
    files = sorted(folder.glob("shards/*.safetensors"))
    assert len(files) > 2 and sorted(set(index["weight_map"].values())) == [file.name for file in files]
    for file in files:
        with safe_open(file, framework="np") as opened:
            assert all(index["weight_map"][name] == file.name for name in opened.keys())
        assert sum(tensor.nbytes for tensor in load_file(file).values()) <= most

    export.export(run, folder / "averages", ema=True)
    same(tensors(folder / "averages"), {**original, "model.norm.weight": np.full(32, 0.5, np.float32)})

    # In bfloat16, and back under our names: what the library's own conversion says.
    export.export(run, folder / "bf16", 10**9, "bf16", "xenarc")
    ours = tensors(folder / "bf16")
    assert sorted(ours) == sorted(name.removeprefix("params/") for name in parameters)
    for name, tensor in ours.items():
        assert tensor.dtype.name == "bfloat16"
        wanted = np.asarray(parameters[f"params/{name}"]).astype(tensor.dtype)
        assert tensor.tobytes() == wanted.tobytes(), name
    wanted = {name: np.asarray(array) for name, array in parameters.items()}
    for source in (folder / "shards", run, run / "checkpoints" / "3"):
        again = pretrained.initial(artifact, source, named(forward.inputs, "state"))
        same({name: np.asarray(array) for name, array in again.items()}, wanted)

    # A tensor that is larger than a file may be lies in several, in parts along its layers or rows.
    largest = max(wanted, key=lambda name: wanted[name].nbytes).removeprefix("params/")
    most = max(array[0].nbytes for array in wanted.values()) * 3 // 2
    export.export(run, folder / "parts", most, None, "xenarc")
    for file in folder.glob("parts/*.safetensors"):
        assert sum(tensor.nbytes for tensor in load_file(file).values()) <= most
    parts = tensors(folder / "parts")
    assert wanted[f"params/{largest}"].nbytes > most and largest not in parts
    cut = sorted((name for name in parts if name.startswith(f"{largest}[")), key=lambda name: int(name.split("[")[1].split(":")[0]))
    assert np.concatenate([parts[name] for name in cut]).tobytes() == wanted[f"params/{largest}"].tobytes()
    again = pretrained.initial(artifact, folder / "parts", named(forward.inputs, "state"))
    same({name: np.asarray(array) for name, array in again.items()}, wanted)
    stored = safetensors_folder.open_folder(folder / "parts")[largest]
    drawn = random.Random(1)
    for _ in range(20):
        index = tuple(slice(*sorted(drawn.choices(range(size + 1), k=2))) for size in stored.shape)
        np.testing.assert_array_equal(stored.read(index), wanted[f"params/{largest}"][index])
    print("equal")


def said(name, folder, action):
    """Prints what a Problem says, without the folder's path; any other error is one of the test."""
    try:
        action()
        print(f"{name}: nothing")
    except Problem as problem:
        print(f"{name}: {problem.message} {problem.hint}".replace(f"{folder}/", ""))


def refused(artifact_folder, fixture, folder):
    artifact, fixture, folder = load(Path(artifact_folder)), Path(fixture), Path(folder)
    ports = named(artifact.program("forward").inputs, "state")
    original = load_file(fixture / "model.safetensors")
    config = json.loads((fixture / "config.json").read_text())

    def folder_of(name, tensors, config=config):
        (folder / name).mkdir()
        save_file(tensors, folder / name / "model.safetensors")
        (folder / name / "config.json").write_text(json.dumps(config))
        said(name, folder, lambda: pretrained.initial(artifact, folder / name, ports))

    lacking = {name: tensor for name, tensor in original.items() if "layers.1.mlp" not in name}
    folder_of("lacking", lacking)
    folder_of("besides", {**original, "model.layers.2.mlp.up_proj.weight": np.zeros((80, 32), np.float32)})
    folder_of("shape", {**original, "lm_head.weight": np.zeros((161, 32), np.float32)})
    folder_of("converted", {name: tensor.astype(np.float16) for name, tensor in original.items()})
    folder_of("theta", original, {**config, "rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}})
    folder_of("heads", original, {**config, "num_attention_heads": 8, "head_dim": 4})
    folder_of("scaled", original, {**config, "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}})
    own = pretrained.parameter_ports(artifact)
    tensors = {name: np.zeros(port.shape, np.float32) for name, port in own.items()}
    folder_of("own shape", {**tensors, "norm/scale": np.zeros(33, np.float32)})
    folder_of("own lacking", {name: tensor for name, tensor in tensors.items() if name != "norm/scale"})
    said("nothing there", folder, lambda: pretrained.initial(artifact, folder / "none", ports))
    (folder / "empty").mkdir()
    said("empty", folder, lambda: pretrained.initial(artifact, folder / "empty", ports))

    said("no checkpoint", folder, lambda: export.export(folder / "empty", folder / "new", 10**9, None, None))
    run = run_of(folder / "run", Path(artifact_folder), pretrained.initial(artifact, fixture, ports))
    said("full", folder, lambda: export.export(run, folder / "lacking", 10**9, None, None))
    said("a file", folder, lambda: export.export(run, folder / "lacking/config.json", 10**9, None, None))
    before = sorted(file.name for file in folder.iterdir())
    shutil.rmtree(run / "checkpoints/3/params/d")
    try:
        export.export(run, folder / "never", 10**9, None, None)
        raise AssertionError("a damaged checkpoint was exported")
    except Problem as problem:
        assert f"The checkpoint {run}/checkpoints/3 is damaged: params/d/" in problem.message
        assert problem.message.endswith(" is missing.")
    assert sorted(file.name for file in folder.iterdir()) == before


def logits_of(artifact, parameters):
    tokens = np.random.default_rng(5).integers(0, 128, (2, 48), np.int32)
    return np.asarray(Entry(artifact, "forward")({**parameters, "tokens": tokens})["logits"])


def adapted(plain, folder_of_adapted, fixture, text, folder):
    plain, artifact, fixture, folder = load(Path(plain)), load(Path(folder_of_adapted)), Path(fixture), Path(folder)
    run = folder / "run"
    shutil.copytree(folder_of_adapted, run / "artifact")
    beneath = folder / "base"
    shutil.copytree(fixture, beneath)
    train.train(artifact.folder, run, [text], resume=False, overwrite=False, source=beneath)
    losses = [entry["loss"] for entry in map(json.loads, (run / "metrics.jsonl").open()) if "loss" in entry]
    assert losses[-1] < losses[0] - 0.5, losses

    # The base is what it was, bit for bit; the optimizer keeps nothing of it.
    ports = named(artifact.program("train_step").inputs, "state")
    state = pretrained.restore(artifact, checkpoint.newest(run), ports)
    kept = [name for name in state if name.startswith("optimizer/")]
    assert kept and all("/lora/" in name for name in kept), kept
    base = pretrained.initial(plain, fixture, named(plain.program("forward").inputs, "state"))
    same({name: np.asarray(state[name]) for name in base}, {name: np.asarray(array) for name, array in base.items()})
    own = {name: np.asarray(array) for name, array in state.items() if name.startswith("params/") and name not in base}
    assert own and all("/lora/" in name and np.abs(array).max() > 0 for name, array in own.items())

    # Merged they compute what they compute apart; by PEFT's own rule they are what the merged weights are.
    forward = named(artifact.program("forward").inputs, "state")
    apart = logits_of(artifact, {port.name: state[port.name] for port in forward})
    assert np.abs(apart - logits_of(plain, base)).max() > 0.1
    export.export(run, folder / "merged")
    export.export(run, folder / "adapters", adapters=True)
    for source in (folder / "merged", run):
        merged = pretrained.initial(plain, source, named(plain.program("forward").inputs, "state"))
        np.testing.assert_allclose(logits_of(plain, merged), apart, rtol=1e-4, atol=1e-4)
    settings = json.loads((folder / "adapters/adapter_config.json").read_text())
    assert (settings["peft_type"], settings["r"], settings["lora_alpha"]) == ("LORA", 4, 8)
    modules = ["down_proj", "gate_proj", "k_proj", "lm_head", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert sorted(name.split(".")[-1] for name in settings["target_modules"]) == modules
    parts = load_file(folder / "adapters/adapter_model.safetensors")
    expected = dict(load_file(fixture / "model.safetensors"))
    for name in [name for name in parts if name.endswith(".lora_A.weight")]:
        weight = name.removeprefix("base_model.model.").replace(".lora_A", "")
        a, b = parts.pop(name), parts.pop(name.replace("lora_A", "lora_B"))
        assert a.shape[0] == b.shape[1] == 4
        expected[weight] = expected[weight] + np.float32(2) * (b @ a)
    assert not parts
    ours = tensors(folder / "merged")
    assert sorted(ours) == sorted(expected)
    for name, tensor in expected.items():
        np.testing.assert_allclose(ours[name], tensor, rtol=1e-5, atol=1e-6, err_msg=name)
    assert settings["base_model_name_or_path"] == str(beneath.absolute()) and settings["lora_dropout"] == 0.1

    # Exported adapters are where a run may begin, on top of what they name, or of what is given.
    shutil.copytree(beneath, folder / "elsewhere")
    for given in (None, folder / "elsewhere"):
        begun = pretrained.source_at(folder / "adapters", given)
        again = pretrained.initial(artifact, begun.path, forward, begun.adapters)
        same({name: np.asarray(array) for name, array in again.items()}, {port.name: np.asarray(state[port.name]) for port in forward})
    alone(artifact, run, text, beneath, state)
    print("equal")


def alone(artifact, run, text, source, state):
    """Checkpoints hold the adapters alone; going on from one takes the base from where it was, as long as it is that."""
    inside = checkpoint.stored(checkpoint.newest(run), "params/")
    assert inside and all("/lora/" in name for name in inside)
    held = sum(file.stat().st_size for file in (run / "checkpoints/30/params").rglob("*") if file.is_file())
    assert held < (source / "model.safetensors").stat().st_size, held

    def resumed():
        shutil.rmtree(run / "checkpoints/30", ignore_errors=True)
        train.train(artifact.folder, run, [text], resume=True, overwrite=False)

    resumed()
    ports = named(artifact.program("train_step").inputs, "state")
    again = pretrained.restore(artifact, checkpoint.newest(run), ports)
    same({name: np.asarray(array) for name, array in again.items()}, {name: np.asarray(array) for name, array in state.items()})

    source.rename(source.with_name("moved"))
    said("base gone", run.parent, resumed)
    source.symlink_to("moved")
    pretrained.restore(artifact, checkpoint.newest(run), ports)
    data = bytearray((source / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (source / "model.safetensors").write_bytes(data)
    said("base changed", run.parent, resumed)
    said("base changed, export", run.parent, lambda: export.export(run, run.parent / "never"))


def peft(adapted_folder, plain, folder):
    """What is said of PEFT's folders that lie, or are not the model's."""
    artifact, plain, folder = load(Path(adapted_folder)), load(Path(plain)), Path(folder)
    (folder / "base").mkdir()
    save_file({"norm/scale": np.zeros(32, np.float32)}, folder / "base/model.safetensors")
    ports = pretrained.parameter_ports(artifact)
    # As PEFT calls and lays them out for Llama.
    sides = {**dict.fromkeys(("q_proj", "o_proj"), (32, 32)), **dict.fromkeys(("k_proj", "v_proj"), (32, 16))}
    sides = {f"self_attn.{name}": size for name, size in sides.items()}
    sides |= {"mlp.gate_proj": (32, 80), "mlp.up_proj": (32, 80), "mlp.down_proj": (80, 32)}
    modules = {f"model.layers.{layer}.{name}": size for layer in range(2) for name, size in sides.items()}
    tensors = {
        f"base_model.model.{name}.lora_{part}.weight": np.zeros(shape, np.float32)
        for name, (inner, outer) in {**modules, "lm_head": (32, 160)}.items()
        for part, shape in (("A", (4, inner)), ("B", (outer, 4)))
    }
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "base_model_name_or_path": str(folder / "base")}

    def of(name, config, tensors=tensors, artifact=artifact):
        where = folder / name.replace(" ", "-")
        where.mkdir()
        if config is not None:
            (where / "adapter_config.json").write_text(config if isinstance(config, str) else json.dumps(config))
        if tensors is not None:
            save_file(tensors, where / "adapter_model.safetensors")
        wanted = pretrained.parameter_ports(artifact)

        def begin():
            source = pretrained.source_at(where)
            lora.from_peft(artifact, source.adapters, wanted)

        said(name, folder, begin)

    first = sorted(tensors)[0]
    of("as they should be", config)
    of("no settings", None)
    of("no tensors", config, None)
    of("damaged settings", "{")
    of("no object", "[]")
    of("no base", {**config, "base_model_name_or_path": None})
    of("base elsewhere", {**config, "base_model_name_or_path": "somebody/model-7b"})
    of("base of adapters", {**config, "base_model_name_or_path": str(folder / "no-base")})
    of("another kind", {**config, "peft_type": "IA3"})
    of("another rank", {**config, "r": 8})
    of("another alpha", {**config, "lora_alpha": "8"})
    of("another mathematics", {**config, "use_dora": True, "bias": "all", "modules_to_save": ["lm_head"]})
    of("lies about its rank", config, {**tensors, first: np.zeros((3, tensors[first].shape[1]), np.float32)})
    of("lacks some", config, {name: tensor for name, tensor in tensors.items() if "q_proj" not in name})
    of("has others", config, {**tensors, "base_model.model.model.embed_tokens.lora_A.weight": np.zeros((4, 160), np.float32)})
    of("a model without", config, tensors, plain)
    (folder / "cut").mkdir()
    shutil.copy(folder / "as-they-should-be/adapter_config.json", folder / "cut")
    (folder / "cut/adapter_model.safetensors").write_bytes((folder / "as-they-should-be/adapter_model.safetensors").read_bytes()[:1000])
    said("cut", folder, lambda: lora.from_peft(artifact, folder / "cut", ports))


def file_of(header, data=b"", length=None):
    """A safetensors file with this header, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def damaged(fixture, folder):
    folder = Path(folder)
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    lies = {
        "empty": b"",
        "short": b"\x08\x00",
        "longer header than file": file_of({"a": tensor}, bytes(8), length=10**6),
        "enormous header": file_of({"a": tensor}, bytes(8), length=1 << 62),
        "no JSON": file_of(b"{]", bytes(8)),
        "beyond the end": file_of({"a": {**tensor, "shape": [4], "data_offsets": [0, 16]}}, bytes(8)),
        "overlapping": file_of({"a": tensor, "b": {**tensor, "data_offsets": [4, 12]}}, bytes(12)),
        "hole": file_of({"a": tensor, "b": {**tensor, "data_offsets": [12, 20]}}, bytes(20)),
        "backwards": file_of({"a": {**tensor, "data_offsets": [8, 0]}}, bytes(8)),
        "negative": file_of({"a": {**tensor, "data_offsets": [-8, 0]}}, bytes(8)),
        "shape": file_of({"a": {**tensor, "shape": [3]}}, bytes(8)),
        "overflow": file_of({"a": {**tensor, "shape": [1 << 62, 1 << 3]}}, bytes(8)),
        "element type": file_of({"a": {**tensor, "dtype": "F33"}}, bytes(8)),
        "trailing": file_of({"a": tensor}, bytes(16)),
    }
    for name, data in lies.items():
        (folder / "lie.safetensors").write_bytes(data)
        said(name, folder, lambda: safetensors_folder.open_folder(folder / "lie.safetensors"))

    def index_of(name, text):
        (folder / name).mkdir()
        save_file({"a": np.zeros(2, np.float32)}, folder / name / "model-1.safetensors")
        save_file({"a": np.zeros(2, np.float32)}, folder / name / "model-2.safetensors")
        (folder / name / "model.safetensors.index.json").write_text(text if isinstance(text, str) else json.dumps(text))
        said(name, folder, lambda: safetensors_folder.open_folder(folder / name))

    index_of("upwards", {"weight_map": {"a": "../lie.safetensors"}})
    index_of("absolute", {"weight_map": {"a": "/etc/passwd.safetensors"}})
    index_of("no shard", {"weight_map": {"a": "model-3.safetensors"}})
    index_of("no list", {"weight_map": ["a"]})
    index_of("no index", "[" * 100_000)
    index_of("missing", {"weight_map": {"a": "model-1.safetensors", "b": "model-1.safetensors"}})
    index_of("twice", {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}})

    for name, parts in {
        "part missing": {"a[0:2]": np.zeros((2, 3)), "a[3:4]": np.zeros((1, 3))},
        "part twice": {"a": np.zeros((2, 3)), "a[0:2]": np.zeros((2, 3))},
        "part of another size": {"a[0:2]": np.zeros((2, 3)), "a[2:4]": np.zeros((1, 3))},
        "parts of two shapes": {"a[0:2]": np.zeros((2, 3)), "a[2:4]": np.zeros((2, 4))},
    }.items():
        save_file(parts, folder / "lie.safetensors")
        said(name, folder, lambda: safetensors_folder.open_folder(folder / "lie.safetensors"))

    # Whatever becomes of the bytes in front, a file is refused or read to the end of every tensor.
    draw = random.Random(4)
    data = (Path(fixture) / "model.safetensors").read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    refusals = 0
    for number in range(400):
        changed = bytearray(data)
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(end)
            changed[at] = draw.choice(b'0123456789{}[],:" ' + bytes([draw.randrange(256)]))
        file = folder / f"fuzz{number % 2}.safetensors"
        file.unlink(missing_ok=True)
        file.write_bytes(changed[: draw.choice([len(changed), draw.randrange(len(changed))])])
        try:
            for stored in safetensors_folder.open_folder(file).values():
                assert stored.all().nbytes == stored.nbytes
        except Problem:
            refusals += 1
    assert refusals > 200, refusals


def periodic(trained, text, folder):
    """The artifact has 30 steps, checkpoints every 10, and weights every 10 in bfloat16, in files of 20 KB, two of them."""
    run = Path(folder) / "run"
    artifact = load(Path(trained))

    def run_it(resume):
        train.train(artifact.folder, run, [text], resume=resume, overwrite=False)
        assert sorted(path.name for path in (run / "weights").iterdir()) == ["20", "30"]
        for step in (20, 30):
            written = run / "weights" / str(step)
            files = sorted(written.glob("*.safetensors"))
            assert len(files) > 3 and json.loads((written / "config.json").read_text())["model_type"] == "xenarc"
            for file in files:
                assert sum(tensor.nbytes for tensor in load_file(file).values()) <= 20_000
            saved = checkpoint.at(run, step)
            parameters = checkpoint.stored(saved, "params/")
            found = safetensors_folder.open_folder(written)
            same(
                {name: tensor.all() for name, tensor in found.items()},
                {name: tensor.all().astype(ml_dtypes.bfloat16) for name, tensor in parameters.items()},
            )

    run_it(resume=False)
    # What a start has not come to write, the next one does; a draft of it is nobody's.
    shutil.rmtree(run / "weights/30")
    (run / "weights/.30.abc").mkdir()
    run_it(resume=True)
    # They are where another run may begin.
    begun = pretrained.initial(artifact, run / "weights/20", named(artifact.program("init").outputs, "state"))
    same(
        {name: np.asarray(array).astype(ml_dtypes.bfloat16) for name, array in begun.items()},
        {f"params/{name}": tensor.all() for name, tensor in safetensors_folder.open_folder(run / "weights/20").items()},
    )
    print("equal")


COMMANDS = {
    **{"hugging_face": hugging_face, "refused": refused, "adapted": adapted},
    **{"periodic": periodic, "damaged": damaged, "peft": peft},
}
COMMANDS[sys.argv[1]](*sys.argv[2:])
