"""Vectors in the place of tokens: how records and files give them, where they come to stand, and what is refused."""

import dataclasses
import io
import json
import tarfile
import tempfile
import unittest
from contextlib import closing
from pathlib import Path

import numpy as np
from data_support import artifact, batch
from safetensors.numpy import save_file

from xenarc_runtime import data
from xenarc_runtime.artifact import Port
from xenarc_runtime.embeddings import Prompted
from xenarc_runtime.errors import Problem

KINDS = {"image": (2, 3), "sound": (1, 2)}


def with_kinds(made, prefill_width=8):
    """An artifact whose programs have inputs for vectors, too."""
    programs = {}
    for name, program in made.programs.items():
        tokens = program.inputs[0]
        lead = tokens.shape[:-1]
        more = [
            port
            for kind, shape in KINDS.items()
            for port in (
                Port(f"embeddings/{kind}/slots", "batch", (), tokens.shape, "i32"),
                Port(f"embeddings/{kind}/vectors", "batch", (), (*lead, *shape), "f32"),
            )
        ]
        inputs = tuple(sorted((*program.inputs, *more), key=lambda port: port.name.removeprefix("batch/")))
        programs[name] = dataclasses.replace(program, inputs=inputs)
    ports = [Port("tokens", "argument", (), (1, prefill_width), "i32"), Port("temperature", "argument", (), (), "f32")]
    for kind, shape in KINDS.items():
        ports += [
            Port(f"embeddings/{kind}/slots", "argument", (), (1, prefill_width), "i32"),
            Port(f"embeddings/{kind}/vectors", "argument", (), (1, *shape), "f32"),
        ]
    programs["prefill"] = dataclasses.replace(programs["train_step"], inputs=tuple(ports))
    return dataclasses.replace(made, programs=programs)


class Temporary(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)


class OfRecords(Temporary):
    def rows(self, records, width=9, **settings):
        path = self.folder / "a.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        settings = {"shuffle": 0, "lead": (1, 2), "width": width, **settings}
        made = artifact(**settings)
        pipeline = data.open(with_kinds(made), [str(path)])
        with closing(pipeline.feed()) as feed:
            ports = feed.next().ports
            return {name.removeprefix("batch/"): part((slice(None),) * 3)[0] for name, part in ports.items()}

    def test_stand_behind_so_many_tokens(self):
        record = {"text": "abcd", "image": [[1, 2, 3], [4, 5, 6]], "image_at": 2, "sound": [7], "sound_at": 2}
        rows = self.rows([record, {"text": "xyz"}], packing=True)
        # A vector that is narrower is filled up with zeros; what follows in the row is the next text.
        self.assertEqual(rows["tokens"][0].tolist(), [97, 98, -1, -1, -1, 99, 100, *b"xy"])
        self.assertEqual(rows["embeddings/image/slots"][0].tolist(), [-1, -1, 0, 1, -1, -1, -1, -1, -1])
        self.assertEqual(rows["embeddings/sound/slots"][0].tolist(), [-1, -1, -1, -1, 0, -1, -1, -1, -1])
        self.assertEqual(rows["embeddings/image/vectors"][0].tolist(), [[1, 2, 3], [4, 5, 6]])
        self.assertEqual(rows["embeddings/sound/vectors"][0].tolist(), [[7, 0]])

    def test_of_a_webdataset_are_npy_files(self):
        vectors = io.BytesIO()
        np.save(vectors, np.array([[1, 2, 3]], np.float16))
        members = {"0.txt": b"abcd", "0.image.npy": vectors.getvalue(), "0.json": b'{"image_at": 1}'}
        with tarfile.open(self.folder / "a.tar", "w") as tar:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        made = with_kinds(artifact(shuffle=0, lead=(1, 1), width=6, packing=True))
        with closing(data.open(made, [str(self.folder / "a.tar")]).feed()) as feed:
            ports = feed.next().ports
        rows = {name.removeprefix("batch/"): part((slice(None),) * 3)[0, 0] for name, part in ports.items()}
        self.assertEqual(rows["tokens"].tolist()[:5], [97, -1, *b"bcd"])
        self.assertEqual(rows["embeddings/image/vectors"].tolist()[0], [1, 2, 3])

    def test_in_front_where_nothing_is_said_and_after_others_by_their_places(self):
        record = {"text": "abc", "image": [1, 2], "image_at": 3, "sound": [[8, 9]]}
        rows = self.rows([record], packing=True, width=6, lead=(1, 1))
        self.assertEqual(rows["tokens"][0].tolist(), [-1, 97, 98, 99, -1, -1])
        self.assertEqual(rows["embeddings/sound/slots"][0].tolist(), [0, -1, -1, -1, -1, -1])
        self.assertEqual(rows["embeddings/image/slots"][0].tolist(), [-1, -1, -1, -1, 0, -1])

    def test_a_row_that_has_no_room_for_more_ends(self):
        records = [{"text": "ab", "image": [[1], [2]]}, {"text": "cd", "image": [3], "image_at": 1}]
        rows = self.rows(records, packing=True, lead=(1, 1), width=7)
        self.assertEqual(rows["tokens"][0].tolist(), [-1, -1, 97, 98, -1, -1, -1])
        self.assertEqual(rows["embeddings/image/slots"][0].tolist(), [0, 1, -1, -1, -1, -1, -1])

    def test_a_text_that_is_cut_has_its_own_in_each_part(self):
        path = self.folder / "a.jsonl"
        path.write_text(json.dumps({"text": "abcdefgh", "image": [[1, 0, 0], [2, 0, 0]], "image_at": 5}) + "\n")
        made = artifact(shuffle=0, lead=(1, 1), width=7, packing=True)
        with closing(data.open(with_kinds(made), [str(path)]).feed()) as feed:
            parts = [
                {name.removeprefix("batch/"): part((slice(None),) * 3)[0, 0] for name, part in feed.next().ports.items()}
                for _ in range(2)
            ]
        self.assertEqual(parts[0]["tokens"].tolist(), [*b"abcde", -1, -1])
        self.assertEqual(parts[0]["embeddings/image/slots"].tolist(), [-1, -1, -1, -1, -1, 0, 1])
        # The next row begins with what the first was cut after.
        self.assertEqual(parts[1]["tokens"].tolist()[:4], [-1, *b"fgh"])
        self.assertEqual(parts[1]["embeddings/image/slots"].tolist()[:4], [0, -1, -1, -1])
        self.assertEqual(parts[1]["embeddings/image/vectors"].tolist()[0], [2, 0, 0])

    def test_of_validation_and_of_text_without_any(self):
        records = [{"text": "abcd", "image": [1, 2, 3]} for _ in range(4)]
        path = self.folder / "v.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        made = with_kinds(artifact(shuffle=0, lead=(1, 2), width=6, packing=True))
        pipeline = data.open(made, [str(path)], held_out=True)
        first = next(iter(pipeline.validation(made.programs["eval_step"].inputs)))
        self.assertEqual(first["embeddings/image/slots"][0].tolist(), [0, -1, -1, -1, -1, 1])
        self.assertEqual(first["embeddings/image/vectors"].shape, (2, 2, 3))
        text = self.folder / "t.txt"
        text.write_text("no vectors in here" * 9)
        with closing(data.open(with_kinds(artifact(lead=(1, 2), width=6)), [str(text)]).feed()) as feed:
            self.assertTrue((feed.next().ports["embeddings/image/slots"]((slice(None),) * 3) == -1).all())

    def test_what_is_none_is_refused_in_words(self):
        for record, words in (
            ({"image": [[1, 2, 3, 4]]}, "its `image` has vectors of 4 dimensions; the model takes at most 3."),
            ({"image": [[1], [2], [3]]}, "its `image` has 3 vectors; the model takes at most 2 in a sequence."),
            ({"image": [[1], [2, 3]]}, "its `image` are lists of different lengths."),
            ({"image": "abc"}, "its `image` is <U3[]; expected vectors of numbers: [2, 3] at the most."),
            ({"image": [1e999]}, "its `image` has numbers that are not finite."),
            ({"image": [1], "image_at": 9}, "its `image_at` is 9, where a whole number is expected, of 0 to its 3 tokens."),
            ({"image": [1], "image_at": "2"}, "its `image_at` is '2', where"),
        ):
            with self.subTest(words), self.assertRaises(Problem) as caught:
                self.rows([{"text": "abc", **record}], packing=True)
            self.assertIn(words, caught.exception.message)


class OfPrompts(Temporary):
    def npy(self, name, array):
        np.save(self.folder / name, array)
        return self.folder / name

    def tensors(self, name, **tensors):
        save_file(tensors, str(self.folder / name))
        return self.folder / name

    def test_stand_between_the_tokens(self):
        image = self.tensors("i.safetensors", image=np.array([[1, 2], [3, 4]], np.float16))
        sound = self.tensors("s.safetensors", sound=np.array([5.0]))
        prompted = Prompted(with_kinds(artifact()), [(image, 1), (sound, 1)])
        history = prompted.among([10, 11, 12], 8)
        self.assertEqual([token >= 0 for token in history], [True, False, False, False, True, True])
        arrays = prompted.arrays(history, 1, 8)
        self.assertEqual(arrays["embeddings/image/slots"].tolist(), [[-1, 0, 1, -1, -1, -1, -1, -1]])
        self.assertEqual(arrays["embeddings/image/vectors"].tolist(), [[[1, 2, 0], [3, 4, 0]]])
        self.assertEqual(arrays["embeddings/sound/slots"].tolist(), [[-1, -1, -1, 0, -1, -1, -1, -1]])
        # What is left of a context that was full.
        late = prompted.arrays(history[2:], 1, 8)
        self.assertEqual(late["embeddings/image/slots"].tolist(), [[0, -1, -1, -1, -1, -1, -1, -1]])
        self.assertEqual(late["embeddings/image/vectors"].tolist(), [[[3, 4, 0], [0, 0, 0]]])

    def test_a_model_of_one_kind_takes_plain_arrays(self):
        made = with_kinds(artifact())
        ports = tuple(port for port in made.programs["prefill"].inputs if "sound" not in port.name)
        programs = {"prefill": dataclasses.replace(made.programs["prefill"], inputs=ports)}
        prompted = Prompted(dataclasses.replace(made, programs=programs), [(self.npy("a.npy", np.ones(3)), 0)])
        self.assertEqual(prompted.among([7], 8), [-1, 7])

    def test_what_is_none_is_refused_in_words(self):
        made = with_kinds(artifact())
        (self.folder / "text").write_text("no vectors")
        (self.folder / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00")
        pickled = io.BytesIO()
        np.save(pickled, np.array([{}], object), allow_pickle=True)
        (self.folder / "pickled.npy").write_bytes(pickled.getvalue())
        long = self.tensors("long.safetensors", image=np.ones((3, 3)))
        wide = self.tensors("wide.safetensors", image=np.ones((1, 4)))
        other = self.tensors("other.safetensors", picture=np.ones(3))
        fits = self.tensors("fits.safetensors", image=np.ones(3))
        both = self.tensors("both.safetensors", image=np.ones(3), sound=np.ones(2))
        for files, words in (
            ([(self.folder / "none", 0)], "none cannot be read: No such file or directory."),
            ([(self.folder / "text", 0)], "is not a safetensors file"),
            ([(self.npy("a.npy", np.ones(3)), 0)], "does not say what its vectors are. It takes `image`, `sound`."),
            ([(long, 0)], "`image` in {0} has 3 vectors; the model takes at most 2 in a sequence."),
            ([(wide, 0)], "`image` in {0} has vectors of 4 dimensions; the model takes at most 3."),
            ([(other, 0)], "has the tensor `picture`, which the model does not take. It takes `image`, `sound`."),
            ([(both, 0)], "has 2 tensors; expected one."),
            ([(fits, 0)] * 3, "3 vectors of `image` are given; the model takes at most 2 in a sequence."),
            ([(fits, 4)], "--at 4: the prompt has 3 tokens."),
            ([(fits, 0)] * 2, "The prompt and its embeddings are 5 tokens long; the model sees 4 at once."),
        ):
            with self.subTest(words), self.assertRaises(Problem) as caught:
                Prompted(made, files).among([1, 2, 3], 4)
            self.assertIn(words.format(files[0][0]), caught.exception.message)
        ports = tuple(port for port in made.programs["prefill"].inputs if "sound" not in port.name)
        one = dataclasses.replace(made, programs={"prefill": dataclasses.replace(made.programs["prefill"], inputs=ports)})
        for name in ("cut.npy", "pickled.npy"):
            with self.assertRaises(Problem) as caught:
                Prompted(one, [(self.folder / name, 0)])
            self.assertIn(f"{name} is not a .npy file, or damaged", caught.exception.message)
        bare = dataclasses.replace(made, programs={"prefill": dataclasses.replace(one.programs["prefill"], inputs=ports[:2])})
        with self.assertRaises(Problem) as caught:
            Prompted(bare, [(fits, 0)])
        self.assertEqual(caught.exception.message, "The model takes no embeddings.")


if __name__ == "__main__":
    unittest.main()
