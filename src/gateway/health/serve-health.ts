import type { ServerResponse } from 'node:http';
import { sendAnswer } from '../http/answer';
import { HEALTH_PATHS, healthStatus, healthWithReasons } from './health-answer';
import type { HealthReason, ServerHealth } from './server-health';

const NOT_SERVED: readonly HealthReason[] = [
  { part: 'server', reason: 'starting', message: 'the API is not served yet' },
];

/**
 * Answers a question for the health of a server without a gateway, which is not there while its records cannot be read: 503, with
 * what is known. Returns false, and does not touch the response, when the path is another.
 * @param target path and query below the path of the API
 */
export function serveHealth(
  { reasons: known }: Pick<ServerHealth, 'reasons'>,
  method: string,
  response: ServerResponse,
  target: string,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const health = { reasons: known.length === 0 ? NOT_SERVED : known };
  const [path] = target.split('?', 1);
  if (path === HEALTH_PATHS.withReasons) sendAnswer(response, healthWithReasons(health), method === 'GET');
  else if (path === HEALTH_PATHS.statusOnly) sendAnswer(response, healthStatus(health));
  else return false;
  return true;
}
