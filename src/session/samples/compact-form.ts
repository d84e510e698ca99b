import { isMap, type Value } from '../../types';

/** Parameter of a CONNECT, and of the OK that answers it: this end knows the compact form. */
const OFFER = 'cs';
/** Parameter of a START_STREAM: samples may come in the compact form. */
const ASK = 'compact';

/** What an end says of itself that knows the compact form; an extension, which peers without it ignore. */
export const compactOffer: Readonly<Record<string, number>> = Object.freeze({ [OFFER]: 1 });

/** Whether the parameters of a CONNECT, or of its OK, are of an end that knows the compact form. */
export function offersCompact(parameters: unknown): boolean {
  return isPlainMap(parameters) && Object.hasOwn(parameters, OFFER) && parameters[OFFER] === 1;
}

/** Parameters of a START_STREAM, and whether they ask for the compact form. */
export interface StreamParameters<T> {
  readonly parameters: T;
  readonly isCompact: boolean;
}

/**
 * Adds the wish for the compact form to parameters that are to be sent, where they are a map or absent. A map that
 * has a wish of its own, such as `compact: false`, keeps it.
 */
export function askForCompact(parameters: unknown): StreamParameters<unknown> {
  if (parameters === undefined) return { parameters: { [ASK]: true }, isCompact: true };
  if (!isPlainMap(parameters)) return { parameters, isCompact: false };
  if (Object.hasOwn(parameters, ASK)) return { parameters, isCompact: parameters[ASK] === true };
  return { parameters: { ...parameters, [ASK]: true }, isCompact: true };
}

/** Takes the wish for the compact form out of parameters that came, so that the resource sees the opener's own. */
export function takeCompactWish(parameters: Value | undefined): StreamParameters<Value | undefined> {
  if (!isMap(parameters) || !Object.hasOwn(parameters, ASK) || parameters[ASK] !== true) {
    return { parameters, isCompact: false };
  }
  const own = Object.entries(parameters).filter(([name]) => name !== ASK);
  return { parameters: own.length > 0 ? Object.fromEntries(own) : undefined, isCompact: true };
}

/** Whether this is sent as a map of its own properties, none of which is hidden. */
function isPlainMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
