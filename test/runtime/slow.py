"""A watchdog that waits for four seconds, and work that takes longer, of the kinds that may: python slow.py ARTIFACT TEXT FOLDER"""

import sys
import time
from pathlib import Path
from unittest import mock

from xenarc_runtime import data, saving, train

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


with (
    mock.patch.object(saving.Saver, "save", slowly(saving.Saver.save, SLOW)),
    mock.patch.object(saving.Saver, "wait", slowly(saving.Saver.wait, SLOW)),
    mock.patch.object(data.Pipeline, "validation", batches),
):
    artifact, text, folder = map(Path, sys.argv[1:])
    train.train(artifact, folder, [str(text)], resume=False, overwrite=False, watchdog=WATCHDOG)
