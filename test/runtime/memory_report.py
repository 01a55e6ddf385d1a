"""What `xenarc_runtime.ahead` reads in XLA's out-of-memory error, given as the argument, as JSON."""

import json
import sys

from xenarc_runtime.ahead import memory_report

print(json.dumps(memory_report(sys.argv[1])))
