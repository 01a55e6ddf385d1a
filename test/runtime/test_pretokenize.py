"""The promises of data read once, ahead of training: what is written, that it goes on after any end, what is counted."""

import gzip
import json
import math
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
from array_record.python.array_record_module import ArrayRecordReader

from xenarc_runtime import events, pieces, tokenizer
from xenarc_runtime.data import pretokenize, shards, statistics
from xenarc_runtime.data.reading import Reader
from xenarc_runtime.data.settings import SourceSettings
from xenarc_runtime.errors import Problem

QWEN_FILE = str(Path(__file__).parent.parent / "fixtures" / "tokenizers" / "qwen-style" / "tokenizer.json")
QWEN = tokenizer.read(QWEN_FILE)
WORDS = "to be or not that is the question whether tis nobler in mind é 🙂".split()
# tf.train.Example {features {feature {key: "input_ids" value {int64_list {value: [1, 300]}}}}}, written by hand.
EXAMPLE = b"\x0a\x16\x0a\x14\x0a\x09input_ids\x12\x07\x1a\x05\x0a\x03\x01\xac\x02"


def texts(count, seed=3):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randrange(1, 30))) for _ in range(count)]


class InFolder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.said = []
        patched = mock.patch.object(events, "emit", lambda event, **fields: self.said.append((event, fields)))
        patched.start()
        self.addCleanup(patched.stop)

    def lines(self, name, values):
        path = self.folder / name
        data = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return SourceSettings(str(path))

    def work(self, *sources, out="out", form="bin", shard_tokens=400, made=QWEN, skip_bad=False):
        return pretokenize.Work(sources, made, "qwen", self.folder / out, form, shard_tokens, skip_bad)

    def run_work(self, *sources, **options):
        pretokenize.pretokenize(self.work(*sources, **options))
        event, fields = self.said[-1]
        self.assertEqual(event, "tokenized")
        return fields

    def problem(self, action):
        with self.assertRaises(Problem) as caught:
            action()
        return f"{caught.exception.message} {caught.exception.hint}"


class Written(InFolder):
    def setUp(self):
        super().setUp()
        self.texts = texts(150)
        first = self.lines("a.jsonl", [{"text": text, "id": 1} for text in self.texts[:70]])
        second = self.lines("b.jsonl.gz", [{"text": text, "id": 1} for text in self.texts[70:]])
        self.sources = (first, second)
        self.ids = [[*QWEN.encode(text).tolist(), QWEN.eos] for text in self.texts]

    def index(self, out):
        return json.loads((self.folder / out / "index.json").read_text())

    def test_bin(self):
        told = self.run_work(*self.sources)
        index = self.index("out")
        self.assertEqual((told["tokens"], told["documents"], told["dtype"]), (sum(map(len, self.ids)), 150, "uint16"))
        self.assertEqual(index["tokens"], told["tokens"])
        self.assertGreater(len(index["shards"]), 3)
        found = [np.fromfile(self.folder / "out" / shard["file"], "<u2") for shard in index["shards"]]
        self.assertEqual(np.concatenate(found).tolist(), sum(self.ids, []))
        self.assertEqual([part.size for part in found], [shard["tokens"] for shard in index["shards"]])
        self.assertTrue(all(part.size >= 400 for part in found[:-1]))
        self.assertEqual(len(list((self.folder / "out").iterdir())), len(index["shards"]) + 1)

    def test_hdf5(self):
        told = self.run_work(*self.sources, form="hdf5")
        found = []
        for shard in self.index("out")["shards"]:
            with h5py.File(self.folder / "out" / shard["file"]) as file:
                found += [row.tolist() for row in file["input_ids"]]
                self.assertEqual(h5py.check_vlen_dtype(file["input_ids"].dtype), np.uint16)
        self.assertEqual((found, told["documents"]), (self.ids, 150))

    def test_every_format_is_read_again(self):
        for form in ("tfrecord", "hdf5", "arrayrecord"):
            self.run_work(*self.sources, form=form, out=form)
            again = Reader([SourceSettings(str(self.folder / form))], False, QWEN)
            self.assertEqual([item.value.tolist() for item in again.items()], self.ids)
        self.run_work(*self.sources, form="bin", out="bin")
        again = Reader([SourceSettings(str(self.folder / "bin"))], False, QWEN)
        self.assertEqual(np.concatenate([item.value for item in again.items()]).tolist(), sum(self.ids, []))

    def test_examples_are_those_of_tensorflow(self):
        folder = self.folder
        for form in ("tfrecord", "arrayrecord"):
            shard = shards.Shard(folder, 0, form, np.dtype(np.uint16))
            shard.add(np.array([1, 300], np.uint16))
            shard.finish()
        data = (folder / "tokens-00000.tfrecord").read_bytes()
        self.assertEqual(struct.unpack("<Q", data[:8]), (len(EXAMPLE),))
        self.assertEqual(data[12:-4], EXAMPLE)
        reader = ArrayRecordReader(str(folder / "tokens-00000.array_record"))
        self.assertEqual(reader.read_all(), [EXAMPLE])

    def test_wide_ids_have_32_bits(self):
        made = tokenizer.Bytes()
        made.vocab_size = 70_000
        self.assertEqual(self.run_work(*self.sources, made=made)["dtype"], "uint32")

    def test_what_is_there_already_is_not_done_again(self):
        self.run_work(*self.sources)
        before = {file.name: file.stat().st_mtime_ns for file in (self.folder / "out").iterdir()}
        self.run_work(*self.sources)
        self.assertEqual(before, {file.name: file.stat().st_mtime_ns for file in (self.folder / "out").iterdir()})
        said = self.problem(lambda: self.run_work(*self.sources, form="hdf5"))
        self.assertIn("holds other data, as `format` in its index.json says", said)
        self.assertIn("as `sources` in", self.problem(lambda: self.run_work(self.sources[0])))
        self.assertIn("is not empty", self.problem(lambda: self.run_work(*self.sources, out=".")))

    def test_what_wrote_nothing_is_begun_anew(self):
        self.lines("bad.jsonl", [7])
        self.problem(lambda: self.run_work(SourceSettings(str(self.folder / "bad.jsonl"))))
        self.assertTrue((self.folder / "out" / "index.json").is_file())
        self.run_work(*self.sources)
        self.assertTrue(json.loads((self.folder / "out" / "index.json").read_text())["complete"])


class Ended(InFolder):
    """However the work ends, it goes on, and what is written in the end is the same."""

    def setUp(self):
        super().setUp()
        table = self.folder / "texts"
        table.mkdir()
        for number, text in enumerate(texts(12, seed=5)):
            (table / f"{number:02}.txt").write_text(text)
        lines = self.lines("a.jsonl", [{"text": text} for text in texts(60)])
        self.sources = (lines, SourceSettings(str(table)))
        self.run_work(*self.sources, out="whole", shard_tokens=1000)
        self.whole = self.contents("whole")
        self.assertGreater(len(self.whole), 2)

    def contents(self, out):
        return {file.name: file.read_bytes() for file in (self.folder / out).iterdir()}

    def test_at_every_write(self):
        class Death(BaseException):
            pass

        ended = 0
        for at in range(1, 100):
            out = f"ended-{at}"
            count = 0

            def dying(call):
                def counted(*arguments):
                    nonlocal count
                    count += 1
                    if count == at:
                        raise Death
                    return call(*arguments)

                return counted

            # A kill leaves no time to clean up.
            patches = [
                mock.patch.object(os, "fsync", dying(os.fsync)),
                mock.patch.object(Path, "rename", dying(Path.rename)),
                mock.patch.object(shards.Shard, "drop"),
            ]
            try:
                for patch in patches:
                    patch.start()
                self.run_work(*self.sources, out=out, shard_tokens=1000)
                break
            except Death:
                ended += 1
            finally:
                for patch in reversed(patches):
                    patch.stop()
            self.run_work(*self.sources, out=out, shard_tokens=1000)
            self.assertEqual(self.contents(out), self.whole)
        self.assertGreater(ended, 10)

    def test_by_a_kill(self):
        source = self.lines("big.jsonl", [{"text": text * 20} for text in texts(600)])
        self.run_work(source, out="all", shard_tokens=5000)
        command = [sys.executable, "-m", "xenarc_runtime", "tokenize", source.path, "--tokenizer", QWEN_FILE]
        command += ["--tokenizer-name", "qwen", "--shard-tokens", "5000", "--workers", "2", "--out"]
        child = subprocess.Popen([*command, str(self.folder / "killed")], stdout=subprocess.DEVNULL)
        while not (self.folder / "killed" / "tokens-00003.bin").exists() and child.poll() is None:
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.assertFalse(json.loads((self.folder / "killed" / "index.json").read_text())["complete"])
        self.run_work(source, out="killed", shard_tokens=5000)
        self.assertEqual(self.contents("killed"), self.contents("all"))


class LongText(InFolder):
    """A text file is read in pieces; what is written is as if it were not. An empty one is no document."""

    def setUp(self):
        super().setUp()
        draw = random.Random(4)
        folder = self.folder / "texts"
        folder.mkdir()
        self.texts = ["\n".join(" ".join(draw.choices(WORDS, k=12)) for _ in range(count)) for count in (60, 0, 2, 90)]
        for number, text in enumerate(self.texts):
            (folder / f"{number}.txt").write_text(text, encoding="utf-8")
        (folder / "4.txt.gz").write_bytes(gzip.compress(self.texts[0].encode()))
        self.texts.append(self.texts[0])
        self.source = SourceSettings(str(folder))
        self.documents = [[*QWEN.encode(text).tolist(), QWEN.eos] for text in self.texts if text]
        for name, size in (("SIZE", 900), ("NEAR", 400)):
            patched = mock.patch.object(pieces, name, size)
            patched.start()
            self.addCleanup(patched.stop)

    def contents(self, out):
        files = sorted((self.folder / out).glob("*.bin"))
        return np.concatenate([np.fromfile(file, "<u2") for file in files]).tolist()

    def test_is_written_whole(self):
        read = list(Reader([self.source], False, QWEN).items())
        self.assertGreater(len(read), 10)
        self.assertTrue(all(len(item.value.encode()) <= 900 for item in read[:-1]))
        told = self.run_work(self.source, shard_tokens=10**9)
        self.assertEqual((told["shards"], told["documents"]), (1, 4))
        self.assertEqual(self.contents("out"), sum(self.documents, []))

    def test_ends_a_shard_in_its_midst_and_goes_on_there(self):
        with mock.patch.object(pretokenize, "_BATCH_RECORDS", 1), mock.patch.object(shards.Shard, "drop"):
            with mock.patch.object(shards.os, "fsync", side_effect=[None] * 7 + [KeyboardInterrupt]):
                with self.assertRaises(KeyboardInterrupt):
                    self.run_work(self.source, shard_tokens=300)
            self.assertEqual(len(json.loads((self.folder / "out" / "index.json").read_text())["shards"]), 3)
            told = self.run_work(self.source, shard_tokens=300)
        self.assertEqual((told["documents"], told["tokens"]), (4, sum(map(len, self.documents))))
        self.assertGreater(told["shards"], 6)
        self.assertEqual(self.contents("out"), sum(self.documents, []))

    def test_is_one_record_of_the_statistics(self):
        statistics.statistics(Reader([self.source], False, QWEN), QWEN, "qwen")
        (found,) = self.said[-1][1]["sources"]
        sizes = [len(ids) - 1 for ids in self.documents]
        self.assertEqual((found["records"], found["tokens"], found["longest"]), (4, sum(sizes), max(sizes)))
        self.assertEqual(found["bytes"], sum(len(text.encode()) for text in self.texts))

    def test_that_is_no_text_is_said_with_its_place(self):
        (self.folder / "bad.txt").write_bytes(b"good line\n" * 300 + b"\xff")
        said = self.problem(lambda: self.run_work(SourceSettings(str(self.folder / "bad.txt")), out="bad"))
        self.assertRegex(said, r"bad\.txt, record \d+: it is not UTF-8 \(byte 3,000: ")


class Refused(InFolder):
    def test_what_is_no_text(self):
        talk = self.lines("talk.jsonl", [{"messages": [{"role": "user", "content": "x"}]}])
        said = self.problem(lambda: self.run_work(talk))
        self.assertRegex(said, r"talk\.jsonl, line 1: which of its fields is the text\? It has: messages.*--skip-bad")
        self.run_work(self.lines("a.jsonl", [{"text": "x"}]), out="ids")
        ids = SourceSettings(str(self.folder / "ids"))
        self.assertIn("token ids already", self.problem(lambda: self.run_work(ids, out="again")))
        nothing = self.lines("none.jsonl", [])
        self.assertIn("no record", self.problem(lambda: self.run_work(nothing, out="none")))

    def test_empty_files(self):
        """They are no documents, and alone no data."""
        for name in ("empty.txt", "empty.jsonl", "empty.bin"):
            (self.folder / name).write_bytes(b"")
            nothing = SourceSettings(str(self.folder / name))
            if name != "empty.bin":
                self.assertIn("no record", self.problem(lambda: self.run_work(nothing, out=name.replace(".", "-"))))  # noqa: B023
            count = lambda: statistics.statistics(Reader([nothing], False, QWEN), QWEN, "x")  # noqa: B023, E731
            self.assertIn("no record", self.problem(count))
        (self.folder / "full.txt").write_text("full")
        both = SourceSettings(str(self.folder / "*.txt"))
        self.assertEqual(self.run_work(both, out="both")["documents"], 1)
        statistics.statistics(Reader([both], False, QWEN), QWEN, "x")
        self.assertEqual(self.said[-1][1]["sources"][0]["records"], 1)

    def test_or_left_out_and_counted(self):
        (self.folder / "bad.jsonl").write_text('{"text": "one"}\nnot json\n{"text": "two"}\n')
        bad = SourceSettings(str(self.folder / "bad.jsonl"))
        self.assertRegex(self.problem(lambda: self.run_work(bad)), r"bad\.jsonl, line 2: it is not JSON")
        told = self.run_work(bad, out="rest", skip_bad=True)
        self.assertEqual((told["documents"], told["bad"]), (2, 1))

    def test_what_cannot_be_tokenized_is_that_records(self):
        (self.folder / "half.jsonl").write_text('{"text": "one"}\n{"text": "\\ud83d"}\n{"text": "two"}\n')
        half = SourceSettings(str(self.folder / "half.jsonl"))
        for number, made in enumerate((QWEN, tokenizer.BYTES)):
            stats = lambda skips: statistics.statistics(Reader([half], skips, made), made, "x")  # noqa: B023, E731
            for action in (lambda: self.run_work(half, made=made, out=f"half-{number}"), lambda: stats(False)):  # noqa: B023
                said = self.problem(action)
                self.assertRegex(said, r"half\.jsonl, line 2: The text cannot be tokenized: it is not Unicode.*--skip-bad")
            told = self.run_work(half, out=f"rest-{number}", made=made, skip_bad=True)
            self.assertEqual((told["documents"], told["bad"]), (2, 1))
            found = np.fromfile(self.folder / f"rest-{number}" / "tokens-00000.bin", "<u2").tolist()
            self.assertEqual(found, sum(([*made.encode(text), *made.ending()] for text in ("one", "two")), []))
            stats(True)
            (source,) = self.said[-1][1]["sources"]
            self.assertEqual((source["records"], source["bad"]), (2, 1))

        command = [sys.executable, "-m", "xenarc_runtime", "characters", "--source", json.dumps({"path": half.path})]
        command += ["--out", str(self.folder / "tokenizer.json")]
        said = json.loads(subprocess.run(command, capture_output=True).stdout)
        self.assertRegex(said["message"], r"half\.jsonl, line 2: The text cannot be tokenized: it is not Unicode")
        subprocess.run([*command, "--skip-bad"], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(tokenizer.read(str(self.folder / "tokenizer.json")).vocab_size, len(set("\nonetwo")))

    def test_files_of_ids_that_are_none(self):
        (self.folder / "odd.bin").write_bytes(bytes(1001))
        pa.parquet.write_table(pa.table({"ids": [[1, 2], [3, -3]]}), self.folder / "a.parquet")
        for name, expected in {
            "odd.bin": r"odd\.bin cannot be read: its 1,001 bytes are not a whole number of uint16 tokens",
            "a.parquet": r"a\.parquet has the token id -3, and the tokenizer bytes has 256 ids",
        }.items():
            reader = Reader([SourceSettings(str(self.folder / name))], False, tokenizer.BYTES)
            said = self.problem(lambda: statistics.statistics(reader, tokenizer.BYTES, "bytes"))  # noqa: B023
            self.assertRegex(said, expected)


class Counted(InFolder):
    def entropies(self, documents, vocabulary):
        single, pairs, firsts = Counter(), Counter(), Counter()
        for ids in documents:
            single.update(ids)
            pairs.update(zip(ids, ids[1:], strict=False))
            firsts.update(ids[:-1])
        of = lambda counts: -sum(n / counts.total() * math.log(n / counts.total()) for n in counts.values())  # noqa: E731
        return of(single), of(pairs) - of(firsts)

    def test_entropies_are_those_of_counts(self):
        draw = random.Random(9)
        for vocabulary in (50, 5000):
            documents = [[min(int(draw.expovariate(0.05)), vocabulary - 1) for _ in range(draw.randrange(60))] for _ in range(90)]
            with mock.patch.object(statistics, "_AT_ONCE", 500):
                entropy = statistics.Entropy(vocabulary)
                for ids in documents:
                    entropy.add(np.array(ids, np.uint16))
                found = entropy.result()
            unigram, bigram = self.entropies(documents, vocabulary)
            self.assertAlmostEqual(found["unigram"], unigram, 12)
            self.assertAlmostEqual(found["bigram"], bigram, 12)
            self.assertEqual(found["used"], len({token for ids in documents for token in ids}))
        alternating = statistics.Entropy(4)
        alternating.add(np.array([1, 2] * 50))
        self.assertAlmostEqual(alternating.result()["unigram"], math.log(2), 12)
        self.assertAlmostEqual(alternating.result()["bigram"], 0, 12)
        self.assertIsNone(statistics.Entropy(4).result()["bigram"])

    def test_lengths_and_duplicates(self):
        words = [f"word{number}" for number in range(100)]
        near = [*words[:50], "other", *words[51:]]
        values = [" ".join(words), " ".join(words), " ".join(near), "short", "", "short"]
        source = self.lines("d.jsonl", [{"text": text} for text in values])
        statistics.statistics(Reader([source], False, tokenizer.BYTES), tokenizer.BYTES, "bytes")
        event, found = self.said[-1]
        self.assertEqual(event, "statistics")
        self.assertEqual(found["duplicates"], {"records": 6, "exact": 2, "near": 1, "compared": 4})
        (of_source,) = found["sources"]
        sizes = sorted(map(len, values))
        self.assertEqual((of_source["records"], of_source["tokens"], of_source["bytes"]), (6, sum(sizes), sum(sizes)))
        self.assertEqual((of_source["shortest"], of_source["longest"], of_source["kind"]), (0, sizes[-1], "jsonl"))
        self.assertEqual(
            found["lengths"],
            [
                {"from": 0, "to": 0, "records": 1},
                {"from": 4, "to": 7, "records": 2},
                {"from": 512, "to": 1023, "records": 3},
            ],
        )

    def test_a_run_of_ids_in_hdf5_is_counted_as_in_bin(self):
        ids = np.random.default_rng(2).integers(0, 256, 1000).astype(np.uint16)
        ids.tofile(self.folder / "ids.bin")
        with h5py.File(self.folder / "ids.h5", "w") as file:
            file["input_ids"] = ids
        counted = []
        for name in ("ids.bin", "ids.h5"):
            source = SourceSettings(str(self.folder / name), dtype="uint16" if name.endswith("bin") else None)
            statistics.statistics(Reader([source], False, tokenizer.BYTES), tokenizer.BYTES, "bytes")
            counted.append({key: self.said[-1][1][key] for key in ("lengths", "used", "unigram", "bigram")})
        self.assertEqual(*counted)
        self.assertEqual(counted[1]["lengths"], [{"from": 512, "to": 1023, "records": 1}])
        self.assertEqual(counted[1]["used"], len(set(ids.tolist())))

    def test_ids_of_another_tokenizer_are_refused(self):
        self.run_work(self.lines("a.jsonl", [{"text": "To be, or not to be"}]), form="hdf5")
        reader = Reader([SourceSettings(str(self.folder / "out"))], False, tokenizer.BYTES)
        said = self.problem(lambda: statistics.statistics(reader, tokenizer.BYTES, "bytes"))
        self.assertRegex(said, r"out has the token id \d+, and the tokenizer bytes has 256 ids.*--tokenizer")

    def test_conversations_count_what_is_said(self):
        source = self.lines("c.jsonl", [{"messages": [{"role": "user", "content": "ab"}]}, {"prompt": "c", "completion": "d"}])
        reader = Reader([source], False, tokenizer.BYTES, conversations=True)
        statistics.statistics(reader, tokenizer.BYTES, "bytes")
        self.assertEqual(self.said[-1][1]["sources"][0]["tokens"], 2 + 3)


if __name__ == "__main__":
    unittest.main()
