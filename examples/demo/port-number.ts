/**
 * A TCP port out of a text.
 * @throws Error unless it is a whole number of 1 to 65535
 */
export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Error(`a port is a whole number of 1 to 65535, not "${text}"`);
}
