import type { NodeSettings, SettingFacts } from './setting';

/** Words for numbers, with `__default__`, `__min__` and `__max__`. */
export interface RangeWords {
  readonly range: string;
  /** For a number that the runtime chooses where the field is blank. */
  readonly autoRange: string;
}

/**
 * The help of a node with the facts of its settings in it. `{{keepAlive}}` stands for default and range of a number,
 * `{{tlsPort.usual}}` for one fact of a setting.
 * @param words for the default and the range of a number
 * @param language of the help, for the form of numbers
 * @throws Error for a setting or a fact that the table does not have
 */
export function helpText(
  help: string,
  { type, properties }: NodeSettings,
  words: RangeWords,
  language: string,
): string {
  return help.replace(/\{\{([\w.]+)\}\}/g, (_all, place: string) => {
    const [name = '', ...path] = place.split('.');
    const facts = properties[name]?.facts;
    const text = path.length === 0 ? rangeOf(facts, words, language) : factOf(facts, path);
    if (text === undefined)
      throw new Error(`the help of ${type} names ${place}, which its settings do not have`);
    return text;
  });
}

/** Default and range, such as "60 s by default, 1 to 1,800 s". */
function rangeOf(
  facts: SettingFacts | undefined,
  { range, autoRange }: RangeWords,
  language: string,
): string | undefined {
  const { unit, min, max, default: fallback } = facts ?? {};
  const numbers = new Map(Object.entries({ default: fallback, min, max }));
  if (min === undefined || max === undefined) return undefined;
  return (facts?.blank === 'auto' ? autoRange : range).replace(/__(\w+)__/g, (_all, name: string) => {
    const number = Number(numbers.get(name)).toLocaleString(language);
    return unit === undefined || name === 'min' ? number : `${number} ${unit}`;
  });
}

function factOf(facts: SettingFacts | undefined, path: readonly string[]): string | undefined {
  let fact: unknown = { ...facts, ...facts?.more };
  for (const step of path) {
    fact = typeof fact === 'object' && fact !== null ? Reflect.get(fact, step) : undefined;
  }
  return typeof fact === 'string' || typeof fact === 'number' ? String(fact) : undefined;
}
