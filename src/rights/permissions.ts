import { z } from 'zod';
import { matchesWildcard } from './wildcard';

const actions = z.union([z.literal('*'), z.array(z.string().max(100)).max(200)]);

/**
 * What a token allows or denies: by type of asset, by id, the actions. `*` stands for any run of characters:
 * `{"Device":{"pump*":["Read*","AccessDeviceResources"]}}`.
 */
export const grants = z.record(z.string().max(100), z.record(z.string().max(100), actions));

export type Grants = z.infer<typeof grants>;

/** What somebody may do. */
export interface Permissions {
  /** Whether it is all that the user himself may do: only then may rights be handed on to others. */
  readonly unlimited: boolean;
  /** What a token was given: as long as it is the same, the same is allowed. */
  readonly grants: readonly (Grants | undefined)[];
  /** Whether an action on the asset of this id is allowed. */
  allows(asset: string, id: string, action: string): boolean;
  /** Whether an action on the asset is denied, which is more than that it is not allowed. */
  denies(asset: string, id: string, action: string): boolean;
  /** Whether the action is allowed on any asset of the type: then its list may be asked for. */
  allowsSome(asset: string, action: string): boolean;
}

/** All that the user himself may do. */
export const FULL_PERMISSIONS: Permissions = Object.freeze({
  unlimited: true,
  grants: [],
  allows: () => true,
  denies: () => false,
  allowsSome: () => true,
});

/** What is denied is denied, of the rest what is allowed is allowed, and nothing else. */
export function grantedPermissions(allow: Grants | undefined, deny: Grants | undefined): Permissions {
  const allowed = rulesOf(allow);
  const denied = rulesOf(deny);
  return {
    unlimited: covers(allowed, '*', '*', '*') && Object.keys(deny ?? {}).length === 0,
    grants: [allow, deny],
    allows: (asset, id, action) => !covers(denied, asset, id, action) && covers(allowed, asset, id, action),
    denies: (asset, id, action) => covers(denied, asset, id, action),
    allowsSome: (asset, action) =>
      !covers(denied, asset, '', action) &&
      allowed.some((rule) => isFor(rule, asset) && permits(rule, action)),
  };
}

/** What a device token is good for. */
export const DEVICE_TOKEN_ACTIONS: readonly string[] = [
  'ReadDevice',
  'ReadDeviceStatistics',
  'ListDeviceResources',
  'AccessDeviceResources',
];

/** What the token of a device allows. */
export function devicePermissions(device: string): Permissions {
  return {
    unlimited: false,
    grants: [],
    allows: (asset, id, action) =>
      asset === 'Device' && id === device && DEVICE_TOKEN_ACTIONS.includes(action),
    denies: () => false,
    allowsSome: () => false,
  };
}

/** What two grants allow both. Of patterns that overlap without one covering the other, nothing. */
export function commonGrants(one: Grants = {}, other: Grants = {}): Grants {
  return grantsOf([...coveredLines(one, other), ...coveredLines(other, one)]);
}

/** What one of two grants allows. */
export function joinedGrants(one: Grants = {}, other: Grants = {}): Grants {
  return grantsOf([...linesOf(one), ...linesOf(other)]);
}

type GrantLine = readonly [type: string, id: string, actions: '*' | readonly string[]];

function linesOf(grants: Grants): GrantLine[] {
  return Object.entries(grants).flatMap(([type, ids]) =>
    Object.entries(ids).map(([id, actions]): GrantLine => [type, id, actions]),
  );
}

/** The part of grants that others cover. A pattern is covered by one that it matches as a text. */
function coveredLines(grants: Grants, others: Grants): GrantLine[] {
  const rules = rulesOf(others);
  return linesOf(grants).flatMap(([type, id, actions]): GrantLine[] => {
    const given = actions === '*' ? [actions] : actions;
    const covered = given.filter((action) => covers(rules, type, id, action));
    return covered.length === 0 ? [] : [[type, id, actions === '*' ? actions : covered]];
  });
}

function grantsOf(lines: readonly GrantLine[]): Grants {
  const types = new Map<string, Map<string, '*' | string[]>>();
  for (const [type, id, actions] of lines) {
    const ids = types.get(type) ?? new Map<string, '*' | string[]>();
    types.set(type, ids);
    const before = ids.get(id) ?? [];
    const isAll = before === '*' || actions === '*';
    ids.set(id, isAll ? '*' : [...new Set([...before, ...actions])]);
  }
  // `fromEntries` makes plain own members, also of a key such as `__proto__`.
  return Object.fromEntries([...types].map(([type, ids]) => [type, Object.fromEntries(ids)]));
}

/** One line of {@link Grants}. */
interface Rule {
  /** In lower case. */
  readonly type: string;
  readonly id: string;
  readonly actions: '*' | readonly string[];
}

function rulesOf(grants: Grants = {}): Rule[] {
  return Object.entries(grants).flatMap(([type, ids]) =>
    Object.entries(ids).map(([id, actions]) => ({ type: type.toLowerCase(), id, actions })),
  );
}

function covers(rules: readonly Rule[], asset: string, id: string, action: string): boolean {
  return rules.some((rule) => isFor(rule, asset) && matchesWildcard(rule.id, id) && permits(rule, action));
}

function isFor({ type }: Rule, asset: string): boolean {
  return matchesWildcard(type, asset.toLowerCase());
}

function permits({ actions }: Rule, action: string): boolean {
  return actions === '*' || actions.some((pattern) => matchesWildcard(pattern, action));
}
