"""Prompts with a key among their first tokens: written, as the tokens that `forward` takes, and how many keys its scores name, in percent.

    recall.py write FILE COUNT LENGTH EARLY SEED
    recall.py tokens FILE TOKENS
    recall.py named FILE SCORES
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

KEYS, FILLERS = "abcdefgh", "01234567"


def write(file: str, count: str, length: str, early: str, seed: str) -> None:
    """JSON Lines for `data.format: completion`: a prompt of so many characters, the last of which asks, and the key that is among the `early` first."""
    draw = np.random.default_rng(int(seed))
    with open(file, "w", encoding="utf-8") as lines:
        for _ in range(int(count)):
            text = draw.choice(list(FILLERS), int(length) - 1)
            text[draw.integers(int(early))] = key = draw.choice(list(KEYS))
            lines.write(json.dumps({"prompt": "".join(text) + "?", "completion": str(key)}) + "\n")


def records(file: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


def tokens(file: str, target: str) -> None:
    save_file({"tokens": np.array([list(r["prompt"].encode()) for r in records(file)], np.int32)}, target)


def named(file: str, scores: str) -> None:
    said = load_file(scores)["logits"][:, -1].argmax(-1)
    print(100 * float(np.mean(said == [ord(r["completion"]) for r in records(file)])))


if __name__ == "__main__":
    {"write": write, "tokens": tokens, "named": named}[sys.argv[1]](*sys.argv[2:])
