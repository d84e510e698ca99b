import {
  clientRanges,
  deviceActions,
  eventKinds,
  parseExactJson,
  readDeviceRules,
  TrustedProxies,
  type RuleReading,
} from '../../src';
import {
  booleanSetting,
  choiceSetting,
  integerSetting,
  jsonSetting,
  numberSetting,
  portSetting,
  textSetting,
} from './readers';
import type { Setting, SettingFacts } from './setting';

type Facts<Names extends keyof SettingFacts> = Pick<SettingFacts, Names | 'shared'>;

/** A text without space around it. With `blank: 'default'` a blank one means the default, too. */
export function text(facts: Partial<Facts<'check' | 'blank'>> & { default?: string } = {}): Setting<string> {
  const { default: fallback = '', blank } = facts;
  return {
    facts: { field: 'text', ...facts, default: fallback },
    read: (config, name) => {
      const value = valueOf(config, name);
      if (value === undefined) return fallback;
      const given = textSetting(value);
      return given === '' && blank === 'default' ? fallback : given;
    },
  };
}

/** Addresses and networks of proxies, with blanks or commas between them. Blank is none. */
export function proxies(): Setting<readonly string[]> {
  return {
    facts: { field: 'text', default: '', blank: 'off', check: 'networks' },
    read: (config, name) => {
      const entries = textSetting(valueOf(config, name)).split(/[\s,]+/);
      const list = entries.filter((entry) => entry !== '');
      // Throws for what is neither.
      return new TrustedProxies(list).entries;
    },
  };
}

/** A choice that is on or off. */
export function toggle(facts: Facts<'check'> & { default: boolean }): Setting<boolean> {
  return {
    facts: { field: 'check', ...facts },
    read: (config, name) => booleanSetting(valueOf(config, name), facts.default),
  };
}

/** One of several words. */
export function choice<const Word extends string>(
  facts: Facts<'check'> & { choices: readonly Word[]; default: NoInfer<Word> },
): Setting<Word> {
  return {
    facts: { field: 'choice', ...facts },
    read: (config, name) => choiceSetting(name, valueOf(config, name), facts.choices, facts.default),
  };
}

type NumberFacts = Facts<'unit' | 'check'> & { default: number; min: number; max: number };

/** A whole number in a range. Blank is the default. */
export function whole(facts: NumberFacts): Setting<number> {
  return {
    facts: { field: 'integer', check: 'number', ...facts },
    read: (config, name) =>
      integerSetting(name, valueOf(config, name), { ...facts, fallback: facts.default }),
  };
}

/** A whole number in a range. Where it is blank or missing, the runtime chooses: it is `undefined`. */
export function autoWhole(facts: Omit<NumberFacts, 'default'>): Setting<number | undefined> {
  const { facts: given, read } = optional(whole({ ...facts, default: facts.min }));
  return { facts: { ...given, default: '', blank: 'auto' }, read };
}

/** A number in a range. Blank is the default. */
export function decimal(facts: NumberFacts): Setting<number> {
  return {
    facts: { field: 'decimal', check: 'number', ...facts },
    read: (config, name) => numberSetting(name, valueOf(config, name), { ...facts, fallback: facts.default }),
  };
}

/** A port. Where it is blank, or missing and without a default, it is `undefined`. */
export function port(
  facts: Facts<'blank' | 'more'> & { default?: number } = {},
): Setting<number | undefined> {
  return {
    facts: { field: 'integer', check: 'number', ...clientRanges.port, default: '', ...facts },
    read: (config, name) => {
      const value = valueOf(config, name);
      return value === undefined ? facts.default : portSetting(name, value);
    },
  };
}

/** JSON; blank is `undefined`. */
export function json(): Setting<unknown> {
  return {
    facts: { field: 'json', default: '', check: 'json' },
    read: (config, name) => jsonSetting(name, valueOf(config, name)),
  };
}

/** The id of a config node; '' is none. */
export function configNode(facts: Facts<'required' | 'check'> & { node: string }): Setting<string> {
  return {
    facts: { field: 'config', default: '', ...facts },
    read: (config, name) => textSetting(valueOf(config, name)),
  };
}

/** A typed input of a node: its value as it was typed, and the type that says what that means. */
export interface TypedSetting {
  readonly name: string;
  readonly value: unknown;
  readonly type: string;
}

/** A typed value. Its type is in the property `<name>Type`. */
export function typed(
  facts: Facts<'check'> & { default?: string; defaultType: string },
): Setting<TypedSetting> {
  const { default: fallback = '', defaultType } = facts;
  return {
    facts: { field: 'typed', ...facts, default: fallback },
    read: (config, name) => {
      const type = valueOf(config, `${name}Type`);
      const value = valueOf(config, name);
      return {
        name,
        value: value === undefined ? fallback : (value ?? ''),
        type: typeof type === 'string' && type !== '' ? type : defaultType,
      };
    },
  };
}

/** Any number of words. */
export function words(facts: { choices: readonly string[] }): Setting<string[]> {
  return {
    facts: { field: 'none', default: [], ...facts },
    read: (config, name) => {
      const value: unknown = valueOf(config, name);
      const list: readonly unknown[] = Array.isArray(value) ? value : [];
      return list.filter((word) => typeof word === 'string');
    },
  };
}

/**
 * Rules of rights between devices. An environment variable has them as JSON. They are read whatever they are, and what
 * cannot be read allows nothing: also a variable that there is not.
 */
export function deviceRuleList(): Setting<RuleReading> {
  const events = eventKinds.map(({ event }) => event);
  return {
    facts: { field: 'none', default: [], check: 'rules', more: { actions: deviceActions, events } },
    read: (config, name) => {
      const value = valueOf(config, name);
      return readDeviceRules(value === undefined ? [] : typeof value === 'string' ? listIn(value) : value, {
        events,
      });
    },
  };
}

/** The list that a text holds as JSON, or the text itself where it holds none. */
function listIn(value: string): unknown {
  try {
    return parseExactJson(value);
  } catch {
    return value;
  }
}

/** The same setting, but `undefined` where it is missing or blank: its default is for new nodes only. */
export function optional<Value>({ facts, read }: Setting<Value>): Setting<Value | undefined> {
  return {
    facts,
    read: (config, name) => {
      const value = valueOf(config, name);
      return value === undefined || value === null || value === '' ? undefined : read(config, name);
    },
  };
}

function valueOf(config: object, name: string): unknown {
  return Reflect.get(config, name);
}
