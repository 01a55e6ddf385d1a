"""What the tracker writes, read by others: event files by their format, JSON lines, W&B by a module in its place."""

import io
import json
import os
import sys
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
from event_files import read
from PIL import Image

from xenarc_runtime.errors import Problem
from xenarc_runtime.tracking import TensorBoard, Tracker, open_tracker


def artifact(**log):
    return types.SimpleNamespace(config={"log": log, "train": {"steps": 3}})


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.run_folder = Path(holder.name)

    def lines(self, name):
        return [json.loads(line) for line in (self.run_folder / name).read_text().splitlines()]


class EventFiles(Case):
    def series(self):
        return read(self.run_folder / "tensorboard")

    def test_scalars_go_to_every_place_under_one_name(self):
        tracker = open_tracker(artifact(tensorboard=True), self.run_folder, 0)
        tracker.scalars(1, {"loss": 2.5, "router/load": [[0.25, 0.75], [0.5, 0.5]]})
        tracker.measured(1, {"perf/step_ms": 12.0})
        tracker.scalars(2, {"loss": float("nan")})
        tracker.close()
        series = {tag: [(step, v.simple_value) for step, v in values] for tag, values in self.series().items()}
        self.assertEqual(series["loss"][0], (1, 2.5))
        self.assertEqual(series["loss"][1][0], 2)
        self.assertTrue(np.isnan(series["loss"][1][1]))
        self.assertEqual(series["router/load/0/1"], [(1, 0.75)])
        self.assertEqual(series["perf/step_ms"], [(1, 12.0)])
        self.assertEqual(self.lines("metrics.jsonl")[0], {"step": 1, "loss": 2.5, "router/load": [[0.25, 0.75], [0.5, 0.5]]})
        self.assertEqual(self.lines("performance.jsonl"), [{"step": 1, "perf/step_ms": 12.0}])

    def test_a_histogram_keeps_its_buckets(self):
        values = np.random.default_rng(3).normal(size=500)
        counts, edges = np.histogram(values, bins=16, range=(-6, 6))
        tracker = open_tracker(artifact(tensorboard=True), self.run_folder, 0)
        tracker.histogram(4, "activations/blocks", edges, counts)
        tracker.histogram(5, "activations/blocks", edges, np.zeros(16))
        tracker.close()
        ((step, value),) = self.series()["activations/blocks"]
        self.assertEqual((step, value.histo.num), (4, 500))
        # The first bucket ends where the values begin; TensorBoard takes each limit as a right end.
        np.testing.assert_array_equal(value.histo.bucket, [0, *counts[counts.nonzero()[0][0] : counts.nonzero()[0][-1] + 1]])
        for limit, upto in zip(value.histo.bucket_limit, np.cumsum(value.histo.bucket), strict=True):
            self.assertEqual((values < limit).sum(), upto)
        self.assertLess(abs(value.histo.sum / 500 - values.mean()), 0.75 / 2)
        self.assertLess(abs(value.histo.sum_squares / 500 - (values**2).mean()), 0.5)

    def test_pictures_and_texts(self):
        picture = np.linspace(0, 1, 6).reshape(2, 3)
        colours = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
        tracker = open_tracker(artifact(tensorboard=True), self.run_folder, 0)
        tracker.image(1, "attention/0", picture)
        tracker.image(1, "colours", colours)
        tracker.text(1, "samples/0", "# not a heading\nsecond *line*")
        tracker.close()
        series = self.series()
        ((_, grey),) = series["attention/0"]
        decoded = np.asarray(Image.open(io.BytesIO(grey.image.encoded_image_string)).convert("L"))
        np.testing.assert_array_equal(decoded, [[0, 51, 102], [153, 204, 255]])
        ((_, coloured),) = series["colours"]
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(coloured.image.encoded_image_string))), colours)
        ((_, text),) = series["samples/0/text_summary"]
        self.assertEqual(text.metadata.plugin_data.plugin_name, "text")
        self.assertEqual(text.tensor.string_val, [b"    # not a heading\n    second *line*"])

    def test_a_resumed_run_has_every_step_once(self):
        for after, upto in [(0, 7), (4, 9), (6, 12)]:
            tracker = open_tracker(artifact(tensorboard=True), self.run_folder, after)
            for step in range(after + 1, upto + 1):
                tracker.scalars(step, {"loss": step + after / 100})
            tracker.close()
        steps = [step for step, _ in self.series()["loss"]]
        self.assertEqual(steps, list(range(1, 13)))
        self.assertEqual(len(list((self.run_folder / "tensorboard").iterdir())), 3)
        self.assertEqual([line["step"] for line in self.lines("metrics.jsonl")], steps)
        shown = [round(value.simple_value, 2) for _, value in self.series()["loss"]]
        np.testing.assert_allclose(shown, [line["loss"] for line in self.lines("metrics.jsonl")], rtol=1e-6)

    def test_what_was_written_is_there_without_an_end(self):
        sink = TensorBoard(self.run_folder / "tensorboard", 0)
        sink.scalars(1, {"loss": 1.0})
        self.assertEqual(list(self.series()), ["loss"])
        sink.close()

    def test_nothing_where_nothing_is_asked_for(self):
        open_tracker(artifact(tensorboard=False), self.run_folder, 0).scalars(1, {"loss": 1.0})
        Tracker(self.run_folder / "second", writes=False).scalars(1, {"loss": 1.0})
        self.assertEqual({path.name for path in self.run_folder.iterdir()}, {"metrics.jsonl", "performance.jsonl"})


class Wandb(Case):
    def fake(self):
        calls = []
        run = types.SimpleNamespace(
            id="abc",
            log=lambda values, step: calls.append((step, values)),
            finish=lambda: calls.append("finish"),
        )
        made = {
            name: (lambda name: lambda *args, **kwargs: (name, args, kwargs))(name)
            for name in ("Histogram", "Image", "Html")
        }
        def init(**options):
            calls.append(options)
            return run

        return types.SimpleNamespace(init=init, **made), calls

    def test_is_told_the_same(self):
        module, calls = self.fake()
        with mock.patch.dict(sys.modules, wandb=module), mock.patch.dict(os.environ):
            os.environ.pop("WANDB_API_KEY", None)
            os.environ.pop("WANDB_MODE", None)
            tracker = open_tracker(artifact(wandb={"project": "p"}), self.run_folder, 0)
            tracker.scalars(3, {"loss": 1.5, "load": [1, 2]})
            tracker.histogram(3, "h", np.array([0, 1, 2]), np.array([4, 5]))
            tracker.text(3, "t", "a < b")
            tracker.image(3, "i", np.zeros((2, 2), np.uint8))
            tracker.close()
            os.environ["WANDB_API_KEY"] = "0"
            open_tracker(artifact(wandb={"project": "p", "name": "n"}), self.run_folder, 3)
            open_tracker(artifact(wandb={"project": "p", "mode": "offline"}), self.run_folder, 3)
        options, scalars, histogram, text, image, finish, resumed, offline = calls
        self.assertEqual((options["project"], options["mode"], options["id"]), ("p", "offline", None))
        self.assertEqual(options["name"], self.run_folder.name)
        self.assertEqual(options["config"], artifact(wandb={"project": "p"}).config)
        self.assertEqual(scalars, (3, {"loss": 1.5, "load/0": 1.0, "load/1": 2.0}))
        counts, edges = histogram[1]["h"][2]["np_histogram"]
        self.assertEqual((counts.tolist(), edges.tolist()), ([4, 5], [0, 1, 2]))
        self.assertEqual(text[1]["t"], ("Html", ("<pre>a &lt; b</pre>",), {}))
        self.assertEqual(image[1]["i"][1][0].shape, (2, 2, 1))
        self.assertEqual(finish, "finish")
        self.assertEqual((resumed["id"], resumed["mode"], resumed["name"]), ("abc", "online", "n"))
        self.assertEqual(offline["mode"], "offline")

    def test_is_asked_for_and_not_there(self):
        with mock.patch.dict(sys.modules, wandb=None), self.assertRaises(Problem) as caught:
            open_tracker(artifact(wandb={"project": "p"}), self.run_folder, 0)
        self.assertEqual(caught.exception.kind, "wandb")


