/**
 * XLA's compile options as the protobuf message `CompileOptionsProto`, so that the runtime passes them on unread.
 * The fields set here are those of openxla/xla `xla/pjrt/proto/compile_options.proto` and `xla/xla_data.proto`.
 */
import { createRequire } from "node:module";
import type protobuf from "protobufjs/light.js";

/** What a program may ask of XLA. What is not said is XLA's default, `XLA_FLAGS` included. */
export interface XlaOptions {
  /** Copies that each see other data. Default 1. */
  readonly replicas?: number;
  /** Devices one copy is partitioned over. Default 1; more switches SPMD partitioning by Shardy on. */
  readonly partitions?: number;
  /** Device ids, `[replica][partition]`. Default: the runtime's choice. */
  readonly deviceAssignment?: readonly (readonly number[])[];
  /** XLA flags for this program alone, such as `xla_tpu_enable_latency_hiding_scheduler`. */
  readonly flags?: Readonly<Record<string, boolean | number | string>>;
}

const envOptionOverrides: protobuf.IMapField = { keyType: "string", type: "OptionOverrideProto", id: 7 };
const schema: protobuf.INamespace = {
  nested: {
    CompileOptionsProto: {
      fields: { executableBuildOptions: { type: "ExecutableBuildOptionsProto", id: 3 }, envOptionOverrides },
    },
    ExecutableBuildOptionsProto: {
      fields: {
        deviceOrdinal: { type: "int64", id: 1 },
        numReplicas: { type: "int64", id: 4 },
        numPartitions: { type: "int64", id: 5 },
        useSpmdPartitioning: { type: "bool", id: 6 },
        deviceAssignment: { type: "DeviceAssignmentProto", id: 9 },
        allowSpmdShardingPropagationToOutput: { rule: "repeated", type: "bool", id: 12 },
        allowSpmdShardingPropagationToParameters: { rule: "repeated", type: "bool", id: 18 },
        useShardyPartitioner: { type: "bool", id: 19 },
      },
    },
    DeviceAssignmentProto: {
      fields: {
        replicaCount: { type: "int32", id: 1 },
        computationCount: { type: "int32", id: 2 },
        computationDevices: { rule: "repeated", type: "ComputationDevice", id: 3 },
      },
    },
    ComputationDevice: { fields: { replicaDeviceIds: { rule: "repeated", type: "int64", id: 1 } } },
    OptionOverrideProto: {
      oneofs: { value: { oneof: ["stringField", "boolField", "intField", "doubleField"] } },
      fields: {
        stringField: { type: "string", id: 1 },
        boolField: { type: "bool", id: 2 },
        intField: { type: "int64", id: 3 },
        doubleField: { type: "double", id: 4 },
      },
    },
  },
};

let message: protobuf.Type | undefined;
/** The message's type; the library is loaded with the first artifact that is written. */
function messageType(): protobuf.Type {
  const library = createRequire(import.meta.url)("protobufjs/light.js") as typeof protobuf;
  message ??= library.Root.fromJSON(schema).lookupType("CompileOptionsProto");
  return message;
}

/** The bytes of a `CompileOptionsProto`; equal options give equal bytes. */
export function compileOptionsBytes(options: XlaOptions = {}): Uint8Array {
  const { replicas = 1, partitions = 1, deviceAssignment, flags = {} } = options;
  const overrides = Object.fromEntries(
    Object.keys(flags)
      .sort()
      .map((name) => [name, override(flags[name] as boolean | number | string)]),
  );
  const message = messageType();
  return message
    .encode(
      message.create({
        executableBuildOptions: {
          // -1: not for one device in particular. Left out it would read as device 0.
          deviceOrdinal: -1,
          numReplicas: replicas,
          numPartitions: partitions,
          useSpmdPartitioning: partitions > 1,
          useShardyPartitioner: true,
          allowSpmdShardingPropagationToOutput: [false],
          allowSpmdShardingPropagationToParameters: [false],
          ...(deviceAssignment && { deviceAssignment: assignment(deviceAssignment, replicas, partitions) }),
        },
        envOptionOverrides: overrides,
      }),
    )
    .finish();
}

/** The proto lists devices by computation (our partition), and in each by replica. */
function assignment(devices: readonly (readonly number[])[], replicas: number, partitions: number): object {
  if (devices.length !== replicas || devices.some((row) => row.length !== partitions)) {
    throw new RangeError(`deviceAssignment must be ${replicas} x ${partitions} (replicas x partitions)`);
  }
  return {
    replicaCount: replicas,
    computationCount: partitions,
    computationDevices: Array.from({ length: partitions }, (_, partition) => ({
      replicaDeviceIds: devices.map((row) => row[partition]),
    })),
  };
}

const override = (value: boolean | number | string): object =>
  typeof value === "boolean"
    ? { boolField: value }
    : typeof value === "string"
      ? { stringField: value }
      : Number.isInteger(value)
        ? { intField: value }
        : { doubleField: value };
