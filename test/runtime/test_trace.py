"""What is told of a token, against SciPy's entropy and numpy's order; programs are stood in for by arrays drawn at random."""

import base64
import unittest
from unittest import mock

import numpy as np
from scipy.special import softmax
from scipy.stats import entropy

from xenarc_runtime import events, trace
from xenarc_runtime.errors import Problem
from xenarc_runtime.tokenizer import BYTES

LAYERS, HEADS, CONTEXT, LENGTH, FIRST = 2, 3, 20, 15, 4


class Tokens(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(0)
        rows = softmax(random.normal(size=(LAYERS, HEADS, 1, CONTEXT)) * 3, axis=-1)
        rows[..., LENGTH:] = 0
        self.rows = (rows / rows.sum(-1, keepdims=True)).astype(np.float32)
        self.sight = {
            "probabilities": softmax(random.normal(size=256) * 2).astype(np.float32),
            "following": random.uniform(size=CONTEXT).astype(np.float32),
            "activations/blocks/mlp/rms": np.array([0.5, np.nan], np.float32),
            "activations/head/rms": np.array(3, np.float32),
            "attention/blocks/attention": self.rows,
        }
        self.said = []
        events.listen(lambda name, fields: self.said.append((name, fields)))
        self.addCleanup(events.listen, None)
        with mock.patch.object(trace, "Entry", lambda artifact, name: lambda arrays: self.sight):
            self.trace = trace.Trace(None, BYTES, 4)
        self.trace.begin(list(b"0123" + b"a prompt of 15!"))

    def run_once(self, chosen):
        with mock.patch.object(events, "_output", mock.Mock()):
            outputs = self.trace.run("prefill", lambda arrays: {"next_token": np.array([chosen])}, {}, FIRST, LENGTH)
            self.trace.tell("x")
        self.assertEqual(outputs["next_token"].tolist(), [chosen])
        return self.said[-1][1]

    def test_chances(self):
        p = self.sight["probabilities"].astype(np.float64)
        order = np.argsort(-p)
        told = self.run_once(int(order[6]))
        self.assertEqual((told["position"], told["first"], told["rank"], told["text"]), (FIRST + LENGTH, FIRST, 7, "x"))
        self.assertAlmostEqual(told["probability"], p[order[6]], places=6)
        self.assertAlmostEqual(told["entropy"], entropy(p), places=5)
        self.assertEqual([top["id"] for top in told["top"]], order[:4].tolist())
        np.testing.assert_allclose([top["probability"] for top in told["top"]], p[order[:4]], rtol=1e-5)
        self.assertEqual(told["activations"]["head"], {"rms": [3]})

    def test_the_prompt_is_told_once_and_what_is_not_known_is_none(self):
        self.run_once(97)
        self.run_once(98)
        (prompt,) = [fields["tokens"] for name, fields in self.said if name == "prompt"]
        self.assertEqual("".join(token["text"] for token in prompt), "0123a prompt of 15!")
        self.assertEqual([token["probability"] for token in prompt[: FIRST + 1]], [None] * (FIRST + 1))
        known = [token["probability"] for token in prompt[FIRST + 1 :]]
        np.testing.assert_allclose(known, self.sight["following"][: LENGTH - 1], rtol=1e-5)

    def test_attention(self):
        told = self.run_once(97)["attention"]["blocks/attention"]
        rows = self.rows[:, :, 0, :LENGTH]
        for layer in range(LAYERS):
            for head in range(HEADS):
                one = told["layers"][layer][head]
                self.assertAlmostEqual(one["entropy"], entropy(rows[layer, head].astype(np.float64)), places=5)
                strongest = np.argsort(-rows[layer, head])[: trace.KEYS]
                self.assertEqual([key for key, _ in one["keys"]], (FIRST + strongest).tolist())
                np.testing.assert_allclose([p for _, p in one["keys"]], rows[layer, head, strongest], rtol=1e-5)
        picture = np.frombuffer(base64.b64decode(told["rows"]), np.uint8).reshape(rows.shape)
        np.testing.assert_allclose(picture / 255, np.sqrt(rows), atol=0.5 / 255 + 1e-6)

    def test_bytes_that_are_no_character_are_told_by_their_numbers(self):
        self.sight["probabilities"] = np.eye(256, dtype=np.float32)[0xC3]
        self.assertEqual(self.run_once(97)["top"][0]["text"], "<0xC3>")

    def test_top_is_at_least_one(self):
        with self.assertRaisesRegex(Problem, "--top must be 1 or more"):
            trace.Trace(None, BYTES, 0)


if __name__ == "__main__":
    unittest.main()
