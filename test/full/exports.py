"""Exports before those who are to open them: transformers and PEFT compute what xenarc computes.

python exports.py BASE ADAPTED TEXT FOLDER

BASE and ADAPTED are artifacts of one model, without and with adapters, of context 32 and batch 2.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from xenarc_runtime import checkpoint, export, pretrained, train
from xenarc_runtime.program import Entry, load, named

TOKENS = np.random.default_rng(3).integers(0, 128, (2, 32), np.int32)


def trained(folder, run, text, source=None):
    """Trains the artifact in a run's folder."""
    shutil.copytree(folder, run / "artifact")
    train.train(run / "artifact", run, [str(text)], resume=False, overwrite=False, source=source)
    return run


def ours(run):
    """The logits of a run's newest checkpoint."""
    artifact = load(run / "artifact")
    parameters = pretrained.initial(artifact, run, named(artifact.program("forward").inputs, "state"))
    return np.asarray(Entry(artifact, "forward")({**parameters, "tokens": TOKENS})["logits"])


def opened(folder):
    """The model as transformers opens it, in float32, with everything found that it looks for and nothing else."""
    model, found = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not any(found[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), found
    return model.eval()


def theirs(model):
    with torch.no_grad():
        return model(torch.tensor(TOKENS, dtype=torch.long)).logits.numpy()


def main(base, adapted, text, folder):
    folder = Path(folder)
    first = trained(Path(base), folder / "first", Path(text))
    export.export(first, folder / "base", shard_bytes=50_000)
    assert len(list((folder / "base").glob("*.safetensors"))) > 1
    logits = ours(first)
    model = opened(folder / "base")
    np.testing.assert_allclose(theirs(model), logits, rtol=1e-4, atol=1e-4)
    export.export(first, folder / "half", dtype="bf16")
    assert AutoModelForCausalLM.from_pretrained(folder / "half", dtype="auto").dtype == torch.bfloat16

    # Adapters of what transformers has, on what xenarc exported.
    second = trained(Path(adapted), folder / "second", Path(text), folder / "base")
    export.export(second, folder / "adapters", adapters=True)
    export.export(second, folder / "merged")
    logits_with = ours(second)
    assert np.abs(logits_with - logits).max() > 0.1
    np.testing.assert_allclose(theirs(opened(folder / "merged")), logits_with, rtol=1e-3, atol=1e-3)
    with_adapters = PeftModel.from_pretrained(model, folder / "adapters").eval()
    np.testing.assert_allclose(theirs(with_adapters), logits_with, rtol=1e-3, atol=1e-3)
    # All of them, and each once: PEFT warns of what it does not find, and goes on. Of experts transformers has gate and up as one.
    found = {name: part for name, part in with_adapters.named_parameters() if ".lora_" in name}
    assert all(part.abs().max() > 0 for part in found.values())
    expected = pretrained.parameter_ports(load(Path(adapted)))
    layers = {name: port.shape[0] if name.startswith("blocks/") else 1 for name, port in expected.items() if "/lora/" in name}
    fused = [name for name in layers if "/up/" in name and "expert" in expected[name].axes]
    assert len(found) == sum(number for name, number in layers.items() if name not in fused), (sorted(found), layers)
    print("equal")


main(*sys.argv[1:])
