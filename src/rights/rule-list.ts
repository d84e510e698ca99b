import type { z } from 'zod';
import { IotmpError } from '../errors';
import { deviceRule, ruleMembers, type DeviceRule } from './device-rule';

/** Maximum number of rules of a server. */
export const MAX_RULES = 1000;

/** A rule that cannot be used. */
export interface RuleFault {
  /** The number of its row, counted from 1; 0 stands for the list as a whole. */
  readonly row: number;
  /** What is wrong with it, such as `action must be ...`. */
  readonly reason: string;
  /** What it denies until it is mended. An `allow` denies nothing: it is only left out. */
  readonly denies: DeviceRule | undefined;
}

/** Rules, and what is wrong with those that could not be read. */
export interface RuleReading {
  readonly rules: readonly DeviceRule[];
  readonly faults: readonly RuleFault[];
}

const DENY_ALL: DeviceRule = { effect: 'deny', who: '*', action: '*', target: '*' };

/**
 * Reads a list of rules that somebody may have written by hand. A rule that cannot be read never gives a right: without a
 * rule that allows, less is allowed, and a rule that may be one that denies has to deny at least as much. So an unreadable
 * `allow` is left out, and every other unreadable rule denies, with `*` in the place of each member that cannot be used. What is
 * no list, and what is past {@link MAX_RULES}, denies everything.
 */
export function readDeviceRules(given: unknown): RuleReading {
  if (!Array.isArray(given)) {
    return { rules: [DENY_ALL], faults: [{ row: 0, reason: 'must be a list', denies: DENY_ALL }] };
  }
  const rules: DeviceRule[] = [];
  const faults: RuleFault[] = [];
  for (const [index, row] of given.slice(0, MAX_RULES).entries()) {
    const { data, error } = deviceRule.safeParse(row);
    const denies = data === undefined ? denialOf(row) : undefined;
    const rule = data ?? denies;
    if (rule !== undefined) rules.push(rule);
    if (data === undefined) faults.push({ row: index + 1, reason: reasonOf(error), denies });
  }
  if (given.length > MAX_RULES) {
    rules.push(DENY_ALL);
    faults.push({
      row: MAX_RULES + 1,
      reason: `a server has ${MAX_RULES} rules at most`,
      denies: DENY_ALL,
    });
  }
  return { rules, faults };
}

/**
 * Checks a list of rules.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the rule, counted from 1, and the member that is wrong
 */
export function deviceRules(given: unknown): readonly DeviceRule[] {
  const { rules, faults } = readDeviceRules(given);
  const [fault] = faults;
  if (fault === undefined) return rules;
  const name = fault.row === 0 ? 'the rules' : `rule ${fault.row}:`;
  throw new IotmpError('IOTMP_ERR_CONFIG', `${name} ${fault.reason}`);
}

/** What a row denies that cannot be read; `undefined` for one that would allow. */
function denialOf(row: unknown): DeviceRule | undefined {
  const given = new Map<string, unknown>(Object.entries(Object(row) as object));
  if (given.get('effect') === 'allow') return undefined;
  const member = <T>(name: string, schema: z.ZodType<T>): T | '*' => {
    const { data } = schema.safeParse(given.get(name));
    return data ?? '*';
  };
  const denied = {
    effect: 'deny',
    who: member('who', ruleMembers.who),
    action: member('action', ruleMembers.action),
    target: member('target', ruleMembers.target),
  } as const;
  // Each member may be usable, and yet the rule not: its target then says nothing.
  return deviceRule.safeParse(denied).data ?? { ...denied, target: '*' };
}

function reasonOf(error: z.ZodError | undefined): string {
  const [issue] = error?.issues ?? [];
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'not usable'}`.trim();
}
