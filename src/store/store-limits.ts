import { IotmpError } from '../errors';
import { MAX_ENCODED_SIZE } from '../codec/constants';

/** How much a store takes. What goes past a limit is refused, and changes nothing. */
export interface StoreLimits {
  /** Largest value, row, document or message, in bytes of PSON; 65,536 unless given. */
  readonly valueSize: number;
  /** Properties of one device or user; 1,000 unless given. */
  readonly propertiesPerOwner: number;
  /** Buckets of one user; 1,000 unless given. */
  readonly bucketsPerUser: number;
  /** Documents of one user in one collection; 10,000 unless given. */
  readonly documentsPerCollection: number;
  /** Retained messages of one user; 10,000 unless given. */
  readonly retainedPerUser: number;
  /** Rows of one write; 5,000 unless given. */
  readonly rowsPerWrite: number;
  /** Rows of one bucket: the oldest make room. Unless given, 100,000 in memory and no limit in a file. */
  readonly rowsPerBucket: number;
  /** Bytes of the rows of one user, about; unless given, 64 MiB in memory and 4 GiB in a file. */
  readonly rowBytesPerUser: number;
  /** Bytes of all rows, about; unless given, 256 MiB in memory and 64 GiB in a file. */
  readonly rowBytes: number;
  /** Reads and writes that may wait; 10,000 unless given. Past it, and past the next, they fail at once. */
  readonly waitingJobs: number;
  /** Bytes of values that may wait to be written; 64 MiB unless given. */
  readonly waitingBytes: number;
}

const DEFAULTS: StoreLimits = {
  valueSize: 65_536,
  propertiesPerOwner: 1000,
  bucketsPerUser: 1000,
  documentsPerCollection: 10_000,
  retainedPerUser: 10_000,
  rowsPerWrite: 5000,
  rowsPerBucket: Infinity,
  rowBytesPerUser: 4 * 2 ** 30,
  rowBytes: 64 * 2 ** 30,
  waitingJobs: 10_000,
  waitingBytes: 64 * 1024 * 1024,
};

/** The limits of rows that are kept in memory. */
const IN_MEMORY = { rowsPerBucket: 100_000, rowBytesPerUser: 64 * 2 ** 20, rowBytes: 256 * 2 ** 20 };

/** All limits of a store; `IOTMP_ERR_CONFIG` for one that is no number of 1 or more. */
export function storeLimits(kind: 'file' | 'memory', given: Partial<StoreLimits> = {}): StoreLimits {
  const limits = { ...DEFAULTS, ...(kind === 'memory' && IN_MEMORY), ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!(value >= 1)) throw new IotmpError('IOTMP_ERR_CONFIG', `the limit ${name} has to be 1 or more`);
  }
  if (limits.valueSize > MAX_ENCODED_SIZE) {
    throw new IotmpError('IOTMP_ERR_CONFIG', `the limit valueSize can be ${MAX_ENCODED_SIZE} bytes at most`);
  }
  return Object.freeze(limits);
}
