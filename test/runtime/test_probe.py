"""How what is seen of a model is told, and how anomalies are put into words; arrays written by hand."""

import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np

from xenarc_runtime import anomaly, events, probe


class Told:
    def __init__(self):
        self.said = []

    def scalars(self, step, values):
        self.said.append(("scalars", step, values))

    def histogram(self, step, name, edges, counts):
        self.said.append(("histogram", step, name, edges.tolist(), counts.tolist()))

    def image(self, step, name, array):
        self.said.append(("image", step, name, array.shape))


class Probes(unittest.TestCase):
    def test_layers_have_names_of_their_own(self):
        told = Told()
        seen = {
            "edges": np.array([-1.0, 1.0, 2.0]),
            "activations/blocks/mlp/histogram": np.array([[3, 1], [2, 2]]),
            "activations/blocks/mlp/rms": np.array([0.5, 0.25]),
            "gradients/head/weight/histogram": np.array([4, 0]),
            "attention/blocks/attention": np.ones((2, 1, 3, 3)),
        }
        probe.track(7, seen, told)
        self.assertEqual(
            told.said,
            [
                ("histogram", 7, "activations/blocks/mlp/0", [-1, 1, 2], [3, 1]),
                ("histogram", 7, "activations/blocks/mlp/1", [-1, 1, 2], [2, 2]),
                ("histogram", 7, "gradients/head/weight", [-1, 1, 2], [4, 0]),
                ("image", 7, "attention/blocks/attention/0", (3, 3)),
                ("image", 7, "attention/blocks/attention/1", (3, 3)),
                ("scalars", 7, {"activations/blocks/mlp/rms": [0.5, 0.25]}),
            ],
        )

    def test_heads_stand_side_by_side(self):
        heads = np.array([[[1.0, 0.0], [0.25, 0.75]], [[1.0, 0.0], [0.5, 0.5]], [[0.0, 0.0], [0.2, 0.8]]])
        picture = probe.tiled(heads)
        self.assertEqual(
            picture.tolist(),
            [
                [1, 0, 0.5, 1, 0],
                [1 / 3, 1, 0.5, 1, 1],
                [0.5] * 5,
                [0, 0, 0.5, 0, 0],
                [0.25, 1, 0.5, 0, 0],
            ],
        )


class Anomalies(unittest.TestCase):
    TABLE = {
        "checks": [
            {"input": "params/w"},
            {
                "operation": "divide",
                "module": "blocks",
                "backward": True,
                "at": [0],
                "loops": [{"axis": "layers", "length": 4, "reverse": True}, {}],
            },
        ],
        "lines": [{"path": "model.ts", "line": 2, "column": 5, "frame": "  1 | a\n> 2 | b"}],
    }

    def test_the_watchdog_waits_for_the_compiler(self):
        done = []
        watch = SimpleNamespace(rest=lambda: done.append("rest"), beat=done.append)
        program = SimpleNamespace(inputs=(), checks=self.TABLE)
        artifact = SimpleNamespace(programs={"anomaly_step": program}, program=lambda _: program)
        none = {"anomaly": np.full((2, 3), -1)}

        def compiled(*_):
            done.append("compiles")
            return lambda _: none

        with tempfile.TemporaryDirectory() as folder, mock.patch.object(anomaly, "Entry", compiled), mock.patch.object(events, "emit"):
            anomalies = anomaly.Anomalies(artifact, Path(folder), watch)
            for step in (1, 2):
                anomalies.look(step, {}, {"loss": np.float32("nan")})
        self.assertEqual(done, ["rest", "compiles", "anomaly_step was compiled"])

    def test_what_was_found_is_said_with_its_place(self):
        nan, inf = anomaly.explain(self.TABLE, np.array([[0, -1, -1], [1, 1, 6]]))
        self.assertEqual(nan["message"], "`params/w` had a NaN before the step.")
        self.assertEqual(
            inf["message"],
            "the first infinity was made by `divide`: a division by 0, or a number beyond the element type.\n"
            "  in blocks, layers 2 (of 4, from 0), iteration 6 (from 0) of a loop, in the backward pass\n"
            "  model.ts:2:5\n    1 | a\n  > 2 | b",
        )
        self.assertEqual(anomaly.explain(self.TABLE, np.full((2, 3), -1)), [])


if __name__ == "__main__":
    unittest.main()
