import type { BucketKey } from '../../store/bucket-store';
import { deviceKey } from '../../util/device-key';

/** One string for a bucket. */
export function bucketId({ user, bucket }: BucketKey): string {
  return deviceKey({ user, device: bucket });
}
