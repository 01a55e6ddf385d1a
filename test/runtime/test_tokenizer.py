"""The promises of the tokenizers: what was computed elsewhere, whole characters only, and words for what is wrong."""

import json
import pickle
import random
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import tokenizers

from xenarc_runtime import pieces, tokenizer
from xenarc_runtime.artifact import Artifact, TokenizerFiles
from xenarc_runtime.errors import Problem

FIXTURES = Path(__file__).parent.parent / "fixtures" / "tokenizers"
KINDS = {name: tokenizer.read(str(FIXTURES / name / "tokenizer.json")) for name in ("qwen-style", "mistral-style")}


def expected(name):
    return json.loads((FIXTURES / name / "expected.json").read_text("utf-8"))


def random_text(draw):
    """Characters of one to four bytes, and such as combine with others."""
    ranges = [(0x20, 0x7F), (0xA0, 0x800), (0x300, 0x370), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x110000)]
    return "".join(chr(draw.randrange(*draw.choice(ranges))) for _ in range(draw.randrange(40)))


def artifact(kind, **files):
    held = TokenizerFiles(kind, files)
    return Artifact(Path("somewhere"), "model", "", 0, {}, (), {}, held)


def streamed(made, ids):
    stream = made.stream()
    parts = [stream.add(int(token)) for token in ids]
    return [*parts, stream.finish()]


class Files(unittest.TestCase):
    def test_encode_and_decode_as_expected(self):
        for name, made in KINDS.items():
            for case in expected(name):
                self.assertEqual(made.encode(case["text"]).tolist(), case["ids"])
                self.assertEqual(made.decode(case["ids"]), case["decoded"])
                self.assertEqual("".join(streamed(made, case["ids"])), case["decoded"])

    def test_give_back_any_text(self):
        draw = random.Random(5)
        for name, made in KINDS.items():
            for _ in range(400):
                text = random_text(draw)
                ids = made.encode(text, special=False)
                with self.subTest(name, text=text):
                    self.assertEqual(made.decode(ids, special=True), text)

    def test_stream_whole_characters_that_add_up_to_the_text(self):
        draw = random.Random(6)
        for name, made in [*KINDS.items(), ("bytes", tokenizer.BYTES)]:
            for _ in range(400):
                text = random_text(draw)
                ids = made.encode(text)
                parts = streamed(made, ids)
                with self.subTest(name, text=text):
                    self.assertEqual("".join(parts), made.decode(ids))
                    self.assertNotIn("\ufffd", "".join(parts).replace("\ufffd", "", text.count("\ufffd")))
        # A character of four bytes, each a token: nothing until the last.
        qwen = KINDS["qwen-style"]
        self.assertEqual(streamed(qwen, qwen.encode("🙂")), ["", "", "", "🙂", ""])
        self.assertEqual(streamed(tokenizer.BYTES, "é".encode()), ["", "é", ""])
        self.assertEqual(streamed(tokenizer.BYTES, "é".encode()[:1]), ["", "\ufffd"])
        # What a model draws at random is seldom UTF-8.
        for _ in range(200):
            ids = [draw.randrange(qwen.vocab_size) for _ in range(20)]
            self.assertEqual("".join(streamed(qwen, ids)), qwen.decode(ids))

    def test_have_the_ids_of_special_tokens_and_the_template(self):
        qwen, mistral = KINDS["qwen-style"], KINDS["mistral-style"]
        self.assertEqual((qwen.vocab_size, qwen.bos, qwen.eos, qwen.pad, qwen.dtype), (1024, None, 2, 0, "uint16"))
        self.assertEqual((mistral.vocab_size, mistral.bos, mistral.eos, mistral.pad), (1024, 1, 2, None))
        self.assertEqual(qwen.special["eos_token"], "<|im_end|>")
        self.assertIn("<|im_start|>", qwen.template)
        self.assertIsNone(mistral.template)
        self.assertEqual((tokenizer.BYTES.eos, tokenizer.BYTES.dtype), (None, "uint8"))

    def test_can_be_given_to_another_process(self):
        for made in [*KINDS.values(), tokenizer.BYTES]:
            again = pickle.loads(pickle.dumps(made))
            self.assertEqual(again.encode("To be").tolist(), made.encode("To be").tolist())

    def test_count_ids_to_the_largest_and_cut_no_text(self):
        made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 69_999}, unk_token="a"))
        made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        made.enable_truncation(1)
        made.enable_padding(length=5)
        again = tokenizer.open(artifact("json", **{"tokenizer.json": made.to_str().encode()}))
        self.assertEqual((again.vocab_size, again.dtype), (70_000, "uint32"))
        self.assertEqual(again.encode("b b b").tolist(), [69_999] * 3)

    def test_templates_may_be_several_or_a_file(self):
        plain = (FIXTURES / "mistral-style" / "tokenizer.json").read_bytes()
        config = json.dumps(
            {"chat_template": [{"name": "tools", "template": "T"}, {"name": "default", "template": "D"}],
             "eos_token": {"content": "</s>", "lstrip": False}}
        ).encode()
        files = {"tokenizer.json": plain, "tokenizer_config.json": config}
        made = tokenizer.open(artifact("json", **files))
        self.assertEqual((made.template, made.eos), ("D", 2))
        self.assertEqual(tokenizer.open(artifact("json", **files, **{"chat_template.jinja": b"F"})).template, "F")
        self.assertEqual(tokenizer.open(artifact("bytes", **{"chat_template.jinja": b"F"})).template, "F")
        self.assertIsNone(tokenizer.BYTES.template)

    def problem(self, action):
        with self.assertRaises(Problem) as caught:
            action()
        return caught.exception.message

    def test_say_what_is_wrong(self):
        self.assertIn("no such file", self.problem(lambda: tokenizer.read("nowhere.json")))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "tokenizer.json")
            for content in ("{", "{}", '{"model": {"type": "None"}}'):
                file.write_text(content)
                self.assertIn("cannot be used", self.problem(lambda: tokenizer.read(str(file))))
            file.write_bytes((FIXTURES / "mistral-style" / "tokenizer.json").read_bytes())
            Path(folder, "tokenizer_config.json").write_text("[]")
            self.assertIn("tokenizer_config.json holds no settings", self.problem(lambda: tokenizer.read(str(file))))
        self.assertIn("it is not Unicode", self.problem(lambda: KINDS["qwen-style"].encode("a\udcff")))


class Pieces(unittest.TestCase):
    """A text that is longer than a piece has the tokens that the library gives for the whole of it."""

    # What the tokenizers of GPT-4, Llama 3 and Qwen divide texts by.
    LINES = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )

    def setUp(self):
        for name, size in (("SIZE", 300), ("NEAR", 200)):
            patched = mock.patch.object(pieces, name, size)
            patched.start()
            self.addCleanup(patched.stop)

    def texts(self):
        draw = random.Random(11)
        words = ["to", "be", "dass", "größer", "ヴェル", "don't", "12", "x=1;", "—", "🙂", "end."]
        for breaks in (["\n"], ["\n", "\n\n", "\n    ", " \n"], ["\r\n"], [" "]):
            for _ in range(40):
                text = ""
                while len(text) < 2000:
                    text += " ".join(draw.choices(words, k=draw.randrange(1, 12))) + draw.choice(breaks)
                yield text

    def split_otherwise(self):
        told = json.loads((FIXTURES / "qwen-style" / "tokenizer.json").read_text("utf-8"))
        split = {"type": "Split", "pattern": {"Regex": self.LINES}, "behavior": "Isolated", "invert": False}
        bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
        told["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, bytes_]}
        ends = {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [7, 9], "tokens": ["a", "b"]}}
        single = [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        single.append(single[0])
        told["post_processor"] = {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": ends}
        return json.dumps(told)

    def test_have_the_tokens_of_the_whole(self):
        plain = (FIXTURES / "qwen-style" / "tokenizer.json").read_text("utf-8")
        for told in (plain, self.split_otherwise()):
            made = tokenizer.open(artifact("json", **{"tokenizer.json": told.encode()}))
            library = tokenizers.Tokenizer.from_str(told)
            for text in self.texts():
                for special in (True, False):
                    want = library.encode(text, add_special_tokens=special).ids
                    self.assertEqual(made.encode_batch(["a", text, ""], special)[1].tolist(), want)

    def test_of_any_text_are_the_text(self):
        draw = random.Random(12)
        for _ in range(300):
            parts = [random_text(draw) * draw.choice([0, 1, 1, 30]) for _ in range(draw.randrange(8))]
            found = list(pieces.of(parts))
            self.assertEqual("".join(found), "".join(parts))
            self.assertTrue(all(0 < len(piece) <= 300 for piece in found))

    def test_say_once_what_is_put_before_a_text(self):
        made = KINDS["mistral-style"]
        ids = made.encode("to be\n" * 300).tolist()
        self.assertEqual((ids[0], ids.count(made.bos)), (made.bos, 1))


class Characters(unittest.TestCase):
    made = tokenizer.open(artifact("characters", **{"tokenizer.json": tokenizer.characters(["hello ", "wörld\n🙂"]).encode()}))

    def test_are_numbered_by_their_code_points(self):
        text = "hello wörld\n🙂"
        order = sorted(set(text))
        self.assertEqual(self.made.vocab_size, len(order))
        self.assertEqual(self.made.encode(text).tolist(), [order.index(character) for character in text])
        self.assertEqual(self.made.decode(self.made.encode(text)), text)
        self.assertEqual("".join(streamed(self.made, self.made.encode(text))), text)

    def test_refuse_one_that_the_text_had_not(self):
        with self.assertRaises(Problem) as caught:
            self.made.encode("hexe")
        self.assertIn("'x' (U+0078, in 'hexe')", caught.exception.message)
        with self.assertRaises(Problem):
            tokenizer.characters([])


if __name__ == "__main__":
    unittest.main()
