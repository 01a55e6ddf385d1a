"""What checkpoints promise: which stay, which is found, what damage is told, one training at a time. Run by checkpoint.test.ts."""

import io
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import unittest
import weakref
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from unittest import mock

import ml_dtypes
import numpy as np

from xenarc_runtime import checkpoint, events, lock, pjrt, run_files, safetensors_folder
from xenarc_runtime.artifact import Port
from xenarc_runtime.errors import Problem
from xenarc_runtime.lock import RunLock
from xenarc_runtime.saving import Saver
from xenarc_runtime.settings import CheckpointSettings, RemoteSettings
from xenarc_runtime.tracking import Tracker

EMIT = events.emit
MESH = pjrt.make_mesh(())
WHERE = pjrt.placement(MESH, ())


def state_of(step, dtype=np.float32):
    drawn = np.random.default_rng(step)
    return {
        "params/w": pjrt.to_device(drawn.normal(size=(48, 64)).astype(dtype), WHERE),
        "params/b": pjrt.to_device(drawn.normal(size=(64,)).astype(dtype), WHERE),
        "opt/m": pjrt.to_device(drawn.normal(size=(48, 64)).astype(np.float32), WHERE),
        "opt/step": pjrt.to_device(np.int32(step), WHERE),
    }


NAMES = {np.dtype(np.float32): "f32", np.dtype(np.int32): "i32", np.dtype(ml_dtypes.bfloat16): "bf16"}


def ports_of(state, **dtypes):
    return [
        Port(name, "state", tuple("ab"[: array.ndim]), tuple(array.shape), dtypes.get(name.split("/")[0], NAMES[np.dtype(array.dtype)]))
        for name, array in state.items()
    ]


def restored(saved, state, **dtypes):
    return checkpoint.restore(saved, ports_of(state, **dtypes), dict.fromkeys(state, WHERE))


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.run_folder = Path(holder.name) / "run"
        self.run_folder.mkdir()
        self.said = []
        patch = mock.patch.object(events, "emit", lambda event, **fields: self.said.append({"event": event, **fields}))
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, steps, losses=None, **settings):
        with Saver(self.run_folder, CheckpointSettings(**{"every": 10, "keep": 9, **settings})) as saver:
            for step in steps:
                saver.save(step, state_of(step), {"step": step}, (losses or {}).get(step))

    def steps(self, tier=0):
        return [saved.step for saved in checkpoint.all_of([checkpoint.tiers(self.run_folder)[tier]])]

    def same(self, saved):
        wanted = state_of(saved.step)
        for name, array in restored(saved, wanted).items():
            np.testing.assert_array_equal(np.asarray(array), np.asarray(wanted[name]))

    def warnings(self):
        return [said["message"] for said in self.said if said.get("level") == "warning"]


class Kept(Folder):
    def test_the_last_ones_those_for_good_and_the_best(self):
        losses = {10: 3.0, 20: 1.0, 30: 2.0, 40: 5.0, 50: 4.0, 60: 6.0, 70: 7.0}
        self.write(sorted(losses), losses, keep=2, keep_every=30, best=2)
        # The last two; 30 and 60 for good; 20 and 30 have the lowest losses.
        self.assertEqual(self.steps(), [70, 60, 30, 20])
        # What was the best is known when the run goes on.
        with Saver(self.run_folder, CheckpointSettings(every=10, keep=2, best=2)) as saver:
            self.assertEqual([saver.improves(loss) for loss in (0.5, 1.5, 2.5)], [True, True, False])

    def test_a_loss_that_is_not_finite_is_none_of_the_best(self):
        nan = float("nan")
        losses = {10: 3.0, 20: nan, 30: 1.0, 40: nan, 50: 2.0, 60: nan, 70: nan}
        self.write(sorted(losses), losses, keep=1, best=2)
        self.assertEqual(self.steps(), [70, 50, 30])
        with Saver(self.run_folder, CheckpointSettings(every=10, keep=1, best=2)) as saver:
            self.assertEqual([saver.improves(loss) for loss in (nan, float("inf"), 1.5, 2.5)], [False, False, True, False])

    def test_a_second_tier_takes_its_own_and_is_found(self):
        far = self.run_folder.parent / "far"
        remote = RemoteSettings(str(far), every=20, keep=1)
        checkpoint.remember_remote(self.run_folder, checkpoint.remote_tier(self.run_folder, str(far)))
        self.write([10, 20, 30, 40, 50], keep=2, remote=remote)
        self.assertEqual((self.steps(0), self.steps(1)), ([50, 40], [40]))
        for saved in checkpoint.all_of([checkpoint.local_tier(self.run_folder)]):
            (saved.path / "params/_METADATA").unlink()
        found = checkpoint.newest(self.run_folder)
        self.assertEqual(found.path, checkpoint.remote_tier(self.run_folder, str(far)) / "40")
        self.same(found)
        shutil.rmtree(checkpoint.local_tier(self.run_folder))
        self.assertEqual(checkpoint.newest(self.run_folder), found)

    def test_what_a_killed_process_left_half_written_goes(self):
        self.write([10])
        (self.run_folder / "checkpoints" / "20.orbax-checkpoint-tmp").mkdir()
        self.assertEqual(checkpoint.newest(self.run_folder).step, 10)
        self.write([20])
        self.assertEqual(sorted(os.listdir(self.run_folder / "checkpoints")), ["10", "20"])


class Damage(Folder):
    def test_every_file_is_checked(self):
        """Cut, flipped by one bit at a drawn place, or gone: each file in turn."""
        self.write([10, 20])
        newest = self.run_folder / "checkpoints" / "20"
        files = [path for path in sorted(newest.rglob("*")) if path.is_file() and path.parent != newest]
        self.assertGreater(len(files), 12)
        seed = random.randrange(1 << 32)
        drawn = random.Random(seed)
        for path in [*files, newest / "checksums.json"]:
            data = path.read_bytes()
            at, bit = drawn.randrange(len(data)), 1 << drawn.randrange(8)
            flipped = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            for what, bad in (("cut", data[:at]), ("flipped", flipped), ("gone", None)):
                with self.subTest(seed=seed, file=str(path), what=what, at=at, bit=bit):
                    path.unlink() if bad is None else path.write_bytes(bad)
                    self.said.clear()
                    # A bit of white space in checksums.json may be another white space.
                    if path.name == "checksums.json" and what == "flipped" and _same_json(data, bad):
                        path.write_bytes(data)
                        continue
                    found = checkpoint.newest(self.run_folder)
                    self.assertEqual(found.step, 10)
                    (warning,) = self.warnings()
                    self.assertIn(path.name, warning) if path in files else self.assertIn("20 is damaged", warning)
                    self.assertTrue(warning.endswith("Going on with the one of step 10."), warning)
                    path.write_bytes(data)
        self.assertEqual(checkpoint.newest(self.run_folder).step, 20)
        self.same(checkpoint.newest(self.run_folder))

    def test_what_was_written_is_said_and_the_bad_one_set_aside(self):
        self.write([10, 20])
        record = self.run_folder / "checkpoints/20/record/metadata"
        size = record.stat().st_size
        record.write_bytes(record.read_bytes()[:4])
        self.assertEqual(checkpoint.newest(self.run_folder, aside=True).step, 10)
        path = self.run_folder / "checkpoints" / "20"
        self.assertEqual(
            self.warnings(),
            [
                f"The checkpoint {path} is damaged: record/metadata has 4 bytes, and {size} were written. "
                "It is kept as 20.damaged. Going on with the one of step 10."
            ],
        )
        self.write([20])
        self.same(checkpoint.newest(self.run_folder))
        self.assertEqual(sorted(os.listdir(self.run_folder / "checkpoints")), ["10", "20", "20.damaged"])

    def test_only_what_is_read_is_checked(self):
        self.write([10, 20])
        (self.run_folder / "checkpoints/20/rest/_METADATA").write_bytes(b"")
        self.assertEqual(checkpoint.newest(self.run_folder, ["params"]).step, 20)
        self.assertEqual(checkpoint.newest(self.run_folder).step, 10)

    def test_none_is_sound(self):
        self.assertIsNone(checkpoint.newest(self.run_folder))
        self.write([10, 20])
        for step in (10, 20):
            (self.run_folder / f"checkpoints/{step}/checksums.json").unlink()
        with self.assertRaises(Problem) as caught:
            checkpoint.newest(self.run_folder)
        self.assertEqual(caught.exception.kind, "checkpoint_damaged")
        self.assertIn("20 is damaged: it has no checksums.json", caught.exception.message)
        self.assertIn("10 is damaged: it has no checksums.json", caught.exception.message)
        with self.assertRaises(Problem):
            checkpoint.at(self.run_folder, 20)


def _same_json(a, b):
    try:
        return json.loads(a) == json.loads(b)
    except ValueError:
        return False


class Restored(Folder):
    def test_as_another_element_type(self):
        self.write([10])
        saved = checkpoint.newest(self.run_folder)
        wanted = state_of(10)
        as_bf16 = restored(saved, wanted, params="bf16")
        for name in ("params/w", "params/b"):
            expected = np.asarray(wanted[name]).astype(ml_dtypes.bfloat16)
            self.assertEqual(as_bf16[name].dtype, expected.dtype)
            np.testing.assert_array_equal(np.asarray(as_bf16[name]), expected)
        np.testing.assert_array_equal(np.asarray(as_bf16["opt/m"]), np.asarray(wanted["opt/m"]))
        self.assertEqual(
            self.warnings(), [f"`params/w` and 1 more: f32 in {saved}, read as bf16, which the model has."]
        )
        with Saver(self.run_folder, CheckpointSettings(every=1, keep=2)) as saver:
            saver.save(11, as_bf16, {})
        back = restored(checkpoint.newest(self.run_folder), wanted)
        np.testing.assert_array_equal(
            np.asarray(back["params/w"]), np.asarray(as_bf16["params/w"]).astype(np.float32)
        )

    def test_another_shape_or_kind_of_number_is_refused(self):
        self.write([10])
        saved, state = checkpoint.newest(self.run_folder), state_of(10)
        for name, port in (
            ("opt/step", Port("opt/step", "state", (), (), "f32")),
            ("params/b", Port("params/b", "state", ("a",), (63,), "f32")),
            ("params/c", Port("params/c", "state", ("a",), (64,), "f32")),
        ):
            with self.assertRaises(Problem) as caught:
                checkpoint.restore(saved, [port], {name: WHERE})
            self.assertEqual(caught.exception.kind, "checkpoint_model")
            self.assertIn(f"`{name}`", caught.exception.message)
        # Some of the arrays alone.
        (only,) = checkpoint.restore(saved, ports_of({"params/b": state["params/b"]}), {"params/b": WHERE}).values()
        np.testing.assert_array_equal(np.asarray(only), np.asarray(state["params/b"]))


class FullDisk(Folder):
    def mount(self, folder, size):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "xenarc", str(folder)], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            self.skipTest(f"no small disk can be mounted: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(folder)], check=False)

    def test_the_runs_folder(self):
        self.mount(self.run_folder, "64k")
        self.addCleanup(events.listen, lambda *_: None)
        run_files.keep_log(self.run_folder)
        tracker, output = Tracker(self.run_folder), io.StringIO()
        with self.assertRaises(Problem) as caught:
            for step in range(10_000):
                tracker.scalars(step, {"loss": 1.0})
        problem = caught.exception
        self.assertEqual(problem.kind, "disk_full")
        self.assertEqual(problem.message, f"The run's numbers could not be written: there is no space left in {self.run_folder}.")
        self.assertEqual(problem.hint, "Free some; --resume goes on from the newest checkpoint, if there is one.")
        # What is said is heard, though log.txt is on the same disk.
        with redirect_stdout(output):
            for _ in range(100):
                EMIT("error", **problem.as_json())
        self.assertEqual([json.loads(line)["kind"] for line in output.getvalue().splitlines()], ["disk_full"] * 100)

    def test_the_checkpoint_before_stays_whole(self):
        small = self.run_folder / "checkpoints"
        small.mkdir()
        self.mount(small, "192k")
        with self.assertRaises(Problem) as caught:
            self.write([10, 20, 30, 40, 50, 60, 70, 80])
        problem = caught.exception
        self.assertEqual(problem.kind, "disk_full")
        self.assertRegex(problem.message, r"^The checkpoint of step \d+ could not be written: there is no space left in .*checkpoints\.$")
        newest = checkpoint.newest(self.run_folder)
        self.assertIn(f"of step {newest.step}, is whole: --resume goes on from it.", problem.hint)
        self.assertEqual(self.warnings(), [])
        self.same(newest)
        self.assertEqual([name for name in os.listdir(small) if not name.isdecimal()], [])


class Lock(Folder):
    def held(self, **changes):
        other = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        owner = {"pid": other.pid, "host": socket.gethostname(), "started": lock.psutil.Process(other.pid).create_time()}
        self.file = self.run_folder / "training.lock"
        self.file.write_text(json.dumps({**owner, "beat": 0, **changes}))
        return other

    def test_a_process_that_lives(self):
        other = self.held()
        with self.assertRaises(Problem) as caught, RunLock(self.run_folder):
            self.fail("taken from a process that lives")
        self.assertEqual(caught.exception.kind, "run_busy")
        self.assertIn(f"process {other.pid} on {socket.gethostname()}", caught.exception.message)
        self.assertTrue(self.file.exists())

    def test_a_process_that_died_and_one_with_its_number(self):
        other = self.held()
        other.kill()
        other.wait()
        with RunLock(self.run_folder):
            self.assertEqual(json.loads(self.file.read_text())["pid"], os.getpid())
        self.assertFalse(self.file.exists())
        self.held(started=1.0)
        with RunLock(self.run_folder):
            pass
        self.file.write_text("half a")
        with RunLock(self.run_folder):
            pass

    def test_another_hosts(self):
        with mock.patch.multiple(lock, _BEAT_SECONDS=0.1, _PATIENCE_SECONDS=0.4):
            self.held(host="elsewhere")
            with RunLock(self.run_folder):  # nothing moves in it
                pass
            # A training of another host: it rewrites its lock as it goes.
            with mock.patch.object(lock.socket, "gethostname", lambda: "elsewhere"):
                theirs = RunLock(self.run_folder)
            with theirs, self.assertRaises(Problem) as caught, RunLock(self.run_folder):
                self.fail("taken from a host that is alive")
            self.assertIn("on elsewhere", caught.exception.message)


class Exported(Folder):
    def test_no_more_than_a_shard_is_in_memory(self):
        """However large the model: what is read of the checkpoint is counted as long as anything holds it."""
        shard = 1 << 20
        state = {f"params/{number}": pjrt.to_device(np.ones((256, 256), np.float32), WHERE) for number in range(24)}
        with Saver(self.run_folder, CheckpointSettings(every=10, keep=9)) as saver:
            saver.save(10, {**state, "opt/step": pjrt.to_device(np.int32(10), WHERE)}, {"step": 10})
        (saved,) = checkpoint.all_of(checkpoint.tiers(self.run_folder))
        live, most, read_bytes = 0, 0, 0

        def freed(size):
            nonlocal live
            live -= size

        def counted(tensor):
            def read(index):
                nonlocal live, most, read_bytes
                array = tensor.read(index)
                holder = array
                while isinstance(holder.base, np.ndarray):
                    holder = holder.base
                live += holder.nbytes
                most, read_bytes = max(most, live), read_bytes + array.nbytes
                weakref.finalize(holder, freed, holder.nbytes)
                return array

            return replace(tensor, read=read)

        for dtype in ("f32", "bf16"):
            most = read_bytes = 0
            weights = {name: counted(tensor).converted(dtype) for name, tensor in checkpoint.stored(saved, "params/").items()}
            target = self.run_folder / dtype
            target.mkdir()
            files = list(safetensors_folder.write_folder(target, weights, shard))
            self.assertEqual((len(files), read_bytes), ({"f32": 6, "bf16": 3}[dtype], 6 * shard))
            self.assertTrue(0 < most <= shard, most)


if __name__ == "__main__":
    unittest.main()
