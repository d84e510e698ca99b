import { z } from 'zod';
import { IotmpError } from '../errors';
import { deviceActions, type DeviceRequest } from './device-request';
import { matchesWildcard } from './wildcard';

/** What a directory knows of a device beside its name. Blank is none. */
export interface DeviceTraits {
  readonly type: string;
  readonly group: string;
  readonly product: string;
}

const MAX_TEXT = 512;
const text = z.string().min(1).max(MAX_TEXT);

const deviceRule = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  /**
   * The devices that the rule is for: `user/device`, or `type:`, `group:` or `product:` with `user/id` for the devices of a
   * user that have this type, group or product. `*` stands for any run of characters.
   */
  who: text,
  /** One of {@link deviceActions}, or `*`. */
  action: z.enum(['*', ...deviceActions]),
  /** The subject of the action, with `*` for any run of characters. */
  target: text,
});

/** Allows or denies devices an action. */
export type DeviceRule = Readonly<z.infer<typeof deviceRule>>;

/** Maximum number of rules of a server. */
export const MAX_RULES = 1000;

/**
 * Checks a list of rules.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the rule, counted from 1, and the member that is wrong
 */
export function deviceRules(given: unknown): readonly DeviceRule[] {
  if (!Array.isArray(given)) throw new IotmpError('IOTMP_ERR_CONFIG', 'the rules must be a list');
  if (given.length > MAX_RULES) {
    throw new IotmpError('IOTMP_ERR_CONFIG', `a server has ${MAX_RULES} rules at most`);
  }
  return given.map((rule: unknown, index) => {
    const { data, error } = deviceRule.safeParse(rule);
    if (data !== undefined) return checkedWho(data, index);
    const [issue] = error.issues;
    throw ruleError(index, `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
  });
}

/** Whether the rule is for this request. */
export function concerns(
  rule: DeviceRule,
  request: DeviceRequest,
  traits: DeviceTraits | undefined,
): boolean {
  return (
    (rule.action === '*' || rule.action === request.action) &&
    matchesWildcard(rule.target, request.target) &&
    isFor(rule.who, request, traits)
  );
}

const TRAIT = /^(type|group|product):(.+)$/;

function isFor(
  who: string,
  { who: { user, device } }: DeviceRequest,
  traits: DeviceTraits | undefined,
): boolean {
  const [, kind, pattern = ''] = TRAIT.exec(who) ?? [];
  if (kind !== 'type' && kind !== 'group' && kind !== 'product')
    return matchesWildcard(who, `${user}/${device}`);
  const id = traits?.[kind] ?? '';
  return id !== '' && matchesWildcard(pattern, `${user}/${id}`);
}

function checkedWho(rule: DeviceRule, index: number): DeviceRule {
  const [, , id] = TRAIT.exec(rule.who) ?? [];
  const name = id ?? rule.who;
  if (name.includes('/') || name.includes('*')) return rule;
  throw ruleError(index, 'who must be user/device, or type:, group: or product: with user/id');
}

function ruleError(index: number, reason: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', `rule ${index + 1}: ${reason}`);
}
