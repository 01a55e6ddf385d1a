"""What a run's time went into, and what becomes of bad steps, by clocks and metrics that are given. Run by checkpoint.test.ts."""

import json
import math
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from xenarc_runtime import events, group
from xenarc_runtime.bad_steps import BadSteps, RollBack
from xenarc_runtime.errors import Problem
from xenarc_runtime.goodput import Goodput


class Accounts(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder, self.now = Path(holder.name), 1000.0

    def account(self):
        return Goodput(self.folder, lambda: self.now, began=self.now)

    def take(self, seconds):
        self.now += seconds

    def steps(self, account, first, last, seconds=1.0, **kind):
        for step in range(first, last + 1):
            self.take(seconds)
            account.stepped(step, **kind)

    def kept(self):
        return json.loads((self.folder / "goodput.json").read_text())

    def test_every_second_has_one_cause(self):
        account = self.account()
        self.take(3)
        with account.spent_on("compile"):
            self.take(5)
        self.take(2)
        account.loop_began()
        self.steps(account, 1, 10)
        with account.waiting_for_data(lambda: False):
            self.take(4)
        with account.waiting_for_data(lambda: True):  # the devices were at work meanwhile
            self.take(0.5)
        self.steps(account, 11, 11, seconds=0.5)
        self.steps(account, 12, 12, skipped=True)
        with account.spent_on("evaluation"):
            self.take(7)
        with account.spent_on("checkpoint"):
            self.take(0.25)
        account.write(ended=True)
        wanted = {"startup": 5.0, "compile": 5.0, "steps": 11.0, "data": 4.0, "skipped": 1.0, "evaluation": 7.0}
        wanted |= {"checkpoint": 0.25, "repeated": 0.0, "down": 0.0}
        self.assertEqual(self.kept()["seconds"], wanted)
        self.assertEqual(sum(wanted.values()), self.now - 1000)
        self.assertAlmostEqual(self.kept()["share"], 11 / 33.25)

    def test_it_goes_on_after_a_death_and_after_an_end(self):
        account = self.account()
        account.loop_began()
        self.steps(account, 1, 10)
        account.write(ended=False)
        self.take(60)  # killed, and started a minute later, from step 5
        account = self.account()
        account.loop_began()
        self.steps(account, 6, 12)
        account.write(ended=True)
        self.assertEqual({c: s for c, s in self.kept()["seconds"].items() if s}, {"steps": 12.0, "repeated": 5.0, "down": 60.0})
        self.take(3600)  # nobody wanted it to run
        account = self.account()
        account.loop_began()
        self.steps(account, 13, 14)
        account.write(ended=True)
        self.assertEqual({c: s for c, s in self.kept()["seconds"].items() if s}, {"steps": 14.0, "repeated": 5.0, "down": 60.0})

    def test_a_file_that_is_none_begins_anew(self):
        for text in ("", "{", "[]", '{"seconds": 3}', '{"seconds": {}, "until": null}'):
            (self.folder / "goodput.json").write_text(text)
            self.assertIsNone(self.account().share())

    def test_the_slowest_process_is_named(self):
        account = self.account()
        self.assertIsNone(account.slowest())
        paces = {0: "1.0", 1: "31.5", 2: "2.0"}
        with (
            mock.patch.multiple(group, size=lambda: 3, tell=lambda *_: None, heard=lambda _: paces),
        ):
            self.assertEqual(account.slowest(), {"process": 1, "ms": 31.5, "median_ms": 2.0})


class Bad(unittest.TestCase):
    def setUp(self):
        self.said = []
        patch = mock.patch.object(events, "emit", lambda _, **fields: self.said.append(fields["message"]))
        patch.start()
        self.addCleanup(patch.stop)

    def steps_of(self, counts=None, **settings):
        return BadSteps(SimpleNamespace(config={"train": {"badSteps": settings}}), counts)

    def test_what_is_bad(self):
        steps = self.steps_of(policy="abort")
        self.assertIsNone(steps.reason({"loss": 1.0}))
        self.assertIsNone(steps.reason({"loss": 1.0, "bad_step": 0.0, "bad_reason": 0.0}))
        self.assertIsNone(steps.reason({}))
        self.assertEqual(steps.reason({"loss": math.nan}), "the loss is not finite")
        self.assertEqual(steps.reason({"loss": math.inf}), "the loss is not finite")
        self.assertEqual(steps.reason({"loss": 1.0, "bad_step": 1.0, "bad_reason": 2.0}), "the gradient is not finite")
        for norm in (math.nan, math.inf):
            self.assertEqual(steps.reason({"loss": 1.0, "grad_norm": norm}), "the gradient is not finite")
        self.assertIsNone(steps.reason({"loss": 1.0, "grad_norm": 1e30}))
        with self.assertRaises(Problem) as caught:
            steps.handle(7, {"loss": 1.0, "grad_norm": math.nan}, "the gradient is not finite")
        self.assertEqual(caught.exception.kind, "bad_step")
        self.assertEqual(caught.exception.message, "Step 7 is bad: the gradient is not finite (loss 1, grad_norm nan).")
        with self.assertRaises(Problem) as caught:
            steps.handle(7, {"loss": math.nan}, "the loss is not finite")
        self.assertEqual(caught.exception.kind, "loss_not_finite")
        self.assertEqual(caught.exception.message, "Step 7 is bad: the loss is not finite (loss nan).")

    def test_skipped_ones_are_counted_across_restarts(self):
        values = {"loss": 99.0, "grad_norm": 4.0, "bad_step": 1.0, "bad_reason": 3.0, "skipped": 1.0}
        steps = self.steps_of({"skipped": 10, "rollbacks": 0}, policy="skip")
        steps.handle(5, values, steps.reason(values))
        self.assertEqual(
            self.said,
            [
                "Step 5 is bad: the loss or the gradient's norm is a spike (loss 99, grad_norm 4)."
                " It is left out, the 11th so far."
            ],
        )
        self.assertEqual(steps.counts(), {"skipped": 11, "rollbacks": 0})

    def test_rollbacks_go_behind_the_bad_batch_and_are_limited(self):
        feed = SimpleNamespace(state=lambda: {"next": self.next})
        steps = self.steps_of(policy="rollback", rollbacks=1)
        for self.next in range(1, 9):
            steps.began(self.next, feed)
        values = {"loss": math.nan, "bad_step": 1.0, "bad_reason": 1.0}
        with self.assertRaises(RollBack) as caught:
            steps.handle(7, values, steps.reason(values))
        self.assertEqual(caught.exception.position, {"next": 7})
        steps.rolled_back(caught.exception, 4)
        self.assertEqual(
            self.said[-1],
            "Step 7 is bad: the loss is not finite (loss nan)."
            " Going on from the checkpoint of step 4, behind that batch (rollback 1 of at most 1).",
        )
        with self.assertRaises(Problem) as caught:
            steps.handle(8, values, steps.reason(values))
        self.assertIn("rolled back 1 times already", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
