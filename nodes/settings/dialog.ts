import type { NodeSettings, SettingFacts } from './setting';

/**
 * What the editor is told of the settings of a node: two literals that the build writes into the html of the node,
 * because `registerType` needs them there.
 */

/** Prefix of the catalogues of the pack. */
const PACK = '@open-iotmp/node-red-iotmp';

/**
 * The `defaults` of a node type, as JavaScript. Each property has its value for a new node, its validator, and its facts
 * in the member `setting`, which rows and validators read.
 */
export function defaultsLiteral({ type, properties }: NodeSettings): string {
  const entries = Object.entries(properties).flatMap(([name, { facts }]) =>
    propertyEntries(type, name, facts),
  );
  return literal(['name: { value: "" }', 'version: { value: 1 }', ...entries]);
}

/** The `credentials` of a node type, as JavaScript. */
export function credentialsLiteral({ credentials }: NodeSettings): string {
  return literal(Object.entries(credentials).map(([name, facts]) => `${name}: ${JSON.stringify(facts)}`));
}

function propertyEntries(type: string, name: string, facts: SettingFacts): string[] {
  const { node, required, check, default: value, defaultType } = facts;
  const label = `${PACK}/${facts.shared === true ? 'iotmp-plugin' : type}:label.${name}`;
  const members = [
    `value: ${JSON.stringify(value)}`,
    ...(node === undefined ? [] : [`type: ${JSON.stringify(node)}`]),
    ...(required === undefined ? [] : [`required: ${required}`]),
    ...(check === undefined ? [] : [`label: ${labelCode(label, facts)}`, `validate: ${validatorCode(name)}`]),
    `setting: ${JSON.stringify(settingOf(name, facts, label))}`,
  ];
  const entry = `${name}: { ${members.join(', ')} }`;
  return defaultType === undefined
    ? [entry]
    : [entry, `${name}Type: { value: ${JSON.stringify(defaultType)} }`];
}

/** The name of a property in the reasons of its validator. */
function labelCode(key: string, { unit }: SettingFacts): string {
  const label = `RED._(${JSON.stringify(key)})`;
  return unit === undefined ? label : `${label} + ${JSON.stringify(` (${unit})`)}`;
}

/** Core takes reasons only from functions with two parameters. */
function validatorCode(name: string): string {
  return `function (value, opt) { return openIotmp.check.property(this, ${JSON.stringify(name)}, value, opt); }`;
}

/** The facts that rows and validators read, with the keys of their texts. */
function settingOf(name: string, facts: SettingFacts, label: string): Record<string, unknown> {
  const { field, check, min, max, unit, blank, choices, more } = facts;
  const texts = label.replace(`:label.${name}`, `:${name}.`);
  const hint = blank === 'default' ? facts.default : undefined;
  return { field, check, label, unit, min, max, blank, hint, choices, texts, ...more };
}

function literal(entries: readonly string[]): string {
  return entries.length === 0 ? '{}' : `{\n      ${entries.join(',\n      ')},\n    }`;
}
