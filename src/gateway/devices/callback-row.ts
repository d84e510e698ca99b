import { IotmpError, publicText } from '../../errors';
import { rowTimeFault } from '../../services/buckets/row-time';
import type { NewRow } from '../../store/bucket-row';
import type { DeviceId } from '../../types';
import type { GatewayContext } from '../gateway-context';

/**
 * The time of a callback: the time that it gives, or the server's time in place of an unusable one. Nobody looks at the answer
 * to a callback, so the event `device_time_replaced` says it.
 * @param given in ms since 1970
 */
export function callbackTime(
  { server }: GatewayContext,
  { user, device }: DeviceId,
  given: number | undefined,
): number | undefined {
  const reason = given === undefined ? undefined : rowTimeFault(given);
  if (given === undefined || reason === undefined) return given;
  server.events.publish({ event: 'device_time_replaced', user, device, ts: Date.now(), given, reason });
  return undefined;
}

/** Writes the row of a callback. A refusal is an event, too: `bucket_write_refused`, as of a feed. */
export async function writeCallbackRow(
  { server, services }: GatewayContext,
  { user, device }: DeviceId,
  bucket: string,
  row: NewRow,
): Promise<void> {
  try {
    await services.buckets.write({ user, bucket }, [{ ...row, device }], { create: true });
  } catch (error) {
    const statusCode = error instanceof IotmpError ? error.statusCode : 500;
    const about = { user, device, ts: Date.now(), bucket, statusCode, reason: publicText(error) };
    server.events.publish({ event: 'bucket_write_refused', ...about });
    throw error;
  }
}
