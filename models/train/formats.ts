/** What files are: formats, element types, sizes. It needs nothing, so that `--help` need not wait for it. */

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

/** Bytes of `5GB`, `500MB`, `1.5TB`, `4096`; undefined for what is no size. */
export function byteCount(text: string): number | undefined {
  const parts = /^([\d.]+)\s*([KMGT]?)B?$/i.exec(text);
  const value = Number(parts?.[1]) * 1000 ** " KMGT".indexOf(parts?.[2]?.toUpperCase() || " ");
  return value >= 1 ? Math.floor(value) : undefined;
}
