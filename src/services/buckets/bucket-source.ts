import { IotmpError } from '../../errors';
import type { BucketSettings } from '../../store/bucket-store';
import { isMap, type Value } from '../../types';

/** A resource of a device whose samples become rows of a bucket. */
export interface DeviceSource {
  readonly device: string;
  readonly resource: string;
  /** Time between two samples, in ms; 0 = as the device decides. */
  readonly intervalMs: number;
}

const DEFAULT_INTERVAL_S = 60;
const MAX_INTERVAL_S = 86_400;

/**
 * Where a bucket's rows come from, if it is a device's resource that the server streams: settings with
 * `config: {source: "device", device, resource, update: "interval" | "events" | "none", interval}`. `update` is
 * `interval` unless given, `interval` a number of seconds from 1 to 86,400, 60 unless given.
 * @throws IotmpError IOTMP_ERR_CONFIG for such a config that is not usable
 */
export function deviceSource({ config, enabled }: BucketSettings): DeviceSource | undefined {
  if (!isMap(config) || config.source !== 'device') return undefined;
  const { device, resource, update = 'interval', interval } = config;
  const source = {
    device: text('device', device),
    resource: text('resource', resource),
    intervalMs: intervalMs(update, interval ?? DEFAULT_INTERVAL_S),
  };
  return enabled === false || update === 'none' ? undefined : source;
}

/**
 * What a sample is as a row: a map as it is, anything else under the name of its resource. A device that wrote nothing
 * sends null: that is no row, and an empty map neither.
 */
export function rowOfSample(resource: string, sample: Value | undefined): Record<string, Value> | undefined {
  if (sample === undefined || sample === null) return undefined;
  if (!isMap(sample)) return { [resource]: sample };
  return Object.keys(sample).length > 0 ? sample : undefined;
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
