import { IotmpError, StorageError, type ErrorCode, type StorageFault } from '../../../errors';
import type { StoreLimits } from '../../store-limits';
import type { DatabaseOptions } from '../database/database-options';
import type { LongReads, Reads, Writes } from '../tables/tables';

/** How a thread opens a database. */
export interface DatabaseSettings extends DatabaseOptions {
  readonly limits: StoreLimits;
}

/** An operation on its way. Its arguments are those of its name, which types cannot say of all operations at once. */
interface JobOf<Kind extends string, Named extends Record<keyof Named, { readonly args: unknown }>> {
  /** Names the job in its answer. */
  readonly id: number;
  readonly kind: Kind;
  readonly name: keyof Named;
  readonly args: Named[keyof Named]['args'];
}

/** A read that is done at once. */
export type ReadJob = JobOf<'read', Reads>;
/** A read that is done in steps. */
export type LongReadJob = JobOf<'longRead', LongReads>;
/** A write. */
export type WriteJob = JobOf<'write', Writes>;

/** `check` looks for damage; `share` lets others read the file, until `reclaim`; `close` closes the database when all else is done. */
export interface ControlJob {
  readonly id: number;
  readonly kind: 'check' | 'share' | 'reclaim' | 'close';
}

/** What the thread of an open database is asked for. */
export type Job = ReadJob | LongReadJob | WriteJob | ControlJob;

/** Asks a thread that has no database to open one. */
export interface Opening {
  readonly id: number;
  readonly settings: DatabaseSettings;
}

/** An error between two threads, which hand over only plain values. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly statusCode: number;
  /** Only of a StorageError. */
  readonly reason: StorageFault | undefined;
}

/** The outcome of a job or of an opening. */
export type JobAnswer =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failure: Failure };

/** Everything that the thread says. */
export interface Report {
  readonly answers: readonly JobAnswer[];
  /** What is wrong now; null for nothing. Absent if that has not changed. */
  readonly fault?: Failure | null;
  /** What a person should know. */
  readonly warnings?: readonly string[];
  /** Records that were found and cannot be read. */
  readonly damaged?: readonly string[];
}

/** An error as it is sent. */
export function toFailure(error: IotmpError): Failure {
  const { code, message, statusCode } = error;
  return { code, message, statusCode, reason: error instanceof StorageError ? error.reason : undefined };
}

/** The error again. */
export function fromFailure({ code, message, statusCode, reason }: Failure): IotmpError {
  return reason === undefined
    ? new IotmpError(code, message, { statusCode })
    : new StorageError(reason, message);
}
