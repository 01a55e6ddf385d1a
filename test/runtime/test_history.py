"""What run.json keeps of a run's starts, and what of a run that repeats it is refused. Run by checkpoint.test.ts."""

import copy
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from xenarc_runtime import events, history
from xenarc_runtime.data.files import File
from xenarc_runtime.data.settings import Settings, SourceSettings
from xenarc_runtime.errors import Problem


class Histories(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(holder.name)
        self.run = Path("runs/a")
        self.run.mkdir(parents=True)

    def source(self, path):
        (found,) = history.sources(Settings((SourceSettings(path),), 0, 0.0))
        return found

    def start(self, step=0, path="corpus", **changed):
        source = self.source(path)
        return {
            "step": step,
            "artifact": "a",
            "versions": {"jax": "1"},
            "devices": {"kind": "cpu", "count": 1},
            "processor": "p",
            "processes": 1,
            "environment": {},
            "data": {"paths": [f"../../{path}"], "sources": [{**source, "path": f"../../{path}"}]},
            **changed,
        }

    def corpus(self, **texts):
        for name, text in {"b": "two", "sub/a": "one", **texts}.items():
            path = Path("corpus", f"{name}.txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def refused(self, start):
        with self.assertRaises(Problem) as caught:
            history.compare(self.run, Path("runs/b"), start)
        return str(caught.exception)

    def test_names_that_are_not_utf8(self):
        name = os.fsdecode(b"caf\xe9.txt")
        self.corpus()
        Path("corpus", name).write_text("three")
        start = self.start()
        history.add(self.run, start)
        (kept,) = json.loads((self.run / "run.json").read_bytes().decode("utf-8"))["starts"]
        self.assertEqual(kept, start)
        self.assertIn(name, [file["name"] for file in kept["data"]["sources"][0]["files"]])
        # They are said, too, and written into the log.
        say = (
            "from pathlib import Path; from xenarc_runtime import events, run_files; events.claim_stdout();"
            f"run_files.keep_log(Path('.')); events.emit('log', level='info', message={ascii(name)})"
        )
        said = subprocess.run([sys.executable, "-c", say], check=True, capture_output=True).stdout
        self.assertEqual(json.loads(said.decode("utf-8"))["message"], name)
        self.assertTrue(Path("log.txt").read_text(encoding="utf-8").endswith("info: caf\\udce9.txt\n"))

    def test_a_start_takes_the_place_of_those_that_left_nothing(self):
        self.corpus()
        for step, kept in [(0, [0]), (0, [0]), (5, [0, 5]), (9, [0, 5, 9]), (5, [0, 5]), (7, [0, 5, 7]), (0, [0])]:
            history.add(self.run, self.start(step, at=len(kept)))
            found = json.loads((self.run / "run.json").read_text())["starts"]
            self.assertEqual([start["step"] for start in found], kept)
            self.assertEqual(found[-1]["at"], len(kept))

    def test_changed_data_are_named(self):
        self.corpus()
        history.add(self.run, self.start())
        history.compare(self.run, Path("runs/b"), self.start())
        self.corpus(b="TWO")
        self.assertIn("corpus/b.txt has other bytes than it had.", self.refused(self.start()))
        self.corpus(b="three", c="new")
        Path("corpus/sub/a.txt").unlink()
        said = self.refused(self.start())
        for what in ("b.txt has 5 bytes, and had 3", "c.txt is new", "sub/a.txt is gone"):
            self.assertIn(f"corpus/{what}", said)

    def test_a_copy_elsewhere_is_the_same(self):
        self.corpus()
        history.add(self.run, self.start(path="corpus/b.txt"))
        Path("copy.txt").write_text("two")
        history.compare(self.run, Path("runs/b"), self.start(path="copy.txt"))
        history.add(self.run, self.start())
        Path("corpus").rename("elsewhere")
        history.compare(self.run, Path("runs/b"), self.start(path="elsewhere"))

    def test_many_files_are_not_listed_and_yet_told_apart(self):
        for number in range(1001):
            self.corpus(**{f"n{number}": str(number)})
        found = self.source("corpus")
        self.assertNotIn("files", found)
        self.assertEqual(found["count"], 1003)
        history.add(self.run, self.start())
        self.corpus(n7="eight")
        self.assertIn("corpus is not what it was: it has 1,003 files of 2,904 bytes, and had 1,003 of 2,900", self.refused(self.start()))

    def test_a_run_of_two_artifacts_is_not_repeated(self):
        self.corpus()
        history.add(self.run, self.start())
        history.add(self.run, self.start(5, artifact="b"))
        self.assertRegex(self.refused(self.start()), "went on at step 5 with another artifact")
        history.add(self.run, self.start(5, processor="q"))
        history.compare(self.run, Path("runs/b"), self.start())
        self.assertRegex(self.refused(self.start(artifact="c")), "The artifact in runs/a is not the one")

    def test_other_weights_are_refused_and_other_circumstances_said(self):
        self.corpus()
        weights = {"path": "../base/checkpoints/5", "sha256": "1"}
        history.add(self.run, self.start(weights=weights))
        self.assertIn("../base/checkpoints/5", self.refused(self.start(weights={**weights, "sha256": "2"})))
        now = self.start(weights=weights, versions={"jax": "2"}, environment={"XLA_FLAGS": "--x"}, processes=2)
        with mock.patch.object(events, "emit") as emit:
            history.compare(self.run, Path("runs/b"), now)
        (call,) = emit.call_args_list
        for what in ("jax is 2, and was 1", "processes is 2, and was 1", "XLA_FLAGS is --x, and was not set"):
            self.assertIn(what, call.kwargs["message"])

    def test_a_damaged_history_is_said_to_be(self):
        self.corpus()
        without_sources = '{"schema": 1, "starts": [{"step": 0, "data": {}}]}'
        texts = {
            "{": "is damaged",
            "[]": "is damaged",
            without_sources: "is damaged",
            '{"schema": 2, "starts": []}': "has schema 2",
        }
        for text, what in texts.items():
            (self.run / "run.json").write_text(text)
            with self.assertRaisesRegex(Problem, what):
                history.add(self.run, self.start(5))
        (self.run / "run.json").unlink()
        self.assertIn("cannot be read", self.refused(self.start()))

    def test_every_sampled_byte_counts(self):
        """A long file by 16 samples of 64 KiB, the ends among them; a text by every byte."""
        size, random_ = 5_000_003, random.Random(1)
        content = bytearray(random_.randbytes(size))
        path = Path("long.bin")

        def prints():
            path.write_bytes(content)
            return File("long.bin").print(), File("long.bin").print(whole=True)

        before = prints()
        self.assertEqual(before[1], hashlib.sha256(f"{size} ".encode() + content).digest())
        for number in range(16):
            changed = (size - 65536) * number // 15 + random_.randrange(65536)
            content[changed] ^= 1
            sampled, whole = prints()
            self.assertTrue(sampled != before[0] and whole != before[1])
            content[changed] ^= 1
        content[100_000] ^= 1
        self.assertEqual(prints()[0], before[0])


if __name__ == "__main__":
    unittest.main()
