import type { BucketKey } from '../../bucket-store';

/** A bucket in the words of a log. */
export function bucketName({ user, bucket }: BucketKey): string {
  return `the bucket ${user}/${bucket}`;
}

/** A row of a bucket in the words of a log. */
export function rowName(key: BucketKey, ts: number, device = ''): string {
  return `the row ${ts}${device === '' ? '' : ` of ${device}`} in ${bucketName(key)}`;
}
