import type { NodeSettings, SettingFacts } from './setting';

/** Prefix of the catalogues of the pack. */
const PACK = '@open-iotmp/node-red-iotmp';

/**
 * The html of a node with its settings in it: as literals in the call of `registerType`, where core needs them at once
 * and the tools of the flow library look for them. They take the place of `SETTINGS.defaults` and `SETTINGS.credentials`.
 * @throws Error for html without a place for the settings of the table
 */
export function dialogHtml(html: string, table: NodeSettings): string {
  const literals = new Map([['defaults', defaultsLiteral(table)]]);
  if (Object.keys(table.credentials).length > 0) {
    literals.set(
      'credentials',
      literal(Object.entries(table.credentials).map(([name, type]) => [name, json(type)])),
    );
  }
  return [...literals].reduce((done, [name, code]) => {
    const place = `SETTINGS.${name}`;
    if (!done.includes(place)) throw new Error(`the html of ${table.type} has no ${place}`);
    return done.replace(place, () => code);
  }, html);
}

/**
 * The `defaults` of a node type. Each property has its value for a new node, its validator, and its facts in the member
 * `setting`, which rows and validators read.
 */
function defaultsLiteral({ type, properties }: NodeSettings): string {
  const entries = Object.entries(properties).flatMap(([name, { facts }]) =>
    propertyMembers(type, name, facts),
  );
  return literal([['name', '{ value: "" }'], ['version', '{ value: 1 }'], ...entries]);
}

/** The entry of a property, and for a typed one the entry of its type. */
function propertyMembers(type: string, name: string, facts: SettingFacts): [string, string][] {
  const { node, required, check, defaultType } = facts;
  const label = `${PACK}/${facts.shared === true ? 'iotmp-plugin' : type}:label.${name}`;
  const members = [`value: ${json(facts.default)}`];
  if (node !== undefined) members.push(`type: ${json(node)}`);
  if (required !== undefined) members.push(`required: ${required}`);
  if (check !== undefined)
    members.push(`label: ${labelCode(label, facts)}`, `validate: ${validatorCode(name)}`);
  members.push(`setting: ${json(editorSetting(name, facts, label))}`);
  const entry: [string, string] = [name, `{ ${members.join(', ')} }`];
  return defaultType === undefined ? [entry] : [entry, [`${name}Type`, `{ value: ${json(defaultType)} }`]];
}

/** The name of the property in the reasons of its validator. */
function labelCode(key: string, { unit }: SettingFacts): string {
  return `RED._(${json(key)})${unit === undefined ? '' : ` + ${json(` (${unit})`)}`}`;
}

/** Core takes a reason only from a function with two parameters. */
function validatorCode(name: string): string {
  return `function (value, opt) { return openIotmp.check.property(this, ${json(name)}, value, opt); }`;
}

/** The facts that rows and validators of the editor read, with the keys of their texts. */
function editorSetting(name: string, facts: SettingFacts, label: string): object {
  const { field, check, min, max, unit, blank, choices, more } = facts;
  const hint = blank === 'default' ? facts.default : undefined;
  const texts = field === 'choice' ? label.replace(`:label.${name}`, `:${name}.`) : undefined;
  return { field, check, label, unit, min, max, blank, hint, choices, texts, ...more };
}

function literal(members: readonly (readonly [string, string])[]): string {
  return `{\n${members.map(([name, code]) => `      ${name}: ${code},\n`).join('')}    }`;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
