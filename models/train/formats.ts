/** What data are stored as. Names alone, which `--help` need not wait for. */

/** Formats of files. */
export const KINDS = [
  "text",
  "jsonl",
  "parquet",
  "tfrecord",
  "webdataset",
  "hdf5",
  "arrayrecord",
  "arrow",
  "bin",
  "csv",
  "json",
] as const;

/** Element types of files of token ids. */
export const DTYPES = ["uint8", "uint16", "uint32"] as const;
