import { z } from 'zod';
import type { Bucket } from '../../store/bucket-store';
import { isMap, type DeviceId } from '../../types';
import type { GatewayContext } from '../gateway-context';
import { json } from '../http/answer';
import { PLAIN, route, type Route } from '../route';
import { bucketDocument, bucketRow, MAX_BUCKETS } from './buckets';
import { idOf, knownDevice } from '../devices/known-device';
import { selectRows } from './list';
import { listQuery } from './schemas';

/** The buckets of one device (`platform-api.md` section 5). */
export const deviceBucketRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: '/v3/users/:user/devices/:device/buckets',
    action: 'ListDeviceBuckets',
    asset: 'Device',
    id: 'device',
    summary: 'List the buckets that are fed from a device, or hold rows of it',
    query: listQuery,
    answer: z.array(bucketDocument),
    async handle({ context, param, query }) {
      const id = knownDevice(context, idOf(param));
      const buckets = await context.services.buckets.list(id.user, { limit: MAX_BUCKETS });
      const rows = [];
      for (const bucket of buckets) {
        if (isFedFrom(bucket, id) || (await holdsRowsOf(context, bucket, id))) rows.push(bucketRow(bucket));
      }
      return json(selectRows(rows, 'bucket', query));
    },
  }),
];

function isFedFrom({ settings: { config } }: Bucket, { device }: DeviceId): boolean {
  return isMap(config) && config.source === 'device' && config.device === device;
}

async function holdsRowsOf(
  { services }: GatewayContext,
  bucket: Bucket,
  { device }: DeviceId,
): Promise<boolean> {
  const rows = await services.buckets.latest(bucket, { devices: [device], perDevice: 1 });
  return rows.length > 0;
}
