/**
 * A value that PSON carries (`protocol.md` section 3). Integers past `Number.MAX_SAFE_INTEGER` are BigInt,
 * bytes are Buffers.
 */
export type Value =
  null | boolean | number | bigint | string | Uint8Array | Value[] | { [key: string]: Value };

/** A device is named by its user and its device id. */
export interface DeviceId {
  readonly user: string;
  readonly device: string;
}

/** Whether a value is a map, and not bytes or an array. */
export function isMap(value: Value | undefined): value is Record<string, Value> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
