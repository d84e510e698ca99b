import { z } from 'zod';
import { deviceActions, isNeverAllowed, requestsFor, type DeviceRequest } from '../../rights/device-request';
import type { DeviceRights, RightsDecision } from '../../rights/device-rights';
import { deviceRule, type DeviceRule } from '../../rights/device-rule';
import type { DeviceId } from '../../types';
import { json } from '../http/answer';
import { badRequest } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';

const ABOUT = { ...PLAIN, method: 'GET', asset: 'Server', access: 'admin' } as const;

const MAX_TEXT = 1024;
const text = z.string().min(1).max(MAX_TEXT);

const numberedRule = z.object({
  number: z.number().describe('of the rule in the list of rules in force, counted from 1'),
  ...deviceRule.shape,
});

const question = z.object({
  who: text.describe('user/device'),
  action: z.enum(deviceActions).describe('what the device wants to do'),
  target: text.describe(
    'user/device/resource, or the name of the event, topic, endpoint, bucket, lock or property',
  ),
  own: z.enum(['true', 'false']).optional().describe('of events: only those about the device itself'),
});

const answer = z.object({
  allowed: z.boolean(),
  by: z.enum(['rule', 'default']),
  rule: numberedRule.optional(),
});

/** Routes about the rights between devices. They only read: rules are written in the settings of the server. */
export const deviceRuleRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    path: '/v1/server/rules',
    action: 'ListServerRules',
    summary:
      'List the rules of rights between devices that are in force, in the order in which they are asked',
    answer: z.array(numberedRule),
    handle: ({ context: { services } }) =>
      json(services.rights.rules.map((_, index) => numbered(services.rights, index))),
  }),
  route({
    ...ABOUT,
    path: '/v1/server/rights',
    action: 'ReadServerRights',
    summary: 'Ask whether a device may do something, and which rule decides that',
    query: question,
    answer,
    handle({ context: { services }, query: { who, action, target, own } }) {
      const requests = requestsFor(deviceOf(who), { action, target, isOwn: own === 'true' });
      const { isAllowed, rule } = decide(services.rights, requests);
      const index = rule === undefined ? -1 : services.rights.rules.indexOf(rule);
      if (index < 0) return json({ allowed: isAllowed, by: 'default' });
      return json({ allowed: isAllowed, by: 'rule', rule: numbered(services.rights, index) });
    },
  }),
];

/** The decision about requests that are needed together: the first refusal, else that about the first of them. */
function decide(rights: DeviceRights, requests: readonly DeviceRequest[]): RightsDecision {
  const decisions = requests.map((request) =>
    isNeverAllowed(request) ? { isAllowed: false, rule: undefined } : rights.decide(request),
  );
  const [first = { isAllowed: false, rule: undefined }] = decisions;
  return decisions.find(({ isAllowed }) => !isAllowed) ?? first;
}

function numbered(rights: DeviceRights, index: number): { number: number } & Partial<DeviceRule> {
  return { number: index + 1, ...rights.rules[index] };
}

function deviceOf(who: string): DeviceId {
  const slash = who.indexOf('/');
  if (slash < 1 || slash === who.length - 1) throw badRequest('query.who: must be user/device');
  return { user: who.slice(0, slash), device: who.slice(slash + 1) };
}
