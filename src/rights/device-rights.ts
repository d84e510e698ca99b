import { IotmpError } from '../errors';
import { printable, printableJson } from '../printable';
import type { DeviceId } from '../types';
import { sharedRequest, type DeviceAction, type DeviceRequest } from './device-request';
import { concerns, type DeviceRule, type DeviceTraits } from './device-rule';

/** What the decisions depend on. */
export interface DeviceRightsPort {
  /** What a directory knows of a device. */
  readonly traitsOf: (id: DeviceId) => DeviceTraits | undefined;
  /** Hears of each refusal, with a text that names the rule to add. */
  readonly onRefused: (text: string) => void;
}

/** A decision, and the rule that made it; without a rule it was the default. */
export interface RightsDecision {
  readonly isAllowed: boolean;
  readonly rule: DeviceRule | undefined;
}

/**
 * Decides what devices may do to others. The first rule that is for a request decides; without one, the default of the
 * request. Flows, and programs with a token, are not asked.
 */
export class DeviceRights {
  readonly #port: DeviceRightsPort;
  #rules: readonly DeviceRule[] = [];

  constructor(port: DeviceRightsPort) {
    this.#port = port;
  }

  /** The rules, in the order in which they are asked. They are for what devices ask from now on. */
  get rules(): readonly DeviceRule[] {
    return this.#rules;
  }

  set rules(rules: readonly DeviceRule[]) {
    this.#rules = rules;
  }

  decide(request: DeviceRequest): RightsDecision {
    if (this.#rules.length === 0) return { isAllowed: request.isDefault, rule: undefined };
    const traits = this.#port.traitsOf(request.who);
    const rule = this.#rules.find((one) => concerns(one, request, traits));
    return { isAllowed: rule === undefined ? request.isDefault : rule.effect === 'allow', rule };
  }

  allows(request: DeviceRequest): boolean {
    return this.decide(request).isAllowed;
  }

  /** @throws IotmpError IOTMP_ERR_FORBIDDEN naming the device, the action and the target */
  check(request: DeviceRequest): void {
    if (this.#rules.length === 0 && request.isDefault) return;
    if (this.allows(request)) return;
    const { who, action, target } = request;
    const name = `${who.user}/${who.device}`;
    const refusal = `${name} may not ${action} ${target}`;
    this.#port.onRefused(withRule(refusal, { effect: 'allow', who: name, action, target }));
    throw new IotmpError('IOTMP_ERR_FORBIDDEN', refusal);
  }

  /** Checks an action on a thing that the devices of a user share, or on the device's own properties. */
  checkShared(who: DeviceId, action: DeviceAction, target: string): void {
    if (this.#rules.length > 0) this.check(sharedRequest(who, action, target));
  }
}

/** A refusal with the rule that would allow it, which can be copied as it is. A rule too long for a line is left out. */
function withRule(refusal: string, rule: object): string {
  const text = `${printable(refusal)}. This rule allows it: ${printableJson(rule)}`;
  return printable(text) === text ? text : printable(refusal);
}
