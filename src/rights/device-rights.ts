import { IotmpError } from '../errors';
import { printable, printableJson } from '../printable';
import type { DeviceId } from '../types';
import { BoundedMap } from '../util/bounded-map';
import { deviceActions, sharedRequest, type DeviceAction, type DeviceRequest } from './device-request';
import { whoOf, type DeviceRule, type DeviceTraits } from './device-rule';
import { OpenRights } from './open-rights';
import { AskedRight, RuleMatcher } from './rule-matcher';

/** What the decisions depend on. */
export interface DeviceRightsPort {
  /** What a directory knows of a device; `undefined` while that cannot be known: then rules for traits deny, and do not allow. */
  readonly traitsOf: (id: DeviceId) => DeviceTraits | undefined;
  /** Hears of each refusal once, with a text that names the rule to add. */
  readonly onRefused: (text: string, who: DeviceId) => void;
}

/** A decision, and the rule that made it; without a rule it was the default. */
export interface RightsDecision {
  readonly isAllowed: boolean;
  readonly rule: DeviceRule | undefined;
}

/** Maximum number of refusals that are remembered, so that they are not told again. */
const MAX_TOLD = 1000;

/**
 * Decides what devices may do to others. The first rule that is for a request decides; without one, the default of the
 * request. Flows, and programs with a token, are not asked.
 */
export class DeviceRights {
  readonly #port: DeviceRightsPort;
  readonly #open = new OpenRights();
  readonly #told = new BoundedMap<string, true>(MAX_TOLD);
  #rules: readonly DeviceRule[] = [];
  #byAction: ReadonlyMap<DeviceAction, readonly RuleMatcher[]> = new Map();

  constructor(port: DeviceRightsPort) {
    this.#port = port;
  }

  /**
   * The rules, in the order in which they are asked. What new rules deny ends at once, where it is open; what they allow
   * stays as it is.
   */
  get rules(): readonly DeviceRule[] {
    return this.#rules;
  }

  set rules(rules: readonly DeviceRule[]) {
    const matchers = rules.map((rule) => new RuleMatcher(rule));
    this.#rules = [...rules];
    this.#byAction = new Map(
      deviceActions.map((action) => [action, matchers.filter((one) => one.isAbout(action))]),
    );
    this.#told.clear();
    this.review();
  }

  /** Number of rights that open streams, subscriptions and waiting requests depend on. */
  get open(): number {
    return this.#open.size;
  }

  /**
   * Asks again for what is open, of one device or of all, as when a directory knows another type, group or product of it.
   */
  review(id?: DeviceId): void {
    const objection = (request: DeviceRequest): IotmpError | undefined =>
      this.allows(request) ? undefined : this.#refuse(request, 'may no longer');
    if (id === undefined) this.#open.reviewAll(this.#rules.length, objection);
    else if (this.#rules.length > 0) this.#open.reviewOf(id, objection);
  }

  decide(request: DeviceRequest): RightsDecision {
    if (this.#rules.length === 0) return { isAllowed: request.isDefault, rule: undefined };
    const asked = new AskedRight(request, this.#port.traitsOf(request.who));
    const found = this.#byAction.get(request.action)?.find((one) => one.concerns(asked));
    const isAllowed = found === undefined ? request.isDefault : found.rule.effect === 'allow';
    return { isAllowed, rule: found?.rule };
  }

  allows(request: DeviceRequest): boolean {
    return this.decide(request).isAllowed;
  }

  /** @throws IotmpError IOTMP_ERR_FORBIDDEN naming the device, the action, the target and the rule to add */
  check(request: DeviceRequest): void {
    if (this.#rules.length === 0 && request.isDefault) return;
    if (!this.allows(request)) throw this.#refuse(request, 'may not');
  }

  /**
   * Checks a right that is needed until the returned function is called. `onLost` is called when rules or traits have
   * changed and the right is gone.
   * @throws what {@link check} throws
   */
  hold(request: DeviceRequest, onLost: (error: IotmpError) => void): () => void {
    this.check(request);
    return this.#open.add({ request, onLost });
  }

  /** Checks an action on a thing that the devices of a user share, or on the device's own properties. */
  checkShared(who: DeviceId, action: DeviceAction, target: string): void {
    if (this.#rules.length > 0) this.check(sharedRequest(who, action, target));
  }

  #refuse({ who, action, target }: DeviceRequest, verb: string): IotmpError {
    const name = `${who.user}/${who.device}`;
    const rule = { effect: 'allow', who: whoOf(name), action, target } as const;
    const text = withRule(`${name} ${verb} ${action} ${target}`, rule);
    if (!this.#told.has(text)) {
      this.#told.set(text, true);
      this.#port.onRefused(text, who);
    }
    return new IotmpError('IOTMP_ERR_FORBIDDEN', text);
  }
}

/**
 * A refusal with the rule that would allow it, which can be copied as it is. It is left out where it is too long for a line, and
 * where a name has a `*`: the rule would allow more than was asked for.
 */
function withRule(refusal: string, rule: DeviceRule): string {
  if (rule.who.includes('*') || rule.target.includes('*')) return printable(refusal);
  const text = `${printable(refusal)}. This rule allows it: ${printableJson(rule)}`;
  return printable(text) === text ? text : printable(refusal);
}
