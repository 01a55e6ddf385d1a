"""Loads and compiles each artifact given; prints the words with which each is refused, or null, as a JSON list."""

import json
import sys
from pathlib import Path

from xenarc_runtime import artifact, events
from xenarc_runtime.errors import Problem
from xenarc_runtime.program import compile_program

events.emit = lambda event, **fields: None


def refusal(folder):
    try:
        loaded = artifact.load(Path(folder))
        for name in loaded.programs:
            compile_program(loaded, name)
    except Problem as problem:
        return problem.message
    return None


print(json.dumps([refusal(folder) for folder in sys.argv[1:]]))
