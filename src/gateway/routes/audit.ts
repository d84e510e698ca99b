import { z } from 'zod';
import { json } from '../http/answer';
import { IGNORED, route, type Route } from '../route';

const MAX_ENTRIES = 1000;
const time = z.coerce.number().int().nonnegative().describe('ms since 1970');

const query = z.object({
  user: z.string().optional().describe('who acted'),
  action: z.string().optional().describe('such as DeleteDevice'),
  min_ts: time.optional(),
  max_ts: time.optional(),
  limit: z.coerce.number().int().min(1).max(MAX_ENTRIES).default(100).describe('entries of a page'),
  cursor: z.string().optional().describe('where the page before ended'),
});

const auditEntry = z.object({
  ts: z.number().describe('ms since 1970'),
  actor: z.string(),
  by: z.string(),
  token: z.string().optional(),
  action: z.string(),
  target: z.string(),
  status: z.number(),
  address: z.string().optional(),
});

/** The route of the audit log. */
export const auditRoutes: readonly Route[] = [
  route({
    query,
    body: IGNORED,
    asset: 'Server',
    access: 'admin',
    method: 'GET',
    path: '/v1/server/audit',
    action: 'ReadServerAudit',
    summary: 'Read who did what to devices, tokens, users, files and the server, the newest first',
    answer: z.object({ entries: z.array(auditEntry), cursor: z.string().optional() }),
    async handle({ context, query: { user, action, min_ts, max_ts, limit, cursor } }) {
      const page = await context.audit.read({
        limit,
        tags: {
          ...(user !== undefined && { by: [user] }),
          ...(action !== undefined && { action: [action] }),
        },
        ...(min_ts !== undefined && { minTs: min_ts }),
        ...(max_ts !== undefined && { maxTs: max_ts }),
        ...(cursor !== undefined && { cursor }),
      });
      const entries = page.rows.map(({ ts, value }) => ({ ts, ...value }));
      return json({ entries, ...(page.cursor !== undefined && { cursor: page.cursor }) });
    },
  }),
];
