import { errorText, IotmpError } from '../../errors';
import { MAX_INTERVAL_MS } from '../../session/streams/stream-interval';
import type { BucketSettings } from '../../store/bucket-store';
import { TopicFilter } from '../../topic/topic-filter';
import { isMap, type Value } from '../../types';

/** A resource of a device whose samples become rows of a bucket. */
export interface DeviceBucketSource {
  readonly kind: 'device';
  readonly device: string;
  readonly resource: string;
  /** Time between two samples, in ms; 0 = as the device decides. */
  readonly intervalMs: number;
}

/** Topics whose messages become rows of a bucket. */
export interface TopicBucketSource {
  readonly kind: 'topic';
  readonly filter: string;
}

/** The source that feeds a bucket. */
export type BucketSource = DeviceBucketSource | TopicBucketSource;

const DEFAULT_INTERVAL_S = 60;
const MAX_INTERVAL_S = MAX_INTERVAL_MS / 1000;

/**
 * The source that feeds a bucket, as the bucket's settings say:
 *
 * - `config: {source: "device", device, resource, update: "interval" | "events" | "none", interval}`: a device's
 *   resource that the server streams. `update` is `interval` by default. `interval` is a number of seconds from 1 to
 *   86,400, 60 by default.
 * - `config: {source: "mqtt", topic}`: the messages of the user's topics; `topic` may have the wildcards of MQTT.
 *
 * @throws IotmpError IOTMP_ERR_CONFIG for a config of this kind that is not usable
 */
export function bucketSource({ config, enabled }: BucketSettings): BucketSource | undefined {
  if (!isMap(config)) return undefined;
  const source = sourceOf(config);
  return enabled === false ? undefined : source;
}

/**
 * Makes the row of a sample or a message. A map is the row; any other value becomes a map with one name. Null and an
 * empty map are no row: a device sends null if it wrote nothing.
 */
export function rowOfSample(name: string, sample: Value | undefined): Record<string, Value> | undefined {
  if (sample === undefined || sample === null) return undefined;
  if (!isMap(sample)) return { [name]: sample };
  return Object.keys(sample).length > 0 ? sample : undefined;
}

function sourceOf(config: Readonly<Record<string, Value>>): BucketSource | undefined {
  switch (config.source) {
    case 'device':
      return deviceSource(config);
    case 'mqtt':
      return { kind: 'topic', filter: topicFilter(config.topic) };
    default:
      return undefined;
  }
}

function deviceSource(config: Readonly<Record<string, Value>>): DeviceBucketSource | undefined {
  const { device, resource, update = 'interval', interval } = config;
  const source = {
    kind: 'device',
    device: text('device', device),
    resource: text('resource', resource),
    intervalMs: intervalMs(update, interval ?? DEFAULT_INTERVAL_S),
  } as const;
  return update === 'none' ? undefined : source;
}

function topicFilter(topic: Value | undefined): string {
  try {
    return new TopicFilter(topic).levels.join('/');
  } catch (error) {
    throw unusable(`config.topic: ${errorText(error)}`);
  }
}

function text(what: string, value: Value | undefined): string {
  if (typeof value === 'string' && value !== '') return value;
  throw unusable(`config.${what} has to be a text`);
}

function intervalMs(update: Value, interval: Value): number {
  if (update === 'events' || update === 'none') return 0;
  if (update !== 'interval') throw unusable('config.update has to be interval, events or none');
  if (typeof interval === 'number' && interval >= 1 && interval <= MAX_INTERVAL_S) return interval * 1000;
  throw unusable(`config.interval has to be 1 to ${MAX_INTERVAL_S} s`);
}

function unusable(message: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', message);
}
