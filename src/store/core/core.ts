import type { StoreLimits } from '../store-limits';
import { BucketOperations } from './bucket-operations';
import { BucketQueries } from './bucket-queries';
import { DocumentOperations } from './document-operations';
import type { LongReadHandlers, ReadHandlers, WriteHandlers } from './operations';
import { PropertyOperations } from './property-operations';
import { RetainedOperations } from './retained-operations';
import type { Tables } from './tables';

/** All that a store can be asked for, over tables of whatever kind. It is used by one caller, one call after the other. */
export interface Core {
  readonly reads: ReadHandlers;
  readonly longReads: LongReadHandlers;
  readonly writes: WriteHandlers;
  /** Has to be called when writes have been undone. */
  forget(): void;
}

/** Puts the rules over tables. */
export function makeCore(tables: Tables, limits: StoreLimits): Core {
  const properties = new PropertyOperations(tables.properties, limits);
  const documents = new DocumentOperations(tables.documents, limits);
  const retained = new RetainedOperations(tables.retained, limits);
  const buckets = new BucketOperations(tables.buckets, tables.points, limits);
  return {
    reads: readHandlers(tables, buckets),
    longReads: longReadHandlers(retained, new BucketQueries(buckets, tables.points)),
    writes: {
      propertySet: (args) => properties.set(args),
      propertyMerge: (args) => properties.merge(args),
      propertyRemove: ({ user, device, name }) => tables.properties.remove(user, device, name),
      propertyClear: ({ user, device }) => tables.properties.clear(user, device),
      documentPut: (args) => documents.put(args),
      documentMerge: (args) => documents.merge(args),
      documentRemove: ({ collection, user, id }) => tables.documents.remove(collection, user, id),
      documentClear: ({ collection, user }) => tables.documents.clear(collection, user),
      retainedSet: (args) => retained.set(args),
      retainedRemove: ({ user, topic }) => tables.retained.remove(user, topic),
      retainedClear: ({ user }) => tables.retained.clear(user),
      bucketDefine: (args) => buckets.define(args),
      bucketUpdate: (args) => buckets.update(args),
      bucketRemove: (args) => buckets.remove(args),
      bucketWrite: (args) => buckets.write(args),
      bucketPrune: (args) => buckets.prune(args),
      bucketClear: (args) => buckets.clear(args),
    },
    forget: () => buckets.forget(),
  };
}

function readHandlers(tables: Tables, buckets: BucketOperations): ReadHandlers {
  return {
    propertyGet: ({ user, device, name }) => tables.properties.get(user, device, name),
    propertyList: ({ user, device, page }) => tables.properties.list(user, device, page),
    documentGet: ({ collection, user, id }) => tables.documents.get(collection, user, id),
    documentList: ({ collection, user, page }) => tables.documents.list(collection, user, page),
    retainedGet: ({ user, topic }) => tables.retained.get(user, topic),
    bucketGet: ({ user, bucket }) => tables.buckets.get(user, bucket),
    bucketList: ({ user, page }) => tables.buckets.list(user, page),
    bucketCount: (args) => buckets.count(args),
  };
}

function longReadHandlers(retained: RetainedOperations, queries: BucketQueries): LongReadHandlers {
  return {
    retainedList: (args) => retained.list(args),
    bucketRange: (args) => queries.range(args),
    bucketLatest: (args) => queries.latest(args),
    bucketAggregate: (args) => queries.aggregate(args),
    bucketTagValues: (args) => queries.tagValues(args),
  };
}
