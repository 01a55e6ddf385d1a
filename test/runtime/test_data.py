"""The promises of the data: what is gathered, each token evaluated once, batches that depend on seed and step alone."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

from xenarc_runtime.data import tokens, windows
from xenarc_runtime.errors import Problem


class Gathering(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def problem(self, path, context=4):
        with self.assertRaises(Problem) as caught:
            tokens.from_text(path, 0.1, context + 1)
        return caught.exception

    def test_takes_text_in_the_order_of_paths_and_skips_the_rest(self):
        self.write("b.txt", b"bb")
        self.write("a/z.md", "é".encode())
        self.write("a/.hidden", b"no")
        self.write(".git/config", b"no")
        self.write("node_modules/x.js", b"no")
        self.write("image.png", b"\x89PNG\0\0")
        text = tokens.from_text(self.folder, 0.0, 5)
        self.assertEqual(text.train.tobytes(), "é\nbb".encode())
        self.assertEqual(text.files, 2)

    def test_splits_the_end_off(self):
        text = tokens.from_text(self.write("t", bytes(range(65, 75))), 0.2, 5)
        self.assertEqual((text.train_tokens, text.validation_tokens), (8, 2))
        self.assertEqual([row["tokens"].tolist() for row in text.validation()], [[73, 74, -1, -1, -1]])

    def test_says_what_is_wrong(self):
        self.assertEqual(self.problem(self.folder / "none").kind, "data_missing")
        self.assertEqual(self.problem(self.folder).kind, "data_empty")
        self.assertEqual(self.problem(self.write("empty", b"")).kind, "data_empty")
        short = self.problem(self.write("short", b"12345"), context=8)
        self.assertEqual(short.kind, "data_short")
        self.assertIn("5 bytes", short.message)
        bad = self.problem(self.write("bad", b"good" * 3000 + b"\xff"))
        self.assertEqual(bad.kind, "data_encoding")
        self.assertIn("bad is not UTF-8: byte 0xff at offset 12,000", bad.message)


class Windows(unittest.TestCase):
    tokens = np.arange(200, dtype=np.uint8)

    def make(self, seed, step):
        return windows.at_random(self.tokens, windows.draws(seed, step, 6).reshape(2, 3), 9)

    def test_depend_on_seed_and_step_alone(self):
        first = self.make(1, 5)
        self.assertEqual((first.shape, first.dtype), ((2, 3, 9), np.int32))
        np.testing.assert_array_equal(first, self.make(1, 5))
        self.assertTrue((np.diff(first, axis=-1) == 1).all())
        self.assertFalse((first == self.make(1, 6)).all())
        self.assertFalse((first == self.make(2, 5)).all())

    def test_reach_the_first_and_the_last_token(self):
        seen = np.concatenate([windows.at_random(self.tokens, windows.draws(0, step, 64), 9) for step in range(100)])
        self.assertEqual((seen.min(), seen.max()), (0, 199))

    def test_stay_the_same_from_version_to_version(self):
        offsets = windows.at_random(np.arange(50000), windows.draws(7, 3, 4), 1).ravel()
        self.assertEqual(offsets.tolist(), [40297, 48522, 14101, 22408])

    def test_in_order_have_every_token_as_a_target_once_after_its_own_predecessor(self):
        for size in (2, 5, 9, 10, 40, 41, 100):
            targets = []
            for row in windows.in_order(np.arange(size, dtype=np.uint8), 5):
                self.assertEqual(row.shape, (5,))
                counted = row[1:] != windows.IGNORED
                self.assertTrue((row[1:] - row[:-1])[counted].tolist() == [1] * counted.sum())
                targets += row[1:][counted].tolist()
            self.assertEqual(targets, list(range(1, size)))


if __name__ == "__main__":
    unittest.main()
