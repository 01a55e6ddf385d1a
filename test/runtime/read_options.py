"""Prints what jaxlib reads from a serialized CompileOptionsProto, given in hexadecimal."""

import json
import sys

from jaxlib import xla_client

options = xla_client.CompileOptions.ParseFromString(bytes.fromhex(sys.argv[1]))
build = options.executable_build_options
print(
    json.dumps(
        {
            "replicas": options.num_replicas,
            "partitions": options.num_partitions,
            "spmd": build.use_spmd_partitioning,
            "shardy": build.use_shardy_partitioner,
            "assignment": options.device_assignment and str(options.device_assignment),
            "overrides": sorted(map(list, options.env_option_overrides)),
        }
    )
)
