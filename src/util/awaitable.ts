/**
 * Whether a value is to be waited for, as `await` does: a promise of this realm or another (function nodes of Node-RED run
 * in one of their own), or anything else that has a `then`.
 */
export function isAwaitable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
