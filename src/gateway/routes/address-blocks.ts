import { z } from 'zod';
import { json } from '../http/answer';
import { notFound } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';

const ABOUT = { ...PLAIN, asset: 'Server', access: 'admin' } as const;

const addressBlock = z.object({
  address: z.string().describe('of IPv6 its network'),
  since: z.number().describe('ms since 1970'),
  until: z.number().describe('ms since 1970'),
  tries: z.number().describe('tries and connections that were turned away'),
});

/** Routes about addresses that are blocked, as too many logins from there were refused. */
export const addressBlockRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    method: 'GET',
    path: '/v1/server/blocks',
    action: 'ListServerBlocks',
    summary: 'List the addresses that are blocked because too many logins of devices were refused',
    answer: z.array(addressBlock),
    handle: ({ context }) => json(context.server.blockedAddresses.map((block) => ({ ...block }))),
  }),
  route({
    ...ABOUT,
    method: 'DELETE',
    path: '/v1/server/blocks/:address',
    action: 'DeleteServerBlock',
    id: 'address',
    summary: 'Lift the block of an address',
    answer: z.object({ address: z.string() }),
    handle({ context, param }) {
      const address = param('address');
      if (!context.server.liftBlock(address)) throw notFound('this address is not blocked');
      return json({ address });
    },
  }),
];
