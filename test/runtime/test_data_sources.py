"""Sources of every kind, written by their own libraries: what is read, in which order, and going on where one stopped."""

import tempfile
import unittest
from itertools import cycle
from pathlib import Path

import numpy as np
from data_support import LEAD, STREAMS, TABLES, WIDTH, artifact, batch, texts

from xenarc_runtime import data
from xenarc_runtime.errors import Problem


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def feed(self, pipeline, state=None):
        feed = pipeline.feed(state)
        self.addCleanup(feed.close)
        return feed

    def write(self, name, count=50, seed=0):
        found = texts(count, seed)
        return str({**STREAMS, **TABLES}[name](self.folder / name, found)), found


class Reading(Case):
    def test_streams_give_their_documents_one_after_the_other(self):
        for name in STREAMS:
            with self.subTest(name):
                path, found = self.write(name)
                feed = self.feed(data.open(artifact(shuffle=0, path=path)))
                # The same by hand: line feeds between documents, a row begins with the last token of the row before
                # unless that was a document's last.
                expected, stock = [], cycle([text.encode() + b"\n" for text in found])
                rest = b""
                for _ in range(3 * LEAD[0] * LEAD[1]):
                    row = b""
                    while len(row) < WIDTH:
                        rest = rest or next(stock)
                        room = WIDTH - len(row)
                        row, rest = row + rest[:room], rest[room - 1 :] if len(rest) > room else b""
                    expected.append(list(row))
                got = np.concatenate([batch(feed)["tokens"].reshape(-1, WIDTH) for _ in range(3)])
                self.assertEqual(got.tolist(), expected)

    def test_tables_give_every_document_once_an_epoch_in_another_order_each(self):
        for name in TABLES:
            with self.subTest(name):
                path, found = self.write(name, 48)
                made = artifact(("tokens", "segments", "mask"), lead=(1, 1), path=path, packing=True)
                feed = self.feed(data.open(made))
                seen, cut = [], b""
                while len(seen) < 2 * len(found):
                    row = {port: part[0, 0] for port, part in batch(feed).items()}
                    self.assertTrue((row["mask"] == 1).all() and (np.diff(row["segments"]) >= 0).all())
                    pieces = [
                        bytes(row["tokens"][row["segments"] == n].tolist()) for n in range(1, row["segments"][-1] + 1)
                    ]
                    if cut:
                        self.assertEqual(pieces[0][:1], cut[-1:])
                        pieces[0] = cut + pieces[0][1:]
                    cut = b"" if pieces[-1].decode("utf-8", "replace") in found else pieces.pop()
                    seen += [piece.decode() for piece in pieces]
                first, second = seen[: len(found)], seen[len(found) : 2 * len(found)]
                self.assertEqual((sorted(first), sorted(second)), (sorted(found), sorted(found)))
                self.assertNotEqual(first, second)
                self.assertNotEqual(first, found)


class Position(Case):
    SETTINGS = {
        "plain": {},
        "packed": {"packing": True, "ports": ("tokens", "segments", "mask")},
        "filtered, in a small buffer": {"shuffle": 8, "filters": {"length": {"min": 8}, "exclude": "d"}},
        "with validation": {"validation": 0.3, "shuffle": 5},
    }

    def check(self, made, first=7, after=12):
        pipeline = data.open(made)
        whole = self.feed(pipeline)
        for _ in range(first):
            batch(whole)
        state = whole.state()
        expected = [batch(whole) for _ in range(after)]
        resumed = self.feed(data.open(made), state)
        self.assertEqual(resumed.state()["position"], state["position"])
        for want in expected:
            got = batch(resumed)
            for name in want:
                np.testing.assert_array_equal(got[name], want[name])
        self.assertEqual(resumed.state(), whole.state())
        return expected

    def test_going_on_gives_the_same_batches_for_every_kind(self):
        for name in {**STREAMS, **TABLES}:
            path, _ = self.write(name)
            for title, settings in self.SETTINGS.items():
                with self.subTest(f"{name}, {title}"):
                    self.check(artifact(path=path, **settings))


if __name__ == "__main__":
    unittest.main()
