import { z } from 'zod';
import { deviceActions } from './device-request';

/** What a directory knows of a device beside its name. Blank is none. */
export interface DeviceTraits {
  readonly type: string;
  readonly group: string;
  readonly product: string;
}

/** The traits of a device of which a directory knows nothing. */
export const NO_TRAITS: DeviceTraits = Object.freeze({ type: '', group: '', product: '' });

/** What the `who` of a rule may be: a device by its name, or devices by one of their traits. */
export const whoKinds = ['device', 'type', 'group', 'product'] as const;

type WhoKind = (typeof whoKinds)[number];

/** Longest `who` or `target` of a rule, in characters. */
const MAX_TEXT = 512;

const text = z
  .string('must be a text')
  .min(1, 'must not be blank')
  .max(MAX_TEXT, `must have ${MAX_TEXT} characters at most`)
  .refine((value) => value === value.trim(), 'must not begin or end with a blank');

/** The members of a rule, each on its own. */
export const ruleMembers = {
  effect: z.enum(['allow', 'deny'], 'must be "allow" or "deny"'),
  /**
   * The devices that the rule is for: `user/device`, or `type:`, `group:` or `product:` with `user/id` for the devices of a
   * user that have this type, group or product. `*` stands for any run of characters. A name that has a colon in its user
   * is written `device:user/device`.
   */
  who: text.superRefine((value, context) => {
    const fault = whoFault(value);
    if (fault !== undefined) context.addIssue(fault);
  }),
  /** One of {@link deviceActions}, or `*`. */
  action: z.enum(['*', ...deviceActions], `must be "*" or one of ${deviceActions.join(', ')}`),
  /** The subject of the action, with `*` for any run of characters. */
  target: text,
};

export const deviceRule = z.strictObject(ruleMembers).superRefine(({ action, target }, context) => {
  if (action !== 'AccessDeviceResources' || target.includes('*') || target.split('/').length > 2) return;
  context.addIssue({ code: 'custom', path: ['target'], message: 'must be user/device/resource' });
});

/** Allows or denies devices an action. */
export type DeviceRule = Readonly<z.infer<typeof deviceRule>>;

/** A `who` in its parts: what the pattern is compared with, and the pattern. */
export interface RuleSubject {
  readonly kind: WhoKind;
  readonly pattern: string;
}

const PREFIX = /^(\w+):(.*)$/s;

/** The parts of a `who` that is usable. */
export function subjectOf(who: string): RuleSubject {
  const [, prefix, rest = ''] = PREFIX.exec(who) ?? [];
  const kind = whoKinds.find((one) => one === prefix);
  return kind === undefined ? { kind: 'device', pattern: who } : { kind, pattern: rest };
}

/** The `who` of one device. */
export function whoOf(name: string): string {
  return PREFIX.test(name) ? `device:${name}` : name;
}

/** Why a `who` cannot be used. One that is nobody must not go unnoticed: a denial would be lost with it. */
function whoFault(who: string): string | undefined {
  const [, prefix] = PREFIX.exec(who) ?? [];
  if (prefix !== undefined && !whoKinds.some((kind) => kind === prefix)) {
    return `begins with "${prefix}:": known are ${whoKinds.map((kind) => `${kind}:`).join(', ')}`;
  }
  const { pattern } = subjectOf(who);
  const hasBoth = /[^/]\/[^/]|\*/.test(pattern) && !pattern.startsWith('/') && !pattern.endsWith('/');
  return hasBoth ? undefined : 'must be user/device, or type:, group: or product: with user/id';
}
