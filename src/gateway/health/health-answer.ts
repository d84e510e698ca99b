import { z } from 'zod';
import { json, type BodyAnswer } from '../http/answer';
import type { HealthReason, ServerHealth } from './server-health';

/** What programs are told of the health of a server. */
export const healthDocument = z.object({
  status: z.enum(['ok', 'failing']),
  reasons: z
    .array(z.object({ part: z.string(), reason: z.string(), message: z.string() }))
    .optional()
    .describe('where the status is not ok'),
});

/** Paths of the health of a server, below the path of the API. */
export const HEALTH_PATHS = { withReasons: '/v1/server/healthcheck', statusOnly: '/health' } as const;

const OK: BodyAnswer = Object.freeze(json({ status: 'ok' }));
const STATUS_OK: BodyAnswer = Object.freeze({ status: 200 });
const STATUS_FAILING: BodyAnswer = Object.freeze({ status: 503 });

/** The health of a server with its reasons: 200, or 503. */
export function healthWithReasons({ reasons }: Pick<ServerHealth, 'reasons'>): BodyAnswer {
  if (reasons.length === 0) return OK;
  const told = reasons.map(({ part, reason, message }: HealthReason) => ({ part, reason, message }));
  return json({ status: 'failing', reasons: told }, 503);
}

/** The health of a server as a status alone: 200, or 503. */
export function healthStatus({ reasons }: Pick<ServerHealth, 'reasons'>): BodyAnswer {
  return reasons.length === 0 ? STATUS_OK : STATUS_FAILING;
}
