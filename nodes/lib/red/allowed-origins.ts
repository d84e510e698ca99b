/**
 * The origins whose pages may use the API and open WebSockets in a browser: those that `httpNodeCors` of Node-RED's settings lists. `*` is any
 * origin. An entry that is not a text, such as a pattern, is ignored: it must not let in more than was meant.
 */
export function allowedOrigins(httpNodeCors: unknown): string[] {
  if (typeof httpNodeCors !== 'object' || httpNodeCors === null) return [];
  const origins: unknown = Reflect.get(httpNodeCors, 'origin');
  return [origins].flat().filter((origin) => typeof origin === 'string');
}
