"""A watchdog that waits for four seconds, and work that takes longer, of the kinds that may: python slow.py ARTIFACT TEXT FOLDER"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

from xenarc_runtime import data, generate, profile, saving, train
from xenarc_runtime.profile import Window

WATCHDOG, SLOW = 4, 7


def slowly(function, seconds):
    def slow(*arguments, **named):
        time.sleep(seconds)
        return function(*arguments, **named)

    return slow


def batches(pipeline, ports, real=data.Pipeline.validation):
    for batch in real(pipeline, ports):
        time.sleep(WATCHDOG / 4)
        yield batch


def tokens(writer, *given, real=generate.Writer.tokens):
    for token in real(writer, *given):
        time.sleep(WATCHDOG / 4)
        yield token


def with_samples(folder, real=train.load):
    artifact = real(folder)
    samples = {"every": 2, "prompts": ["a"], "tokens": SLOW, "temperature": 0.0}
    return replace(artifact, config={**artifact.config, "log": {**artifact.config["log"], "samples": samples}})


with (
    mock.patch.object(train, "load", with_samples),
    mock.patch.object(generate.Writer, "tokens", tokens),
    mock.patch.object(profile, "name_rows", slowly(profile.name_rows, SLOW)),
    mock.patch.object(saving.Saver, "save", slowly(saving.Saver.save, SLOW)),
    mock.patch.object(saving.Saver, "wait", slowly(saving.Saver.wait, SLOW)),
    mock.patch.object(data.Pipeline, "validation", batches),
):
    artifact, text, folder = map(Path, sys.argv[1:])
    train.train(artifact, folder, [str(text)], resume=False, overwrite=False, watchdog=WATCHDOG, window=Window(1, 2))
