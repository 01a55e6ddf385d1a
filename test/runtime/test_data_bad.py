"""Bad data: named with file and record, or skipped and counted. Damage at random does nothing worse."""

import gzip
import io
import json
import resource
import signal
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import zstandard
from data_support import STREAMS, TABLES, artifact, batch, texts, write_jsonl, write_tfrecord

from xenarc_runtime import data, evaluation, tokenizer
from xenarc_runtime.errors import Problem


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def read(self, path, batches=3, **settings):
        """Some batches; what was left out."""
        feed = data.open(artifact(path=str(path), **settings)).feed()
        try:
            for _ in range(batches):
                batch(feed)
            return dict(feed.dropped)
        finally:
            feed.close()

    def problem(self, path, batches=40, **settings):
        with self.assertRaises(Problem) as caught:
            self.read(path, batches, **settings)
        return caught.exception


class Said(Case):
    def lines(self, *lines):
        path = self.folder / "a.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    def test_records_are_named_and_skipped(self):
        good = [json.dumps({"text": "fine " * 9}).encode()] * 8
        for line, expected in (
            (b'{"text": "cut', "it is not JSON"),
            (b'{"text": 5}', "it is 5, where a text or a list of token ids is expected"),
            (b'{"body": 1}', "which of its fields is the text? It has: body"),
            (b'{"text": "\xff"}', "it is not UTF-8"),
            (b'{"input_ids": [1, 300]}', "the token id 300 is beyond the vocabulary of 256"),
            (b'{"input_ids": [1, -3]}', "the token id -3 is beyond"),
            (b'{"text": "a"}'.decode().encode("utf-16"), "it is not UTF-8"),
            (b'{"input_ids": [1.5]}', "token ids are expected"),
            (b'{"input_ids": [[1], [2, 3]]}', ""),
            (b'{"text": "\\ud83d"}', "The text cannot be tokenized: it is not Unicode"),
            (b"[" * 100000, "it is not JSON"),
        ):
            with self.subTest(line[:30]):
                path = self.lines(*good[:4], b" ", line, *good[4:])
                said = self.problem(path)
                self.assertEqual(said.kind, "data_record")
                self.assertTrue(said.message.startswith(f"{path}, line 6: {expected}"), said.message)
                self.assertGreater(self.read(path, 4, onBadRecord="skip", shuffle=0)["bad"], 0)

    def test_a_field_that_is_not_there(self):
        path = self.lines(b'{"text": "a"}')
        said = self.problem(path, field="body")
        self.assertIn("line 1: it has no field `body`; it has: text", said.message)
        self.assertIn("Name one that it has with `field`.", said.hint)

    def test_a_format_that_is_not_said(self):
        talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        for record, hint in (
            ({"messages": talk}, "with data.format: chat."),
            ({"prompt": "a", "completion": "b"}, "with data.format: completion."),
            ({"one": "a", "two": "b"}, "Name it with `field`."),
        ):
            self.assertIn(hint, self.problem(self.lines(json.dumps(record).encode())).hint)

    def test_conversations_without_an_answer(self):
        path = self.lines(b'{"prompt": "a"}')
        said = self.problem(path, format="completion").message
        self.assertIn(f"{path}, line 1: ", said)
        self.assertIn("completion", said)

    def test_texts_that_the_tokenizer_does_not_know(self):
        path = self.lines(b'{"text": "abc"}', b'{"text": "abd"}')
        made = {"tokenizer": "characters", "files": {"tokenizer.json": tokenizer.characters(["abc\n"]).encode()}}
        said = self.problem(path, shuffle=0, **made)
        self.assertTrue(said.message.startswith(f"{path}, line 2: The character 'd' (U+0064"), said.message)
        self.assertIn("knows every text. All such records are left out and counted with data.onBadRecord: skip", said.hint)
        self.assertGreater(self.read(path, shuffle=0, onBadRecord="skip", **made)["bad"], 0)

    def test_conversations_that_the_template_refuses(self):
        talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        path = self.lines(*(json.dumps({"messages": messages}).encode() for messages in (talk, talk[1:] + talk)))
        form = "{% for m in messages %}{{ m.role[0] ~ m.content }}{% endfor %}{% if add_generation_prompt %}a{% endif %}"
        for template, expected in {
            "{% if messages[0].role != 'user' %}{{ raise_exception('roles must alternate') }}{% endif %}": "refuses the conversation: roles must",
            "{% for m in messages[:1] %}{{ m.content + 1 if m.role != 'user' }}{% endfor %}": "fails on the conversation",
            "{{ range(10 ** 7) if messages[0].role != 'user' }}": "calls a function with a very large number",
            "{{ 'long' if messages | length > 2 }}": "Mark answers in the template",
        }.items():
            with self.subTest(template):
                made = {"format": "chat", "files": {"chat_template.jinja": (template + form).encode()}, "shuffle": 0}
                said = self.problem(path, **made)
                self.assertEqual(said.kind, "data_record")
                self.assertTrue(said.message.startswith(f"{path}, line 2: "), said.message)
                self.assertIn(expected, f"{said.message} {said.hint}")
                self.assertGreater(self.read(path, onBadRecord="skip", **made)["bad"], 0)
        made = {"format": "chat", "files": {"chat_template.jinja": b"{% if %}"}}
        self.assertEqual(self.problem(path, onBadRecord="skip", **made).kind, "chat_template")

    def test_messages_without_content(self):
        made = {"format": "chat", "files": {"chat_template.jinja": b"{% for m in messages %}{{ m.content }}{% endfor %}"}}
        for message, is_bad in (({}, True), ({"content": None}, True), ({"content": ""}, False)):
            talk = [{"role": "user", **message}, {"role": "assistant", "content": "b"}]
            path = self.lines(json.dumps({"messages": talk}).encode())
            if not is_bad:
                self.read(path, **made)
                continue
            self.assertIn(f"{path}, line 1: Message 1 has no content.", self.problem(path, **made).message)

    def test_answers_without_an_end(self):
        path = str(self.lines(b'{"prompt": "a", "completion": "b", "text": "c"}'))
        self.assertRegex("".join(data.open(artifact(path=path, format="completion")).warnings()), "no end token")
        self.assertEqual(data.open(artifact(path=path)).warnings(), [])

    def test_settings_that_are_about_records(self):
        text = self.folder / "chats.txt"
        text.write_text(json.dumps([{"prompt": "a", "completion": "b" * 99}]))
        ids = self.folder / "ids.bin"
        np.arange(99, dtype="<u2").tofile(ids)
        for path, what in ((text, "one text"), (ids, "one run of tokens")):
            said = self.problem(path, format="completion")
            self.assertIn(f"{path} is {what}, and data.format=completion is about records", said.message)
            self.assertIn("kind: jsonl", said.hint)
            for name, value in {"exclude": "a", "duplicates": "exact", "length": {"min": 3}}.items():
                said = self.problem(path, filters={name: value, "similarity": 0.8})
                self.assertIn(f"{what}, and data.filters.{name} is about records", said.message)
            self.read(path, filters={"similarity": 0.8})
        self.assertIn("data.buckets is about records", self.problem(ids, buckets=[8]).message)
        said = self.problem(text, packing=True, format="completion")
        self.assertRegex(said.message, "record 1: it is '.*where data.format=completion expects an object")
        lines = self.lines(b'{"prompt": "a", "completion": "b", "tokens": 2}')
        self.assertEqual(self.read(lines, format="completion"), {})

    def test_validation_data_of_which_nothing_counts(self):
        long, short = ({"prompt": "a" * length, "completion": "b"} for length in (90, 3))
        for records, batches, counts in (
            ([short, long], None, False),
            ([short, long, short], None, True),
            ([short, *[long] * 3, short], 1, False),
            ([short, *[long] * 3, short], 2, True),
        ):
            with self.subTest(records=len(records), batches=batches):
                table = pa.table({name: [record[name] for record in records] for name in ("prompt", "completion")})
                pa.parquet.write_table(table, self.folder / "a.parquet")
                path = str(self.folder / "a.parquet")
                made = artifact(("tokens", "mask"), path=path, format="completion", validation=1 - 1 / len(records))
                with mock.patch.object(evaluation, "Entry"):
                    if counts:
                        self.assertIsNotNone(evaluation.evaluator_of(made, data.open(made), batches))
                        continue
                    with self.assertRaises(Problem) as caught:
                        evaluation.evaluator_of(made, data.open(made), batches)
                self.assertEqual(caught.exception.kind, "data_missing")
                self.assertIn("counts: where answers alone are learnt, none is within the model's context", caught.exception.message)

    def test_conversations_whose_answers_are_beyond_the_context(self):
        """Rows of 17: a prompt of 16 bytes leaves one for the answer, one of 17 none."""
        ports = ("tokens", "mask")
        for length, teaches in ((16, True), (17, False)):
            records = [{"prompt": "a" * size, "completion": "b" * 9} for size in (length, 3, length, 3)]
            path = self.lines(*(json.dumps(record).encode() for record in records))
            table = self.folder / "a.parquet"
            pa.parquet.write_table(pa.table({name: [r[name] for r in records] for name in records[0]}), table)
            for source in (path, table):
                for packing in (False, True):
                    with self.subTest(length=length, source=source.name, packing=packing):
                        made = {"format": "completion", "ports": ports, "packing": packing, "lead": (1, 1)}
                        feed = data.open(artifact(path=str(source), **made)).feed()
                        rows = [batch(feed) for _ in range(6)]
                        feed.close()
                        self.assertTrue(all(row["mask"].any() for row in rows))
                        self.assertEqual(set(feed.dropped), set() if teaches else {"with no answer within the context"})
        path = self.lines(*[json.dumps({"prompt": "a" * 90, "completion": "b"}).encode()] * 4)
        pa.parquet.write_table(pa.table({"prompt": ["a" * 90] * 4, "completion": ["b"] * 4}), table)
        for source in (path, table):
            said = self.problem(source, format="completion", ports=ports)
            self.assertRegex(said.message, r"No record of .* is left to train on \(.*with no answer within the context\)")
            self.assertIn("longer context", said.hint)
            # Without masks all of it is learnt.
            self.assertEqual(self.read(source, format="completion"), {})

    def test_files_that_are_compressed_and_read_at_any_place(self):
        np.full(100, 0x8B1F, "<u2").tofile(self.folder / "a.bin")
        self.read(self.folder / "a.bin", vocabulary=1 << 16)
        for name in ("a.bin", "a.parquet", "a.h5", "a.array_record", "a.arrow"):
            path = self.folder / name
            if name in TABLES:
                TABLES[name](path, texts(9))
            for end, compress in ((".gz", gzip.compress), (".zst", zstandard.compress)):
                packed = self.folder / f"{name}{end}"
                packed.write_bytes(compress(path.read_bytes()))
                self.assertIn(f"{packed} is compressed, and files of the kind", self.problem(packed).message)
                self.assertIn("Decompress it", self.problem(packed).hint)

    def test_files(self):
        found = texts(30)
        whole = gzip.compress(write_jsonl(self.folder / "w.jsonl", texts(9000)).read_bytes())
        cut = self.folder / "cut.jsonl.gz"
        cut.write_bytes(whole[: len(whole) // 2])
        said = self.problem(cut, 3000, shuffle=0, width=65)
        self.assertRegex(said.message, r"cut\.jsonl\.gz, line [\d,]+: .*[Tt]runcated")
        self.assertEqual(self.read(cut, 450, onBadRecord="skip", shuffle=0, width=65)["bad"], 1)

        damaged = write_tfrecord(self.folder / "a.tfrecord", found)
        content = bytearray(damaged.read_bytes())
        content[40] ^= 1
        damaged.write_bytes(content)
        self.assertIn("record 1: its checksum does not agree", self.problem(damaged, shuffle=0).message)
        content[0] ^= 1
        damaged.write_bytes(content)
        self.assertIn("the checksum of a record's length", self.problem(damaged, shuffle=0).message)

        odd = self.folder / "odd.bin"
        odd.write_bytes(bytes(1001))
        self.assertIn("odd.bin cannot be read: its 1,001 bytes are not a whole number", self.problem(odd).message)
        np.full(500, 999, "<u2").tofile(odd)
        # Somewhere: before training. In one place: where it is met, and told where that is.
        with self.assertRaisesRegex(Problem, "odd.bin, token 1: the id 999 is beyond the vocabulary of 256"):
            data.open(artifact(path=str(odd)))
        for number in range(2):
            ids = np.zeros(5000, "<u2")
            ids[100 if number else 101] = 999 * number
            ids.tofile(self.folder / f"some-{number}.bin")
        said = self.problem(self.folder / "some-*.bin", 5000)
        self.assertIn("some-1.bin, token 101: the id 999 is beyond the vocabulary of 256.", said.message)

        empty = self.folder / "empty.jsonl"
        empty.write_bytes(b"")
        self.assertIn("There is no record to train on in", self.problem(empty).message)
        (self.folder / "wrong.parquet").write_text("no")
        self.assertIn("wrong.parquet cannot be read", self.problem(self.folder / "wrong.parquet").message)
        self.assertIn("There is no file or folder", self.problem(self.folder / "*.none").message)

    def test_files_of_json_and_of_csv(self):
        for name, content, expected in (
            ("a.json", b'{"text": "a"}\n{"text": "b"}\n', "a.json cannot be read: it has a JSON value a line, as files of the kind jsonl do"),
            ("a.json", b'[{"text": "a"}', "a.json cannot be read: it is not JSON"),
            ("a.json", b'{"data": [1]}', "a.json, record 1: which of its fields is the text? It has: data"),
            ("a.json", b'[{"text": "a"}, 5]', "a.json, record 2: it is 5, where"),
            ("a.csv", b"n,text\n1,a\n2,b,c\n", "a.csv, record 2: it has 3 values, and the first row names 2"),
            ("a.csv", b'text\n"a\n', "a.csv cannot be read: Error: unexpected end of data"),
            ("a.csv", b"text\n", "There is no record to train on"),
            ("a.csv", b"one,two\na,b\n", "a.csv, record 1: which of its fields is the text? It has: one, two"),
        ):
            with self.subTest(content):
                (self.folder / name).write_bytes(content)
                self.assertIn(expected, self.problem(self.folder / name, shuffle=0).message)

    def test_archives_that_lead_elsewhere(self):
        for name, kind in (("../out.txt", tarfile.REGTYPE), ("/etc/x.txt", tarfile.REGTYPE), ("a.txt", tarfile.SYMTYPE)):
            path = self.folder / "a.tar"
            with tarfile.open(path, "w") as archive:
                info = tarfile.TarInfo(name)
                info.type, info.size, info.linkname = kind, 2 * (kind == tarfile.REGTYPE), "/etc/passwd"
                archive.addfile(info, io.BytesIO(b"ab"))
            self.assertIn("record 1: its member", self.problem(path).message)

    def test_mixtures(self):
        with self.assertRaisesRegex(Problem, "The mixture is empty"):
            data.open(artifact(sources=[{"path": "a", "weight": 0}]))
        path = self.lines(b'{"text": "short"}')
        said = self.problem(path, filters={"length": {"min": 100}})
        self.assertIn(" is left to train on (", said.message)
        self.assertIn("length", said.message)
        self.assertIn("no regular expression", self.problem(path, filters={"match": "("}).message)

    def test_remote(self):
        import fsspec

        with fsspec.filesystem("memory").open("/bucket/a.jsonl", "w") as out:
            out.write('{"text": "far away"}\n' * 9)
        self.assertEqual(self.read("memory://bucket/*.jsonl"), {})
        self.assertEqual(self.read(f"file://{self.lines(b'{}', b'[1]')}", onBadRecord="skip", shuffle=0)["bad"], 1)
        self.assertRegex(self.problem("gs://bucket/a.jsonl").hint, "Install gcsfs")
        self.assertRegex(self.problem("nowhere://a").message, "nowhere")


class Filtered(Case):
    def test_filters_keep_and_count(self):
        found = ["letters only here", "1234567890 12", "letters and secret", "letters", "a" * 300]
        path = self.folder / "a.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in found))
        filters = {"alphabet": {"share": 0.6}, "exclude": "secret", "length": {"min": 9, "max": 200}, "match": "e|a"}
        feed = data.open(artifact(path=str(path), shuffle=0, lead=(1, 1), filters=filters)).feed()
        self.addCleanup(feed.close)
        self.assertEqual(bytes(batch(feed)["tokens"].ravel().tolist()), b"letters only here")
        for _ in range(20):
            batch(feed)
        self.assertEqual(feed.dropped, {"alphabet": 1, "exclude": 1, "length": 2})

    def test_each_record_is_counted_once(self):
        """However often the data are read, and where a run went on."""
        for name in ("a.jsonl", "a.parquet"):
            path = {**STREAMS, **TABLES}[name](self.folder / name, texts(40))
            expected = {"exclude": sum("d" in text for text in texts(40))}
            for settings in ({}, {"packing": True, "shuffle": 0}):
                made = artifact(path=str(path), filters={"exclude": "d"}, **settings)
                feed = data.open(made).feed()
                for _ in range(40):
                    batch(feed)
                state = feed.state()
                feed.close()
                feed = data.open(made).feed(state)
                for _ in range(40):
                    batch(feed)
                feed.close()
                with self.subTest(name, **settings):
                    self.assertEqual(feed.dropped, expected)

    def test_duplicates(self):
        same = "the quick brown fox jumps over the lazy dog and runs away into the dark green forest at night"
        near = same.replace("quick", "fast")
        other = "an altogether different sentence about ships that sail on the northern sea in winter and in spring"
        path = self.folder / "a.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in [same, other, same, near, other + "."]))
        for how, expected in (("exact", {(0, 2)}), ("near", {(0, 2), (0, 3), (0, 4)})):
            filters = {"duplicates": how, "similarity": 0.6}
            (source,) = data.open(artifact(path=str(path), filters=filters)).sources
            self.assertEqual(source.examiner.duplicates, expected)


class Damaged(Case):
    """Files of every kind with random bits turned and ends cut off: a problem, or a clean read. Seeds are fixed."""

    def test_nothing_but_problems(self):
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
        signal.signal(signal.SIGALRM, lambda *_: self.fail("a reader hangs"))
        for name, write in {**STREAMS, **TABLES}.items():
            if name == "text":
                continue
            path = write(self.folder / name, texts(12))
            content = path.read_bytes()
            random = np.random.default_rng(len(name))
            refused = 0
            for attempt in range(24):
                made = bytearray(content)
                if attempt % 3 == 0:
                    made = made[: int(random.integers(len(made)))]
                # What comes first and last tells how the rest is read.
                ends = min(300, max(1, len(made)))
                for _ in range(int(random.integers(1, 9)) if made else 0):
                    at = int(random.integers(ends)) if random.integers(2) else len(made) - 1 - int(random.integers(ends))
                    made[at] ^= 1 << int(random.integers(8))
                path.write_bytes(made)
                for skip in ("abort", "skip"):
                    signal.alarm(60)
                    try:
                        self.read(path, 4, onBadRecord=skip, shuffle=0)
                    except Problem:
                        refused += 1
                    except Exception as error:
                        self.fail(f"{name}, attempt {attempt}: {error!r}")
                    finally:
                        signal.alarm(0)
            self.assertGreater(refused, 5, name)


if __name__ == "__main__":
    unittest.main()
