"""What a log line says, on a run worked out by hand: a clock that is set by the test, two devices of known speed."""

import io
import json
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from xenarc_runtime import words
from xenarc_runtime.bad_steps import BadSteps
from xenarc_runtime.errors import Problem
from xenarc_runtime.goodput import Goodput
from xenarc_runtime.meter import Meter
from xenarc_runtime.speed import Resources, Work, rates
from xenarc_runtime.tracking import Tracker

SETTINGS = SimpleNamespace(steps=12, log_every=4, evaluation=SimpleNamespace(every=6))
# 8 rows of 125 tokens; 6e9 operations for all of them; two devices that do at most 10e9 in a second.
WORK = Work(tokens=1000, flops=6e9, devices=2, peak=10e9)


class Speed(unittest.TestCase):
    def test_rates(self):
        # 4 steps in 8 s: 2 s a step; 1000 tokens / 2 s / 2 devices; 6e9 / 2 s / 2 devices = 1.5e9, of 10e9.
        self.assertEqual(
            rates(WORK, 4, 8.0, 1.0),
            {
                "perf/step_seconds": 2.0,
                "perf/tokens_per_second_per_device": 250.0,
                "perf/data_wait": 0.125,
                "perf/tflops_per_second_per_device": 0.0015,
                "perf/mfu": 0.15,
            },
        )

    def test_what_is_not_known_is_left_out(self):
        self.assertEqual(rates(WORK, 0, 0.0, 0.0), {})
        unknown = rates(Work(1000, None, 1, 10e9), 1, 1.0, 0.0)
        self.assertEqual(set(unknown), {"perf/step_seconds", "perf/tokens_per_second_per_device", "perf/data_wait"})
        self.assertNotIn("perf/mfu", rates(Work(1000, 1e9, 1, None), 1, 1.0, 0.0))

    def test_resources_are_of_this_process(self):
        held = np.ones(64 << 20, np.uint8)
        found = Resources().read()
        self.assertGreater(found["memory/host_bytes"], held.nbytes)
        self.assertLess(found["memory/host_bytes"], 8 << 30)
        self.assertTrue(0 <= found["host/cpu"] <= 1)


class Metering(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.now = 100.0
        self.tracker = Tracker(self.folder)
        bad_steps = BadSteps(SimpleNamespace(config={"train": {}}))
        resources = SimpleNamespace(read=lambda: {"memory/host_bytes": 3.21e9, "host/cpu": 0.5})
        self.goodput = Goodput(self.folder, lambda: self.now, began=self.now)
        self.goodput.loop_began()
        self.meter = Meter(SETTINGS, WORK, self.tracker, self.goodput, bad_steps, resources, lambda: self.now)

    def lines(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def steps(self, last, seconds, waits=0.0):
        """Runs steps that take so long each; some of the time the loop waits for data."""
        output = io.StringIO()
        with redirect_stdout(output):
            for step in range(1, last + 1):
                with self.goodput.waiting_for_data(busy=lambda: False):
                    self.now += waits
                self.now += seconds - waits
                self.meter.add(step, {"loss": np.float32(4 / step), "grad_norm": np.float32(0.5), "learning_rate": np.float32(1e-3)})
                self.meter.flush()
                if step == 6:
                    with self.goodput.spent_on("evaluation"):
                        self.now += 50
                    self.meter.evaluated(step, 2.0, 100)
        return [json.loads(line) for line in output.getvalue().splitlines()]

    def test_a_run_is_logged_as_it_went(self):
        events = self.steps(12, seconds=2.0, waits=0.25)
        self.assertEqual([line["step"] for line in self.lines("metrics.jsonl")], [1, 4, 6, 8, 12])
        self.assertEqual(self.lines("metrics.jsonl")[1], {"step": 4, "loss": 1.0, "grad_norm": 0.5, "learning_rate": np.float32(1e-3)})
        self.assertEqual(self.lines("metrics.jsonl")[2], {"step": 6, "validation_loss": 2.0})
        measured = {line["step"]: line for line in self.lines("performance.jsonl")}
        # Nobody knows when the first step began. The evaluation's 50 s are none of a step's.
        self.assertNotIn("perf/mfu", measured[1])
        for step in (4, 8, 12):
            self.assertAlmostEqual(measured[step]["perf/step_seconds"], 2.0)
            self.assertAlmostEqual(measured[step]["perf/mfu"], 0.15)
            self.assertAlmostEqual(measured[step]["perf/data_wait"], 0.125)
        # Of 12 steps of 2 s, of each of which 0.25 s were waited for, and 50 s of evaluation.
        self.assertAlmostEqual(measured[12]["perf/goodput"], 12 * 1.75 / (24 + 50))
        said = {event["step"]: event["line"] for event in events if "line" in event}
        self.assertEqual(
            said[8],
            "step  8/12  loss 0.5000  grad_norm 0.5  lr 0.001  250 tokens/s/device  0.0015 TFLOP/s/device  MFU 15.0%"
            # 4 steps of 2 s, and the evaluation at the end
            "  host 3.21 GB  data wait 12.5%  58 s left",
        )
        self.assertTrue(said[12].startswith("step 12/12  loss 0.3333  "))
        self.assertNotIn("left", said[12])

    def test_the_bar_hears_of_steps_between_lines(self):
        events = self.steps(5, seconds=0.6)
        self.assertEqual([(event["step"], "line" in event) for event in events], [(1, True), (2, False), (3, False), (4, True), (5, False)])
        self.assertEqual(events[-1]["tokens_per_second"], 1667)

    def test_a_loss_that_is_not_finite_ends_the_run_and_is_logged(self):
        with redirect_stdout(io.StringIO()):
            self.meter.add(3, {"loss": np.float32("nan")})
            with self.assertRaises(Problem):
                self.meter.flush()
        self.assertEqual((self.folder / "metrics.jsonl").read_text(), '{"step": 3, "loss": null}\n')
        self.assertTrue(np.isnan(Tracker(self.folder, after=3).metrics.last("loss")))


class Words(unittest.TestCase):
    def test_numbers_as_people_read_them(self):
        self.assertEqual([words.size(n) for n in (12, 1000, 198_000, 3.21e9, 80e9, 999_999_999)],
                         ["12 B", "1.00 kB", "198 kB", "3.21 GB", "80.0 GB", "1.00 GB"])  # fmt: skip
        self.assertEqual([words.duration(s) for s in (0.04, 9.96, 59.6, 3599, 4000, 190_000)],
                         ["0.0 s", "10 s", "1 min 0 s", "59 min 59 s", "1 h 6 min", "2 d 4 h"])  # fmt: skip


