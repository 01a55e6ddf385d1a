"""One of several processes that read: a position is gathered from all of them, and each goes on from it.

    python gathered_position.py COORDINATOR PROCESSES PROCESS SOURCE.jsonl...

Prints the position, and the texts that this process read before it and after it.
"""

import json
import sys

import grain
import numpy as np
from data_support import WIDTH, artifact, batch

from xenarc_runtime import data, group
from xenarc_runtime.data.batches import Batches
from xenarc_runtime.data.feed import Feed
from xenarc_runtime.data.source import Share

ROWS = 2


def main(coordinator, processes, process, *paths):
    group.join(coordinator, int(processes), int(process))
    made = artifact(lead=(1, ROWS * group.size()), sources=[{"path": path} for path in paths], shuffle=4)
    rows = np.arange(ROWS) + ROWS * group.rank()
    share = Share(rows, ROWS * group.size(), group.rank(), group.size())

    def open_feed(state):
        sources = data.open(made).sources
        batches = Batches(sources, [1.0] * len(sources), 7, share, WIDTH, {"tokens": None})
        ahead = grain.experimental.ThreadPrefetchIterDataset(batches, prefetch_buffer_size=2)
        return Feed(ahead, {"train_step": made.program("train_step").inputs}, share, 0, state)

    def read(feed, count):
        return [batch(feed)["tokens"][0, rows].tolist() for _ in range(count)]

    feed = open_feed(None)
    before = read(feed, 5)
    state = json.loads(json.dumps(feed.state()))
    after = read(feed, 8)
    again = read(open_feed(state), 8)
    print(json.dumps({"state": state, "before": before, "after": after, "again": again}))


main(*sys.argv[1:])
