import { deviceName, USER } from './device-names';
import { RESOURCE } from './iotmp-wire';

const DEVICE = `/v3/users/${USER}/devices/${deviceName(0)}`;

/** What the server of a benchmark keeps for programs to read. */
export const PROPERTY = 'settings';
export const BUCKET = 'readings';
/** Signs the tokens. */
export const API_SECRET = 'secret of the benchmark';
/** So many requests that nobody has to wait. */
export const NO_LIMITS = { requestsPerSecond: 1e7, requestBurst: 1e7 } as const;

/** The resource that a program reads. */
export const RESOURCE_PATH = `${DEVICE}/resources/${RESOURCE}`;
export const PROPERTY_PATH = `${DEVICE}/properties/${PROPERTY}`;
/** The last row of a bucket. */
export const BUCKET_PATH = `/v1/users/${USER}/buckets/${BUCKET}/data?items=1`;
export const HEALTH_PATH = '/v1/server/healthcheck';
/** Where a flow gives the same resource. */
export const FLOW_PATH = '/read';

/** A request as programs send it. */
export function getRequest(path: string, token: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${token}`,
    'Accept: */*',
    'User-Agent: bench',
    '',
    '',
  ].join('\r\n');
}
