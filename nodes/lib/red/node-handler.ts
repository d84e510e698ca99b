import { guarded, type FaultHandler, type Guarded } from '../../../src';

/**
 * A guarded handler of a node's events. Node-RED looks at the number of its parameters to know whether the handler says
 * itself when it is done.
 * @param place as of {@link guarded}
 */
export function nodeHandler<Args extends unknown[]>(
  place: string,
  onFault: FaultHandler,
  handler: (...args: Args) => void,
): Guarded<Args> {
  return Object.defineProperty(guarded(place, onFault, handler), 'length', { value: handler.length });
}
