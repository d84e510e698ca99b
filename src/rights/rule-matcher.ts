import { ALL_PROPERTIES, type DeviceAction, type DeviceRequest } from './device-request';
import { subjectOf, type DeviceRule, type DeviceTraits, type RuleSubject } from './device-rule';
import {
  ALL_TEXTS,
  codesOf,
  includesAll,
  overlaps,
  startingWith,
  topicSets,
  wildcardSet,
  type TextSet,
} from './text-set';
import { wildcardMatcher } from './wildcard';

/** A request, as rules are compared with it. */
export class AskedRight {
  readonly target: string;
  readonly action: DeviceAction;
  readonly user: string;
  /** `user/device`. */
  readonly name: string;
  /** What a directory knows of the device; `undefined` while that cannot be known. */
  readonly traits: DeviceTraits | undefined;
  readonly #isSet: boolean;
  #sets: readonly TextSet[] | undefined;

  constructor({ who, action, target }: DeviceRequest, traits: DeviceTraits | undefined) {
    this.target = target;
    this.action = action;
    this.user = who.user;
    this.name = `${who.user}/${who.device}`;
    this.traits = traits;
    this.#isSet =
      action === 'SubscribeTopic'
        ? /[+#]/.test(target)
        : action === 'ReadProperty' && target === ALL_PROPERTIES;
  }

  /** Whether the request is for many targets at once. */
  get isSet(): boolean {
    return this.#isSet;
  }

  /** All targets of the request. */
  get sets(): readonly TextSet[] {
    this.#sets ??= this.#targets();
    return this.#sets;
  }

  #targets(): readonly TextSet[] {
    if (!this.#isSet) return [codesOf(this.target)];
    return this.action === 'SubscribeTopic' ? topicSets(this.target, false) : [ALL_TEXTS];
  }
}

/**
 * A rule, made ready to be compared with many requests. Of a request for many targets, as a topic filter is, a denial is for
 * it when it names one of the targets, and a permission when it names them all.
 */
export class RuleMatcher {
  readonly rule: DeviceRule;
  readonly #who: RuleSubject;
  readonly #matchesWho: (text: string) => boolean;
  readonly #matchesTarget: (text: string) => boolean;
  /** Whether the target is a filter for topics, with wildcards of MQTT. */
  readonly #isFilter: boolean;
  #targets: readonly TextSet[] | undefined;
  #topics: readonly TextSet[] | undefined;

  constructor(rule: DeviceRule) {
    this.rule = rule;
    this.#who = subjectOf(rule.who);
    this.#matchesWho = wildcardMatcher(this.#who.pattern);
    this.#matchesTarget = wildcardMatcher(rule.target);
    this.#isFilter = rule.target.split('/').some((level) => level === '+' || level === '#');
  }

  /** Whether the rule is for requests with this action. */
  isAbout(action: DeviceAction): boolean {
    return this.rule.action === '*' || this.rule.action === action;
  }

  /** Whether the rule is for a request with an action that it {@link isAbout}. */
  concerns(asked: AskedRight): boolean {
    // Sets take the longest to compare.
    if (asked.isSet) return this.#isForDevice(asked) && this.#isForTarget(asked);
    return this.#isForTarget(asked) && this.#isForDevice(asked);
  }

  #isForTarget(asked: AskedRight): boolean {
    if (this.rule.target === '*') return true;
    const isTopic = asked.action === 'SubscribeTopic' || asked.action === 'PublishTopic';
    if (!asked.isSet && !(isTopic && this.#isFilter)) return this.#matchesTarget(asked.target);
    const own = isTopic ? this.#topicTargets() : this.#plainTargets();
    if (this.rule.effect === 'deny')
      return asked.sets.some((set) => own.some((target) => overlaps(target, set)));
    return asked.sets.every((set) => own.some((target) => includesAll(target, set)));
  }

  /** While it is not known which traits a device has, a denial is for it, and a permission is not. */
  #isForDevice({ name, user, traits }: AskedRight): boolean {
    const { kind, pattern } = this.#who;
    if (kind === 'device') return this.#matchesWho(name);
    if (traits === undefined) {
      return this.rule.effect === 'deny' && overlaps(wildcardSet(pattern), startingWith(`${user}/`));
    }
    const id = traits[kind];
    return id !== '' && this.#matchesWho(`${user}/${id}`);
  }

  #topicTargets(): readonly TextSet[] {
    this.#topics ??= topicSets(this.rule.target, true);
    return this.#topics;
  }

  #plainTargets(): readonly TextSet[] {
    this.#targets ??= [wildcardSet(this.rule.target)];
    return this.#targets;
  }
}
