"""The promises of the data: what is gathered, each token evaluated once, batches that depend on seed and step alone."""

import gzip
import hashlib
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

import numpy as np
import zstandard
from data_support import artifact, batch

from xenarc_runtime import data
from xenarc_runtime.data import windows
from xenarc_runtime.data.runs import ArrayRun
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
            data.open(artifact(width=context + 1, validation=0.1), [str(path)])
        return caught.exception

    def test_takes_text_in_the_order_of_paths_and_skips_the_rest(self):
        self.write("a.txt", b"bb")
        self.write("a/z.md", "é".encode())
        self.write("a/.hidden", b"no")
        self.write(".git/config", b"no")
        self.write("node_modules/x.js", b"no")
        self.write("image.png", b"\x89PNG\0\0")
        pipeline = data.open(artifact(width=5), [str(self.folder)])
        with closing(pipeline.feed()) as feed:
            self.assertEqual(bytes(batch(feed)["tokens"][0, 0].tolist()), "é\nbb".encode())
        self.assertEqual((pipeline.facts()["files"], pipeline.facts()["train_tokens"]), (2, 5))
        self.assertEqual(pipeline.sources[0].fingerprint, hashlib.sha256("é\nbb".encode()).hexdigest())

    def test_takes_what_a_glob_names_and_what_is_compressed(self):
        self.write("a.txt", b"plain")
        self.write("b.txt.gz", gzip.compress(b"of gzip"))
        self.write("c.txt.zst", zstandard.compress(b"of zstd"))
        self.write("d.npy.gz", gzip.compress(b"\x93NUMPY\0"))
        self.write("other", b"another")
        for path, texts in {
            f"{self.folder}/*.txt*": [b"plain", b"of gzip", b"of zstd"],
            f"file://{self.folder}/*.txt*": [b"plain", b"of gzip", b"of zstd"],
            f"{self.folder}/b.txt.gz": [b"of gzip"],
            f"{self.folder}": [b"plain", b"of gzip", b"of zstd", b"another"],
        }.items():
            with self.subTest(path):
                pipeline = data.open(artifact(width=3), [path])
                self.assertEqual(pipeline.facts()["files"], len(texts))
                self.assertEqual(pipeline.sources[0].fingerprint, hashlib.sha256(b"\n".join(texts)).hexdigest())

    def test_the_mark_that_files_begin_with_is_no_text(self):
        mark = "\ufeff".encode()
        self.write("a.txt", mark + b"one\xef\xbb\xbf")
        self.write("b.txt.gz", gzip.compress(mark + b"two"))
        expected = [b"one" + mark, b"two"]
        pipeline = data.open(artifact(width=3), [str(self.folder)])
        self.assertEqual(pipeline.sources[0].fingerprint, hashlib.sha256(b"\n".join(expected)).hexdigest())
        (source,) = data.open(artifact(width=3, packing=True, shuffle=0), [str(self.folder)]).sources
        self.assertEqual([record.payload.encode() for record in source.in_order(False)], expected)

    def test_splits_the_end_off(self):
        made = artifact(width=5, validation=0.2)
        pipeline = data.open(made, [str(self.write("t", bytes(range(65, 75))))])
        facts = pipeline.facts()
        self.assertEqual((facts["train_tokens"], facts["validation_tokens"], facts["unit"]), (8, 2, "bytes of text"))
        (found,) = pipeline.validation(made.program("eval_step").inputs)
        nothing = [-1] * 5
        self.assertEqual(found["batch/tokens"].tolist(), [[73, 74, -1, -1, -1], nothing, nothing])

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
        bad = self.problem(self.write("bad.gz", gzip.compress("é".encode() * (1 << 20) + b"\xc3")))
        self.assertIn("bad.gz is not UTF-8: byte 0xc3 at offset 2,097,152", bad.message)
        marked = self.problem(self.write("marked", "\ufeffgood".encode() + b"\xff"))
        self.assertIn("marked is not UTF-8: byte 0xff at offset 7", marked.message)
        self.assertIn("iconv -f latin1 -t utf-8", marked.hint)
        self.assertIn("iconv -f utf-16 -t utf-8", self.problem(self.write("wide", "good".encode("utf-16"))).hint)
        cut = self.problem(self.write("cut.gz", gzip.compress(bytes(range(97, 123)) * 99)[:-20]))
        self.assertEqual(cut.kind, "data_file")
        self.assertRegex(cut.message, r"cut\.gz cannot be read: .*[Tt]runcated")
        self.write("images/image.png", b"\x89PNG\0\0")
        self.assertIn("There is no text in", self.problem(self.folder / "images").message)


class Windows(unittest.TestCase):
    tokens = ArrayRun(np.arange(200, dtype=np.uint8))

    def make(self, seed, step):
        return self.tokens.read(windows.at_random(200, windows.draws(seed, step, 6), 9), 9).astype(np.int32)

    def test_depend_on_seed_and_step_alone(self):
        first = self.make(1, 5)
        self.assertEqual((first.shape, first.dtype), ((6, 9), np.int32))
        np.testing.assert_array_equal(first, self.make(1, 5))
        self.assertTrue((np.diff(first, axis=-1) == 1).all())
        self.assertFalse((first == self.make(1, 6)).all())
        self.assertFalse((first == self.make(2, 5)).all())

    def test_reach_the_first_and_the_last_token(self):
        seen = np.concatenate([windows.at_random(200, windows.draws(0, step, 64), 9) for step in range(100)])
        seen = self.tokens.read(seen, 9)
        self.assertEqual((seen.min(), seen.max()), (0, 199))

    def test_stay_the_same_from_version_to_version(self):
        offsets = windows.at_random(50000, windows.draws(7, 3, 4), 1)
        self.assertEqual(offsets.tolist(), [40297, 48522, 14101, 22408])

    def test_in_order_have_every_token_as_a_target_once_after_its_own_predecessor(self):
        for size in (2, 5, 9, 10, 40, 41, 100):
            targets = []
            for start, row in windows.in_order(ArrayRun(np.arange(size)), 0, 5):
                self.assertEqual(row[0], start)
                self.assertTrue((np.diff(row) == 1).all())
                targets += row[1:].tolist()
            self.assertEqual(targets, list(range(1, size)))


if __name__ == "__main__":
    unittest.main()
