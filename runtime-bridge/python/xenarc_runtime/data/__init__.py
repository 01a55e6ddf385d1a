"""From files to batches: sources, their mixture, filters, packing, worker processes, an exact position.

The pipelines are Grain's. A batch depends on the data, the configuration's section `data` and the position alone.
"""

from .feed import Batch, Feed
from .pipeline import Pipeline, open

__all__ = ["Batch", "Feed", "Pipeline", "open"]
