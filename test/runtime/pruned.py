"""Holds pruned experts to the plain-JAX reference: all experts of a token's layer computed densely, of the weights before, by hand.

python pruned.py draw ARTIFACT RUN         a run with drawn weights, experts of very different use
python pruned.py twins ARTIFACT RUN        a run whose experts 2 and 3 are 0 and 1, but for their units' order and for opposite differences
python pruned.py compare RUN PRUNED TEXT ROWS   the report, and the losses of both by the reference, in batches of ROWS, as JSON
python pruned.py steered ARTIFACT RUN      a run of xenarcai_i2 with drawn weights
python pruned.py steered_losses RUN PRUNED TEXT ROWS   the losses of that and of the pruned one by the reference, as JSON
python pruned.py same RUN PRUNED           the largest difference of the pruned experts' weights from those that the twins are of
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "systems" / "reference"))
import common
import xenarcai_600b as reference

from xenarc_runtime import checkpoint, pretrained, saving
from xenarc_runtime.program import load
from xenarc_runtime.settings import CheckpointSettings

EXPERTS = ("up", "down")


def drawn(artifact, seed=0):
    """Weights by path; scales that let the router prefer some experts much."""
    random = np.random.default_rng(seed)
    return {
        path: np.ones(port.shape, np.float32)
        if path.endswith("scale")
        else random.normal(0, 1.0 if "router" in path else 0.6 if "moe" in path else 0.15, port.shape).astype(np.float32)
        for path, port in pretrained.parameter_ports(artifact).items()
    }


def write(run, artifact_folder, parameters):
    run.mkdir()
    (run / "artifact").symlink_to(artifact_folder.resolve())
    state = {f"params/{path}": value for path, value in parameters.items()}
    with saving.Saver(run, CheckpointSettings(every=1, keep=1)) as saver:
        saver.save(3, {**state, "step": np.int32(3)}, {"config": {}})


def draw(artifact_folder, run):
    folder = Path(artifact_folder)
    write(Path(run), folder, drawn(load(folder)))


def orders(layers, width):
    random = np.random.default_rng(7)
    return [[random.permutation(width) for _ in range(2)] for _ in range(layers)]


def twins(artifact_folder, run):
    folder = Path(artifact_folder)
    parameters = drawn(load(folder))
    router = parameters["blocks/moe/router/weight"]
    router[:, :, 2:] = router[:, :, :2]
    up, down = (parameters[f"blocks/moe/{name}/weight"] for name in EXPERTS)
    random = np.random.default_rng(1)
    for layer, pair in enumerate(orders(len(up), up.shape[-1])):
        for expert, order in enumerate(pair):
            for weight, units in ((up, 1), (down, 0)):
                difference = random.normal(0, 0.01, weight.shape[2:]).astype(np.float32)
                base = weight[layer, expert].copy()
                weight[layer, expert] = base - difference
                weight[layer, expert + 2] = (base + difference).take(order, axis=units)
    write(Path(run), folder, parameters)


def weights(run):
    saved = checkpoint.newest(Path(run), ["params", "record"])
    return {path: tensor.all() for path, tensor in checkpoint.stored(saved, "params/").items()}


def means_of_twins(run):
    """The weights with each pair of twins as one, whose units' order is known here."""
    parameters = weights(run)
    for name, units in (("up", 1), ("down", 0)):
        path = f"blocks/moe/{name}/weight"
        pairs = orders(len(parameters[path]), parameters["blocks/moe/up/weight"].shape[-1])
        parameters[path] = np.stack([
            np.stack([(layer[e] + layer[e + 2].take(np.argsort(pair[e]), axis=units)) / 2 for e in range(2)])
            for layer, pair in zip(parameters[path], pairs, strict=True)
        ])
    parameters["blocks/moe/router/weight"] = parameters["blocks/moe/router/weight"][:, :, :2]
    return parameters


def evaluated(parameters, config, text, batch):
    """The mean loss of a text's bytes, and each layer's share of the choices by expert, the mean over batches, with all experts computed for every token."""
    context, used = config["context"], []
    dense = common.moe

    def seen(params, path, x, config):
        probabilities = np.asarray(common.nn.softmax(common.linear(params, f"{path}/router", x), axis=-1))
        order = np.argsort(-probabilities, axis=-1, kind="stable")[..., : config["perToken"]]
        chosen = np.take_along_axis(probabilities, order, -1)
        before = np.cumsum(chosen, -1) - chosen
        taken = before < (config.get("threshold") or np.inf)
        used.append(np.bincount(order[taken], minlength=probabilities.shape[-1]) / taken.sum())
        return dense(params, path, x, config)

    common.moe = seen
    ids = np.frombuffer(Path(text).read_bytes(), np.uint8).astype(np.int32)
    rows = np.stack([ids[start : start + context + 1] for start in range(0, ids.size - 1, context)])
    losses = [
        float(reference.loss(parameters, part[:, :-1], part[:, 1:], {**config, "capacity": None})[1])
        for part in np.split(rows, len(rows) // batch)
    ]
    common.moe = dense
    return np.mean(losses), np.array(used).reshape(len(losses), config["layers"], -1).mean(0)


def compare(run, pruned, text, batch):
    report = json.loads((Path(pruned) / "pruning.json").read_text())
    before, after = (load(Path(folder) / "artifact").config["model"] for folder in (run, pruned))
    (mixture,) = report["mixtures"]
    loss_before, utilization = evaluated(weights(run), before, text, int(batch))
    kept = [[made[0]["expert"] for made in layer["made_of"]] for layer in mixture["experts"]]
    assert [layer["place"] for layer in mixture["experts"]] == [[i] for i in range(len(kept))]
    if report["merged"]:
        fewer = means_of_twins(run)
    else:
        fewer = weights(run)
        for path in [path for path in fewer if path.startswith("blocks/moe/")]:
            axis = 1 if path.endswith("router/weight") else 0
            fewer[path] = np.stack([layer.take(of, axis=axis) for layer, of in zip(fewer[path], kept, strict=True)])
    loss_after, _ = evaluated(fewer, after, text, int(batch))
    print(json.dumps({
        "report": report,
        "before": loss_before,
        "after": loss_after,
        "utilization": utilization.tolist(),
        "kept": kept,
        "perToken": after["perToken"],
    }))


def steered(artifact_folder, run):
    """What is not trained is as it is configured, but for the router's bias."""
    folder = Path(artifact_folder)
    artifact = load(folder)
    parameters, config = drawn(artifact), artifact.config["model"]
    for path, value in parameters.items():
        *_, module, name = path.split("/")
        if module == "values" and name != "router":
            value[...] = np.asarray(config.get(name, 1)).reshape(-1, *[1] * (value.ndim - 1))
    write(Path(run), folder, parameters)


def steered_losses(run, pruned, text, batch):
    import xenarcai_i2

    (mixture,) = json.loads((Path(pruned) / "pruning.json").read_text())["mixtures"]
    kept = [[made[0]["expert"] for made in layer["made_of"]] for layer in mixture["experts"]]
    whole, found = weights(run), weights(pruned)
    fewer = dict(whole)
    # The axis of experts, without that of layers.
    axes = {"blocks/moe/router/weight": 1, "blocks/hyper/weights/weight": 2, "blocks/values/router": 0}
    axes |= {f"blocks/moe/{name}/weight": 0 for name in ("gate", "up", "down")}
    for path, axis in axes.items():
        fewer[path] = np.stack([layer.take(of, axis=axis) for layer, of in zip(whole[path], kept, strict=True)])
    assert all(np.array_equal(fewer[path], found[path]) for path in fewer)
    ids = np.frombuffer(Path(text).read_bytes(), np.uint8).astype(np.int32)
    losses = []
    for folder, parameters in ((run, whole), (pruned, fewer)):
        config = load(Path(folder) / "artifact").config["model"]
        size = config["context"]
        rows = np.stack([ids[start : start + size + 1] for start in range(0, ids.size - 1, size)])
        parts = np.split(rows, len(rows) // int(batch))
        losses.append(np.mean([float(xenarcai_i2.loss(parameters, p[:, :-1], p[:, 1:], config)[1]) for p in parts]))
    print(json.dumps(losses))


def same(run, pruned):
    wanted, found = means_of_twins(run), weights(pruned)
    print(max(float(np.abs(found[path] - wanted[path]).max()) for path in wanted))


{f.__name__: f for f in (draw, twins, compare, steered, steered_losses, same)}[sys.argv[1]](*sys.argv[2:])
