/**
 * XLA's compile options as the protobuf message `CompileOptionsProto`, so that the runtime passes them on unread.
 * The fields set here are those of openxla/xla `xla/pjrt/proto/compile_options.proto` and `xla/xla_data.proto`.
 */
import protobuf, { type Writer } from "protobufjs/minimal.js";

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

/** The bytes of a `CompileOptionsProto`; equal options give equal bytes. */
export function compileOptionsBytes(options: XlaOptions = {}): Uint8Array {
  const { replicas = 1, partitions = 1, deviceAssignment, flags = {} } = options;
  const to = protobuf.Writer.create();
  // executable_build_options
  message(to, 3, () => {
    // device_ordinal. -1: not for one device in particular. Left out it would read as device 0.
    field(to, 1, VARINT).int64(-1);
    // num_replicas, num_partitions
    field(to, 4, VARINT).int64(replicas);
    field(to, 5, VARINT).int64(partitions);
    // use_spmd_partitioning
    if (partitions > 1) field(to, 6, VARINT).bool(true);
    if (deviceAssignment) message(to, 9, () => assignment(to, deviceAssignment, replicas, partitions));
    // allow_spmd_sharding_propagation_to_output, ..._to_parameters: repeated
    message(to, 12, () => to.bool(false));
    message(to, 18, () => to.bool(false));
    // use_shardy_partitioner
    field(to, 19, VARINT).bool(true);
  });
  // env_option_overrides: a map
  for (const name of Object.keys(flags).sort()) {
    message(to, 7, () => {
      field(to, 1, BYTES).string(name);
      message(to, 2, () => override(to, flags[name] as boolean | number | string));
    });
  }
  return to.finish();
}

// Wire types of protobuf's encoding (protobuf.dev/programming-guides/encoding).
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** Begins a field: its number and how what follows is encoded. */
const field = (to: Writer, id: number, wireType: number): Writer => to.uint32((id << 3) | wireType);

/** A field that holds what `write` writes: a message, or a repeated field of numbers. */
function message(to: Writer, id: number, write: () => void): void {
  field(to, id, BYTES).fork();
  write();
  to.ldelim();
}

/** A `DeviceAssignmentProto`: it lists devices by computation (our partition), and in each by replica. */
function assignment(to: Writer, devices: readonly (readonly number[])[], replicas: number, partitions: number): void {
  if (devices.length !== replicas || devices.some((row) => row.length !== partitions)) {
    throw new RangeError(`deviceAssignment must be ${replicas} x ${partitions} (replicas x partitions)`);
  }
  field(to, 1, VARINT).int32(replicas);
  field(to, 2, VARINT).int32(partitions);
  for (let partition = 0; partition < partitions; partition++) {
    message(to, 3, () => message(to, 1, () => devices.forEach((row) => to.int64(row[partition] as number))));
  }
}

/** An `OptionOverrideProto`: one of a string, a bool, an int, a double. */
function override(to: Writer, value: boolean | number | string): void {
  if (typeof value === "string") field(to, 1, BYTES).string(value);
  else if (typeof value === "boolean") field(to, 2, VARINT).bool(value);
  else if (Number.isInteger(value)) field(to, 3, VARINT).int64(value);
  else field(to, 4, FIXED64).double(value);
}
