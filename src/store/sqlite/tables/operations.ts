import type { DamagedRecords } from '../../damaged-records';
import type { StoreLimits } from '../../store-limits';
import type { Statements } from '../database/statements';
import type { RowCounts } from './row-counts';

/** The arguments and the result of something that is done in the thread of the database. */
export interface Operation<Args, Result> {
  readonly args: Args;
  readonly result: Result;
}

/** Operations by their names. */
type Named = Readonly<Record<string, Operation<unknown, unknown>>>;

/** The operations of a table. No two tables share a name. */
export interface Operations {
  /** Operations that are done at once. */
  readonly reads: Named;
  /** Operations that change something. Each is done wholly or not at all. */
  readonly writes: Named;
}

/** The operations of a table that has long ones, too. */
export interface LongOperations extends Operations {
  /** Operations that are done in steps. Others have their turn between two steps. */
  readonly longReads: Named;
}

/** A computation in steps of some milliseconds each. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

type Handlers<Of extends Named> = {
  readonly [N in keyof Of]: (args: Of[N]['args']) => Of[N]['result'];
};

type LongHandlers<Of extends Named> = {
  readonly [N in keyof Of]: (args: Of[N]['args']) => Steps<Of[N]['result']>;
};

/** A table in the thread of the database: the functions that do its operations. */
export interface Table<Ops extends Operations> {
  readonly reads: Handlers<Ops['reads']>;
  readonly writes: Handlers<Ops['writes']>;
}

/** What the tables are made with. */
export interface TableParts {
  readonly sql: Statements;
  readonly limits: StoreLimits;
  readonly counts: RowCounts;
  readonly damaged: DamagedRecords;
}

/** A table with long operations. */
export interface LongTable<Ops extends LongOperations> extends Table<Ops> {
  readonly longReads: LongHandlers<Ops['longReads']>;
}

/** Has operations done in the thread of the database. Everything rejects with an IotmpError. */
export interface OperationCaller<Ops extends Operations> {
  read<N extends keyof Ops['reads']>(
    name: N,
    args: Ops['reads'][N]['args'],
  ): Promise<Ops['reads'][N]['result']>;
  /** @param bytes size of the values that are to be written */
  write<N extends keyof Ops['writes']>(
    name: N,
    args: Ops['writes'][N]['args'],
    bytes: number,
  ): Promise<Ops['writes'][N]['result']>;
}

/** Has long operations done, too. */
export interface LongOperationCaller<Ops extends LongOperations> extends OperationCaller<Ops> {
  longRead<N extends keyof Ops['longReads']>(
    name: N,
    args: Ops['longReads'][N]['args'],
  ): Promise<Ops['longReads'][N]['result']>;
}

/** What the parts of a store share. */
export interface StoreContext<Caller> {
  readonly database: Caller;
  readonly limits: StoreLimits;
  readonly damaged: DamagedRecords;
  /** The time, in ms since 1970. */
  readonly now: () => number;
}
