import type { StorageError } from '../../errors';
import type { LongReads, Reads, Writes } from './operations';

/** Where the operations are done: here, or in another thread. */
export interface Engine {
  /** What is wrong since the last operation that failed. */
  readonly fault: StorageError | undefined;
  read<N extends keyof Reads>(name: N, args: Reads[N]['args']): Promise<Reads[N]['result']>;
  longRead<N extends keyof LongReads>(name: N, args: LongReads[N]['args']): Promise<LongReads[N]['result']>;
  /** `bytes` is the size of the values that are to be written. */
  write<N extends keyof Writes>(
    name: N,
    args: Writes[N]['args'],
    bytes: number,
  ): Promise<Writes[N]['result']>;
  /** Looks for damage; answers what was found. */
  check(): Promise<readonly string[]>;
  /** Ends what is under way, then itself. May be called again. */
  close(): Promise<void>;
}
