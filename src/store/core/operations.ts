import type { AggregationFunction } from '../aggregation/aggregation-function';
import type { SpanName } from '../aggregation/span-name';
import type { WrittenRows } from '../bucket-store';
import type { PackedValues } from '../packed-values';
import type { FullPage } from '../page';
import type { Outcome } from '../property-store';
import type { PointKey } from './point-source';
import type { BucketEntry, DocumentEntry, PropertyEntry, RetainedEntry } from './tables';

/** An owner. */
export interface OwnerArgs {
  readonly user: string;
  /** See `ownerKey`. */
  readonly device: string;
}

/** Which document. */
export interface DocumentArgs {
  readonly collection: string;
  readonly user: string;
  readonly id: string;
}

/** Which bucket. */
export interface BucketArgs {
  readonly user: string;
  readonly bucket: string;
}

/** The time of a write, in ms since 1970. */
interface At {
  readonly at: number;
}

type Expect = 'absent' | 'present' | undefined;

/** Which rows of a bucket, with all defaults. */
export interface SelectionArgs extends BucketArgs {
  readonly minTs: number;
  readonly maxTs: number;
  readonly devices: readonly string[] | undefined;
  readonly tags: readonly (readonly [path: string, values: readonly string[]])[];
}

/** A range of rows, with all defaults. */
export interface RangeArgs extends SelectionArgs {
  readonly ascending: boolean;
  readonly after: PointKey | undefined;
  readonly offset: number;
  readonly limit: number;
  readonly fields: readonly string[] | undefined;
}

/** The newest rows of each device, with all defaults. */
export interface LatestArgs extends SelectionArgs {
  readonly perDevice: number;
  readonly fields: readonly string[] | undefined;
}

/** An aggregation, with all defaults. */
export interface AggregateArgs extends SelectionArgs {
  readonly span: SpanName;
  readonly function: AggregationFunction;
  readonly timeZone: string;
  readonly groupBy: 'device' | undefined;
  readonly ascending: boolean;
  readonly limit: number;
  readonly fields: readonly string[] | undefined;
}

/** Rows on their way to the one who asked. */
export interface RowsResult<Next> {
  readonly ts: readonly number[];
  /** Empty for none. */
  readonly devices: readonly string[];
  readonly values: PackedValues;
  /** Where more begins, if there is more. */
  readonly next: Next | undefined;
}

interface Operation<Args, Result> {
  readonly args: Args;
  readonly result: Result;
}

/** What can be asked for at once. */
export interface Reads {
  propertyGet: Operation<OwnerArgs & { readonly name: string }, PropertyEntry | undefined>;
  propertyList: Operation<OwnerArgs & { readonly page: FullPage }, PropertyEntry[]>;
  documentGet: Operation<DocumentArgs, DocumentEntry | undefined>;
  documentList: Operation<
    { readonly collection: string; readonly user: string | undefined; readonly page: FullPage },
    DocumentEntry[]
  >;
  retainedGet: Operation<{ readonly user: string; readonly topic: string }, RetainedEntry | undefined>;
  bucketGet: Operation<BucketArgs, BucketEntry | undefined>;
  bucketList: Operation<{ readonly user: string | undefined; readonly page: FullPage }, BucketEntry[]>;
  bucketCount: Operation<BucketArgs, number>;
}

/** What may take long, and so is done in steps between which others have their turn. */
export interface LongReads {
  retainedList: Operation<
    {
      readonly user: string;
      readonly filter: string | undefined;
      readonly after: string;
      readonly limit: number;
    },
    { readonly entries: RetainedEntry[]; readonly next: string | undefined }
  >;
  bucketRange: Operation<RangeArgs, RowsResult<PointKey>>;
  bucketLatest: Operation<LatestArgs, RowsResult<never>>;
  bucketAggregate: Operation<AggregateArgs, RowsResult<number>>;
  bucketTagValues: Operation<SelectionArgs & { readonly tag: string }, string[]>;
}

/** What changes something. Each is done wholly or not at all. */
export interface Writes {
  propertySet: Operation<
    OwnerArgs &
      At & { readonly name: string; readonly value: Uint8Array; readonly attributes: Uint8Array | undefined },
    Outcome
  >;
  propertyMerge: Operation<
    OwnerArgs & At & { readonly name: string; readonly patch: Uint8Array },
    Uint8Array
  >;
  propertyRemove: Operation<OwnerArgs & { readonly name: string }, boolean>;
  propertyClear: Operation<OwnerArgs, number>;
  documentPut: Operation<
    DocumentArgs & At & { readonly body: Uint8Array; readonly expect: Expect },
    'created' | 'updated'
  >;
  documentMerge: Operation<DocumentArgs & At & { readonly patch: Uint8Array }, DocumentEntry>;
  documentRemove: Operation<DocumentArgs, boolean>;
  documentClear: Operation<{ readonly collection: string; readonly user: string }, number>;
  retainedSet: Operation<
    At & { readonly user: string; readonly topic: string; readonly payload: Uint8Array },
    undefined
  >;
  retainedRemove: Operation<{ readonly user: string; readonly topic: string }, boolean>;
  retainedClear: Operation<{ readonly user: string }, number>;
  bucketDefine: Operation<
    BucketArgs & At & { readonly settings: Uint8Array; readonly expect: Expect },
    'created' | 'updated'
  >;
  bucketUpdate: Operation<BucketArgs & At & { readonly patch: Uint8Array }, BucketEntry>;
  bucketRemove: Operation<BucketArgs, boolean>;
  bucketWrite: Operation<
    BucketArgs &
      At & {
        /** `undefined` for a row that gets the next free time. */
        readonly ts: readonly (number | undefined)[];
        readonly devices: readonly string[];
        readonly values: PackedValues;
        /** Settings of the bucket, where there is none yet. */
        readonly create: Uint8Array | undefined;
      },
    WrittenRows
  >;
  bucketPrune: Operation<BucketArgs & At, number>;
  bucketClear: Operation<BucketArgs, undefined>;
}

/** A computation in steps, each of some milliseconds. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** What does the operations. */
export type ReadHandlers = { readonly [N in keyof Reads]: (args: Reads[N]['args']) => Reads[N]['result'] };
/** What does the long reads. */
export type LongReadHandlers = {
  readonly [N in keyof LongReads]: (args: LongReads[N]['args']) => Steps<LongReads[N]['result']>;
};
/** What does the writes. */
export type WriteHandlers = {
  readonly [N in keyof Writes]: (args: Writes[N]['args']) => Writes[N]['result'];
};
