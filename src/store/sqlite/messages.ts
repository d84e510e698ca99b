import type { LongReads, Reads, Writes } from '../core/operations';
import type { StoreLimits } from '../store-limits';
import type { Failure } from './failure';
import type { DatabaseOptions } from './open-database';

/** What the worker is started with. */
export interface WorkerSettings extends DatabaseOptions {
  readonly limits: StoreLimits;
}

/** An operation on its way. Its arguments are those of its name, which types cannot say of all operations at once. */
interface JobOf<
  Kind extends string,
  Operations extends Record<keyof Operations, { readonly args: unknown }>,
> {
  /** Names the job in its answer. */
  readonly id: number;
  readonly kind: Kind;
  readonly name: keyof Operations;
  readonly args: Operations[keyof Operations]['args'];
}

export type ReadJob = JobOf<'read', Reads>;
export type LongReadJob = JobOf<'longRead', LongReads>;
export type WriteJob = JobOf<'write', Writes>;

/** `check` looks for damage, `close` ends the worker when all else is done. */
export interface ControlJob {
  readonly id: number;
  readonly kind: 'check' | 'close';
}

/** What the worker is asked to do. */
export type Job = ReadJob | LongReadJob | WriteJob | ControlJob;

/** The opening of the file is answered, too: it has the id that no job has. */
export const OPENING = 0;

export type Answer =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failure: Failure };

/** Everything that the worker says. */
export interface Report {
  readonly answers: readonly Answer[];
  /** What is wrong now; null for nothing. Absent if that has not changed. */
  readonly fault?: Failure | null;
}
