"""Sources of every kind, written by their own libraries: what is read, in which order, and going on where one stopped."""

import csv
import gzip
import io
import json
import socket
import subprocess
import sys
import tempfile
import unittest
from dataclasses import replace
from itertools import cycle, product
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pyarrow as pa
from data_support import LEAD, STREAMS, TABLES, WIDTH, artifact, batch, texts

from xenarc_runtime import data, pieces
from xenarc_runtime.data.batches import Batches
from xenarc_runtime.data.reading import Reader
from xenarc_runtime.data.settings import SourceSettings
from xenarc_runtime.data.source import Share
from xenarc_runtime.errors import Problem
from xenarc_runtime.tokenizer import BYTES


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


class Found(Case):
    """What lies in a folder, and how it is stored."""

    def tokens(self, path, **settings):
        """The first row, read in order."""
        return batch(self.feed(data.open(artifact(shuffle=0, path=str(path), **settings))))["tokens"][0, 0]

    def test_the_type_of_a_record_stands_beside_its_tokens(self):
        types = {"field": "kind", "values": ["prose", "code"]}
        path = self.folder / "typed.jsonl"
        records = [{"text": "aaaa", "kind": "code"}, {"text": "bbb", "kind": "prose"}, {"text": "cc"}]
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        for packing in (False, True):
            made = artifact(("tokens", "segments", "types"), path=str(path), types=types, shuffle=0, packing=packing)
            with self.subTest(packing=packing):
                found = batch(self.feed(data.open(made)))
                both = zip(found["tokens"].ravel().tolist(), found["types"].ravel().tolist(), strict=True)
                seen = {(chr(token), kind) for token, kind in both if token >= ord("a")}
                self.assertEqual(seen, {("a", 1), ("b", 0), ("c", -1)})
        path.write_text('{"text": "aaaa", "kind": "verse"}\n')
        with self.assertRaises(Problem) as caught:
            batch(self.feed(data.open(made)))
        self.assertIn("its `kind` is 'verse', which data.types.values does not list", caught.exception.message)

    def test_the_split_train_of_a_saved_dataset(self):
        """As `datasets` lays it out: a list of the splits, and of each the shards with two files beside them."""
        for shards in (1, 3):
            saved = self.folder / f"{shards}"
            for split in ("test", "train"):
                folder = saved / split
                folder.mkdir(parents=True)
                names = [f"data-{number:05}-of-{shards:05}.arrow" for number in range(shards)]
                (folder / "dataset_info.json").write_text('{"features": {"text": {"dtype": "string", "_type": "Value"}}}')
                (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
                for name in names:
                    TABLES["a.arrow"](folder / name, [f"{split} {name} {number}" for number in range(20)])
            (saved / "dataset_dict.json").write_text('{"splits": ["test", "train"]}')
            self.assertEqual(bytes(self.tokens(saved).tolist())[:5], b"train")
            self.assertEqual(data.open(artifact(path=str(saved))).facts()["records"], 20 * shards)
            self.assertEqual(bytes(self.tokens(saved / "test").tolist())[:4], b"test")

    def test_the_kind_that_most_files_are_of(self):
        def found(*names, **settings):
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            for name in names:
                write = {**STREAMS, **TABLES}.get(f"a.{name.partition('.')[2]}", lambda path, _: path.write_text("plain"))
                write(folder / name, ["one", "two"])
            (source,) = data.open(artifact(path=str(folder), width=3, **settings)).facts()["sources"]
            self.assertEqual(source["path"], str(folder))
            return source["line"].removeprefix(f"{folder}, ")

        others = [f"{number}.txt" for number in range(9)]
        for names, settings, line in (
            (["a.jsonl", "b.jsonl", "README.md", "x.csv"], {}, "2 jsonl files; passed over: README.md, x.csv"),
            (["a.jsonl", "README.md"], {}, "1 jsonl file; passed over: README.md"),
            (["a.json", "b.txt", "c.txt"], {}, "2 text files; passed over: a.json"),
            (["a.json", "b.txt", "c.txt"], {"kind": "text"}, "3 text files"),
            (["a.parquet", "b.json", "c.txt"], {}, "1 parquet file; passed over: b.json, c.txt"),
            (["a.csv", "b.csv"], {}, "2 csv files"),
            (["a.parquet", "state.json", "index.json", "note"], {}, "1 parquet file; passed over: note"),
            (["a.jsonl", *others], {"kind": "jsonl"}, "1 jsonl file; passed over: 0.txt, 1.txt, 2.txt and 6 more"),
        ):
            with self.subTest(line):
                self.assertEqual(found(*names, **settings), line)

    def test_rows_and_lists_that_others_wrote(self):
        """Python's own csv and json: quotes, line feeds and marks within values, tabs, compression."""
        rows = [{"text": 'a "quoted", long\nvalue', "n": 1}, {"text": "é\tb", "n": 2}]
        for name, delimiter in (("a.csv", ","), ("a.tsv", "\t"), ("b.csv.gz", ",")):
            out = io.StringIO(newline="")
            made = csv.DictWriter(out, ["text", "n"], delimiter=delimiter)
            made.writeheader()
            made.writerows(rows)
            content = "\ufeff".encode() + out.getvalue().encode()
            (self.folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
            reader = Reader([SourceSettings(str(self.folder / name))], False, BYTES)
            self.assertEqual([item.value for item in reader.items()], [row["text"] for row in rows])
        for value, expected in ((rows, [row["text"] for row in rows]), (rows[0], [rows[0]["text"]])):
            (self.folder / "a.json").write_text(json.dumps(value, indent=2))
            reader = Reader([SourceSettings(str(self.folder / "a.json"))], False, BYTES)
            self.assertEqual([item.value for item in reader.items()], expected)

    def test_arrow_files_of_the_format_that_is_no_stream(self):
        table = pa.table({"text": texts(50)})
        with pa.OSFile(str(self.folder / "a.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            out.write_table(table, max_chunksize=9)
        path = (self.folder / "a.arrow").rename(self.folder / "told by its content")
        row = self.tokens(path, packing=True, lead=(1, 1))
        self.assertEqual(bytes(row.tolist()), "".join(texts(50)).encode()[:WIDTH])

    def test_a_path_takes_the_place_of_the_one_of_a_mixture_of_one(self):
        path = self.folder / "a.jsonl"
        path.write_text('{"body": "this one", "text": "another"}\n')
        made = artifact(sources=[{"path": "nowhere.jsonl", "field": "body"}], shuffle=0)
        self.assertEqual(bytes(batch(self.feed(data.open(made, [str(path)])))["tokens"][0, 0].tolist())[:8], b"this one")

    def test_a_run_of_tokens_in_hdf5(self):
        ids = np.random.default_rng(3).integers(0, 250, 5000)
        for dtype in (np.uint8, np.int64):
            path = str(self.folder / f"{dtype.__name__}.h5")
            with h5py.File(path, "w") as out:
                out["tokens"] = ids.astype(dtype)
            made = artifact(path=path, validation=0.1)
            pipeline = data.open(made)
            self.assertEqual((pipeline.facts()["train_tokens"], pipeline.facts()["validation_tokens"]), (4500, 500))
            windows = {ids[at : at + WIDTH].tobytes() for at in range(4500 - WIDTH + 1)}
            feed = self.feed(pipeline)
            for row in np.concatenate([batch(feed)["tokens"].reshape(-1, WIDTH) for _ in range(5)]):
                self.assertIn(row.astype(ids.dtype).tobytes(), windows)
            self.assertEqual(feed.state()["position"]["step"], 5)
            held_out = next(pipeline.validation(made.program("eval_step").inputs))["batch/tokens"]
            self.assertEqual(held_out[0].tolist(), ids[4500 : 4500 + WIDTH].tolist())

    def test_all_records_of_held_out_data_are_evaluated(self):
        path = self.folder / "many.jsonl"
        path.write_text("".join(json.dumps({"text": "a" * (2 * WIDTH)}) + "\n" for _ in range(1500)))
        made = artifact(path=str(path), validation=0.5)
        ports = made.program("eval_step").inputs

        def tokens(pipeline):
            return sum(int((batch["batch/tokens"] >= 0).sum()) for batch in pipeline.validation(ports))

        self.assertGreaterEqual(tokens(data.open(made, [str(path)], held_out=True)), 1500 * 2 * WIDTH)
        self.assertLessEqual(tokens(data.open(made)), 1024 * WIDTH)

    def test_the_type_of_token_ids_is_said_beside_them(self):
        ids = np.arange(100)
        for dtype in ("uint8", "uint16", "uint32"):
            path = self.folder / dtype / "a.bin"
            path.parent.mkdir()
            ids.astype(dtype).tofile(path)
            path.with_name("index.json").write_text(json.dumps({"dtype": dtype}))
            row = self.tokens(path)
            self.assertEqual(np.diff(row).tolist(), [1] * (WIDTH - 1))
            reader = Reader([SourceSettings(str(path))], False, BYTES)
            self.assertEqual(np.concatenate([item.value for item in reader.items()]).tolist(), ids.tolist())


class Position(Case):
    SETTINGS = {
        "plain": {},
        "packed, filtered, in a small buffer, with validation": {
            "packing": True,
            "ports": ("tokens", "segments", "mask"),
            "shuffle": 8,
            "filters": {"length": {"min": 8}, "exclude": "d"},
            "validation": 0.3,
        },
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

    def test_going_on_gives_the_same_batches_of_long_texts_in_pieces(self):
        path, found = self.write("text", 4)
        whole = "\n".join(text * 40 for text in found)
        Path(path, "0000.txt").write_text(whole)
        Path(path, "0003.txt.gz").write_bytes(gzip.compress(whole.encode()))
        with mock.patch.object(pieces, "SIZE", 200), mock.patch.object(pieces, "NEAR", 100):
            for packing in (False, True):
                made = artifact(path=path, packing=packing, validation=0.2)
                self.check(made)
                self.assertEqual((data.open(made).sources[0].records or 0) > 10, packing)
        # Without packing they are one text.
        facts = data.open(artifact(path=path, validation=0.2)).facts()
        one = "\n".join([whole, *found[1:], whole]).encode()
        self.assertEqual((facts["files"], facts["train_tokens"] + facts["validation_tokens"]), (5, len(one)))

    def test_going_on_gives_the_same_batches_of_a_mixture(self):
        sources = [
            {"path": self.write(name, 30, seed)[0], "weight": weight}
            for seed, (name, weight) in enumerate([("a.jsonl", 1), ("a.parquet", 2), ("text", 1)])
        ]
        ids = np.arange(1000, dtype="<u2") % 250
        ids.tofile(self.folder / "ids.bin")
        sources.append({"path": str(self.folder / "ids.bin"), "weight": 4})
        made = artifact(("tokens", "segments"), sources=sources, packing=True, shuffle=6)
        found = np.concatenate([made["tokens"].reshape(-1, WIDTH) for made in self.check(made, 4, 200)])
        counting = (np.diff(found, axis=1) % 250 == 1).all(axis=1).mean()
        self.assertAlmostEqual(counting, 0.5, delta=0.05)

    def test_going_on_gives_the_same_batches_with_worker_processes(self):
        path, _ = self.write("a.jsonl")
        table, _ = self.write("a.parquet")
        sources = [{"path": path}, {"path": table}]
        self.check(artifact(sources=sources, workers=2, shuffle=6), 5, 4)

    def test_a_position_of_several_processes_is_gathered(self):
        """Each goes on where it was, from the one position that all of them have."""
        paths = [self.write("a.jsonl")[0], self.write("a.jsonl.gz", seed=1)[0]]
        with socket.create_server(("localhost", 0)) as free:
            coordinator = f"localhost:{free.getsockname()[1]}"
        script = Path(__file__).with_name("gathered_position.py")
        said = [
            subprocess.Popen([sys.executable, script, coordinator, "2", str(rank), *paths], stdout=subprocess.PIPE)
            for rank in range(2)
        ]
        said = [json.loads(child.communicate()[0]) for child in said]
        self.assertEqual(said[0]["state"], said[1]["state"])
        for source in said[0]["state"]["position"]["sources"]:
            self.assertEqual(set(source), {"reader 0 of 2", "reader 1 of 2"})
        for each in said:
            self.assertEqual(each["again"], each["after"])
        self.assertNotEqual(said[0]["before"], said[1]["before"])

    def test_a_table_is_divided_among_rows_whatever_the_processes(self):
        """Batches that other processes make half of are the same."""
        path, _ = self.write("a.parquet")
        pipeline = data.open(artifact(path=path))
        whole = batch(self.feed(pipeline))["tokens"].reshape(-1, WIDTH)
        for part in (np.arange(3), np.arange(3, 6), np.array([1, 4])):
            made = Batches(pipeline.sources, [1.0], 7, Share(part, 6), WIDTH, {"tokens": None})
            _, rows, _ = next(iter(made))
            np.testing.assert_array_equal(rows["tokens"], whole[part])

    def test_a_stream_is_divided_among_readers(self):
        """Every document goes to one of them."""
        path, found = self.write("a.jsonl")
        other, more = self.write("a.jsonl.gz", seed=1)
        for paths, texts_ in (([path], found), ([path, other], found + more)):
            sources = [{"path": each} for each in paths]
            pipeline = data.open(artifact(sources=sources, shuffle=0))
            seen = []
            for reader in range(3):
                for source in pipeline.sources:
                    (documents,) = source.documents(Share(np.arange(6), 6, reader, 3)).values()
                    seen += [bytes(documents.next().ids.tolist()).decode() for _ in range(len(found) // 3)]
            self.assertEqual(len(set(seen)), len(seen))
            self.assertLessEqual(set(seen), {text + "\n" for text in texts_})

    def test_positions_in_data_of_another_shape_are_refused_in_words(self):
        many = self.folder / "many"
        many.mkdir()
        for number in range(4):
            STREAMS["a.jsonl"](many / f"{number}.jsonl", texts(3, number))
        stream, table, text = ([{"path": self.write(name)[0]}] for name in ("a.jsonl", "a.parquet", "text"))
        made = {
            "stream": artifact(sources=stream, shuffle=0),
            "shuffled": artifact(sources=stream),
            "table": artifact(sources=table),
            "larger batch": artifact(sources=table, lead=(2, 8)),
            "text": artifact(sources=text),
            "mixture": artifact(sources=stream + table, shuffle=0),
        }
        states = {}
        for name, each in made.items():
            feed = self.feed(data.open(each))
            batch(feed)
            states[name] = feed.state()
        for before, after in product(made, made):
            with self.subTest(f"{before}, then {after}"):
                pipeline = data.open(made[after])
                if before == after:
                    batch(self.feed(pipeline, states[before]))
                    continue
                with self.assertRaises(Problem) as caught:
                    pipeline.feed(states[before])
                self.assertEqual(caught.exception.kind, "data_position")
                self.assertIn("position in its data is none in these", caught.exception.message)
        # Of fewer files the next epoch begins.
        feed = self.feed(data.open(artifact(path=str(many), shuffle=0, lead=(1, 1))))
        place = {"file": 0}
        while place["file"] < 3 or place["at"] == 0:
            batch(feed)
            state = feed.state()
            position = state["position"]["sources"][0]["reader 0 of 1"]
            place = position[0]["documents"]["parent"]
        position[1] = 0  # a document's beginning
        again = self.feed(data.open(artifact(path=str(many / "0.jsonl"), shuffle=0, lead=(1, 1))), state)
        self.assertEqual(bytes(batch(again)["tokens"][0, 0].tolist())[:5], texts(1, 0)[0].encode()[:5])

    def test_a_run_goes_on_with_the_data_it_was_begun_with(self):
        """Whose position is a record; of windows it is the step, and what differs is said."""
        stream, text = self.write("a.jsonl")[0], self.write("text")[0]
        changes = ["a.jsonl has 5 bytes, and had 6"]
        plain = {"path": stream}
        for before, after, said in (
            (plain, plain, None),
            (plain, {"path": stream, "field": "n"}, f"the field of {stream} is n, and was None"),
            (plain, {"path": stream, "format": "chat"}, "data.format is chat, and was text"),
            (plain, {"path": text}, f"{text} is of the kind text, and was of the kind jsonl"),
            ({"path": text}, plain, f"{stream} is of the kind jsonl, and was of the kind text"),
            (plain, {"sources": [plain, {"path": text}]}, "there are 2 sources, and there were 1"),
        ):
            then = json.loads(json.dumps(data.open(artifact(**before)).identity()))
            pipeline = data.open(artifact(**after))
            with self.subTest(said):
                if said is None:
                    self.assertEqual(pipeline.compare(then, []), [])
                    continue
                with self.assertRaises(Problem) as caught:
                    pipeline.compare(then, changes)
                self.assertEqual(caught.exception.kind, "data_changed")
                self.assertEqual(caught.exception.message, f"The run's position in its data is none in these: {said}.")
        sources = [plain, {"path": text}]
        then = {path: data.open(artifact(path=path)).identity() for path in (stream, text)}
        mixed = data.open(artifact(sources=sources)).identity()
        Path(text, "0000.txt").write_text("another")
        self.assertEqual(data.open(artifact(path=text)).compare(then[text], ["0000.txt"]), ["0000.txt"])
        self.assertEqual(data.open(artifact(path=text)).compare(then[text], []), [f"{text} is not what it was"])
        self.assertEqual(data.open(artifact(sources=sources)).compare(mixed, ["0000.txt"]), ["0000.txt"])
        STREAMS["a.jsonl"](Path(stream), texts(50)[:-1])
        with self.assertRaisesRegex(Problem, "none in these: a.jsonl has 5 bytes, and had 6"):
            data.open(artifact(path=stream)).compare(then[stream], changes)
        Path(stream).rename(self.folder / "b.jsonl")
        then = data.open(artifact(path=str(self.folder / "b.jsonl"))).identity()
        (self.folder / "b.jsonl").rename(stream)
        self.assertEqual(data.open(artifact(path=stream)).compare(then, []), [])

    def test_batches_by_length_hold_every_document_once(self):
        path, found = self.write("a.jsonl", 64)
        made = artifact(("tokens", "mask"), path=path, width=97, buckets=[16, 32], shuffle=0)
        for length, rows in ((16, 8), (32, 4)):
            program = made.programs["train_step"]
            inputs = tuple(replace(port, shape=(1, rows, length + 1)) for port in program.inputs)
            made.programs[f"train_step_{length}"] = replace(program, inputs=inputs)
        feed = self.feed(data.open(made))
        seen, entries = [], set()
        for _ in range(20):
            given = feed.next()
            entries.add(given.entry)
            tokens = given.ports["batch/tokens"]((slice(None),) * 3)
            mask = given.ports["batch/mask"]((slice(None),) * 3)
            self.assertTrue(((tokens >= 0) == (mask == 1)).all())
            shorter = {"train_step": 33, "train_step_32": 17, "train_step_16": 0}[given.entry]
            for row in tokens.reshape(-1, tokens.shape[-1]):
                size = (row >= 0).sum()
                if size:
                    seen.append(bytes(row[:size].tolist()).decode()[:-1])
                    self.assertGreater(size, shorter)
        self.assertEqual(entries, {"train_step", "train_step_16", "train_step_32"})
        self.assertEqual(set(seen), set(found))
        state = feed.state()
        expected = [(given.entry, given.ports["batch/tokens"]((slice(None),) * 3)) for given in (feed.next() for _ in range(9))]
        resumed = self.feed(data.open(made), state)
        for entry, tokens in expected:
            given = resumed.next()
            self.assertEqual(given.entry, entry)
            np.testing.assert_array_equal(given.ports["batch/tokens"]((slice(None),) * 3), tokens)


if __name__ == "__main__":
    unittest.main()
