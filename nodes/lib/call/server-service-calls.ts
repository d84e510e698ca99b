import type { AuditLog, Backups, BucketRow, PropertyOwner, RowPage, ServerServices } from '../../../src';
import type { ServiceAction } from '../../settings/iotmp-call';
import { aggregationOf, fieldsOf, numberOf, rangeOf, rowsOf } from './bucket-query';
import { flowValue, flowValueOf } from '../flow/flow-value';
import { done, type FlowRequest, type ServiceReply } from './service-request';

/** What the server in this Node-RED offers to flows. */
export interface FlowServices extends Pick<
  ServerServices,
  'properties' | 'buckets' | 'endpoints' | 'topics'
> {
  readonly backups: Backups;
  readonly audit: AuditLog;
}

type ServerServiceCall = (services: FlowServices, request: FlowRequest) => Promise<ServiceReply>;

/** What flows can ask of the services of the server in this Node-RED. */
export const serverServiceCalls: Readonly<Record<ServiceAction, ServerServiceCall>> = {
  'property.get': async ({ properties }, request) => {
    const property = await properties.get(ownerOf(request), request.name);
    return property === undefined ? { payload: null, statusCode: 404 } : done(flowValue(property.value));
  },

  'property.set': async ({ properties }, request) => {
    await properties.set(ownerOf(request), request.name, request.payload);
    return done(request.payload);
  },

  'property.list': async ({ properties }, request) => {
    const { limit, offset } = fieldsOf('the query', request.parameters, ['limit', 'offset']);
    const [most, skipped] = [numberOf('limit', limit), numberOf('offset', offset)];
    const list = await properties.list(ownerOf(request), {
      ...(most !== undefined && { limit: most }),
      ...(skipped !== undefined && { offset: skipped }),
    });
    return done(list.map((property) => flowValue({ ...property })));
  },

  'property.delete': async ({ properties }, request) =>
    done(await properties.remove(ownerOf(request), request.name)),

  'bucket.write': async (services, request) => {
    await writeRows(services, request);
    return done(request.payload);
  },

  'bucket.read': async ({ buckets }, request) => {
    const page = await buckets.range(bucketOf(request), rangeOf(request.parameters, request.device));
    return rowsReply(page);
  },

  'bucket.aggregate': async ({ buckets }, request) => {
    const page = await buckets.aggregate(
      bucketOf(request),
      aggregationOf(request.parameters, request.device),
    );
    return rowsReply(page);
  },

  'endpoint.call': async ({ endpoints }, { user, name, payload, signal }) => {
    const reply = await endpoints.call(user, name, payload, { signal });
    // The events of the call have the same object.
    return { ...reply, payload: flowValueOf(reply.payload) };
  },

  'topic.publish': async ({ topics }, { user, name, payload = null, retain }) => {
    await topics.publish(user, name, payload, { retain });
    return done(payload);
  },

  'server.backup': async ({ backups, audit }) => {
    const { durationMs: duration, ...report } = await backups.make();
    const { backup: target } = report;
    await audit.record({ actor: 'flow', by: 'flow', action: 'CreateServerBackup', target, status: 200 });
    return done({ ...report, duration });
  },
};

/** A bucket that there is not is made, as it is for a device. */
async function writeRows({ buckets }: FlowServices, request: FlowRequest): Promise<void> {
  await buckets.write(bucketOf(request), rowsOf(request.payload, request.device), { create: true });
}

function rowsReply({ rows, cursor }: RowPage): ServiceReply {
  const flowRow = (row: BucketRow): object => ({ ...row, value: flowValue(row.value) });
  return { ...done(rows.map(flowRow)), cursor };
}

function ownerOf({ user, device }: FlowRequest): PropertyOwner {
  return device === '' ? { user } : { user, device };
}

function bucketOf({ user, name }: FlowRequest): { user: string; bucket: string } {
  return { user, bucket: name };
}
