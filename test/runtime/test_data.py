"""The promises of the data: what is gathered, each token evaluated once, batches that depend on seed and step alone."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

from xenarc_runtime import data
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
            data.load(path, 0.1, context)
        return caught.exception

    def test_takes_text_in_the_order_of_paths_and_skips_the_rest(self):
        self.write("b.txt", b"bb")
        self.write("a/z.md", "é".encode())
        self.write("a/.hidden", b"no")
        self.write(".git/config", b"no")
        self.write("node_modules/x.js", b"no")
        self.write("image.png", b"\x89PNG\0\0")
        text = data.load(self.folder, 0.0, 4)
        self.assertEqual(text.train.tobytes(), "é\nbb".encode())
        self.assertEqual(text.files, 2)

    def test_splits_the_end_off(self):
        text = data.load(self.write("t", bytes(range(65, 75))), 0.2, 4)
        self.assertEqual((text.train.size, text.validation.tobytes()), (8, b"IJ"))

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


class Batches(unittest.TestCase):
    tokens = np.arange(200, dtype=np.uint8)

    def test_are_windows_that_depend_on_seed_and_step_alone(self):
        make = lambda seed, step: data.train_batch(self.tokens, seed, step, (2, 3, 9))  # noqa: E731
        first = make(1, 5)
        self.assertEqual((first.shape, first.dtype), ((2, 3, 9), np.int32))
        np.testing.assert_array_equal(first, make(1, 5))
        self.assertTrue((np.diff(first, axis=-1) == 1).all())
        self.assertFalse((first == make(1, 6)).all())
        self.assertFalse((first == make(2, 5)).all())

    def test_reach_the_first_and_the_last_token(self):
        seen = np.concatenate([data.train_batch(self.tokens, 0, step, (64, 9)) for step in range(100)])
        self.assertEqual((seen.min(), seen.max()), (0, 199))

    def test_stay_the_same_from_version_to_version(self):
        offsets = data.train_batch(np.arange(50000), 7, 3, (4, 1)).ravel()
        self.assertEqual(offsets.tolist(), [40297, 48522, 14101, 22408])


class Validation(unittest.TestCase):
    def test_has_every_token_as_a_target_once_after_its_own_predecessor(self):
        for size in (2, 5, 9, 10, 40, 41, 100):
            tokens = np.arange(size, dtype=np.uint8)
            targets = []
            for batch in data.validation_batches(tokens, (3, 5)):
                self.assertEqual(batch.shape, (3, 5))
                counted = batch[:, 1:] != data.IGNORED
                self.assertTrue((batch[:, 1:] - batch[:, :-1])[counted].tolist() == [1] * counted.sum())
                targets += batch[:, 1:][counted].tolist()
            self.assertEqual(targets, list(range(1, size)))


if __name__ == "__main__":
    unittest.main()
