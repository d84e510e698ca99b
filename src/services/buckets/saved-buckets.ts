import { MAX_PAGE } from '../../store/page';
import type { Bucket } from '../../store/bucket-store';
import type { StoreAccess } from '../store-access';

/** All buckets of all users, page by page. Buckets that are created or removed meanwhile may be missed or given twice. */
export async function* savedBuckets(store: StoreAccess): AsyncGenerator<Bucket, undefined> {
  for (let offset = 0; ; offset += MAX_PAGE) {
    const at = offset;
    const page = await store.use(({ buckets }) => buckets.list(undefined, { offset: at, limit: MAX_PAGE }));
    yield* page;
    // A page is shorter by what cannot be read.
    if (page.length === 0) return;
  }
}
