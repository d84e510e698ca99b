import type { z } from 'zod';
import { IotmpError } from '../errors';
import { deviceRule, ruleMembers, type DeviceRule } from './device-rule';
import { matchesWildcard } from './wildcard';

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

/** What is known beside the rules themselves. */
export interface RuleListOptions {
  /** The events that there are. With them, a rule on events has to name one. */
  readonly events?: readonly string[];
}

/**
 * Reads a list of rules that somebody may have written by hand. A rule that cannot be read never gives a right: without a
 * rule that allows, less is allowed, and a rule that may be one that denies has to deny at least as much. So an unreadable
 * `allow` is left out, and every other unreadable rule denies, with `*` in the place of each member that cannot be used. What is
 * no list, and what is past {@link MAX_RULES}, denies everything.
 */
export function readDeviceRules(given: unknown, { events }: RuleListOptions = {}): RuleReading {
  if (!Array.isArray(given)) {
    return { rules: [DENY_ALL], faults: [{ row: 0, reason: 'must be a list', denies: DENY_ALL }] };
  }
  const rules: DeviceRule[] = [];
  const faults: RuleFault[] = [];
  for (const [index, row] of given.slice(0, MAX_RULES).entries()) {
    const { data, error } = deviceRule.safeParse(row);
    if (data !== undefined && !isForNothing(data, events)) {
      rules.push(data);
      continue;
    }
    const denies = denialOf(data === undefined ? row : { ...data, target: undefined });
    if (denies !== undefined) rules.push(denies);
    const reason = data === undefined ? reasonOf(error) : 'target is no event of this server';
    faults.push({ row: index + 1, reason, denies });
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

/** Whether a rule on events names none that there is. */
function isForNothing({ action, target }: DeviceRule, events: readonly string[] | undefined): boolean {
  if (action !== 'SubscribeEvents' || events === undefined) return false;
  return !events.some((event) => matchesWildcard(target, event));
}

function reasonOf(error: z.ZodError | undefined): string {
  const [issue] = error?.issues ?? [];
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'not usable'}`.trim();
}
