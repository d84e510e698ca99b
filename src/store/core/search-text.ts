import type { Value } from '../../types';

const MAX_NAME = 512;

/** The text in which the name of a page is looked for: the id and the member `name`, in lower case. */
export function searchText(id: string, { name }: Readonly<Record<string, Value>>): string {
  const text = typeof name === 'string' ? `${id}\n${name.slice(0, MAX_NAME)}` : id;
  return text.toLowerCase().toWellFormed();
}
