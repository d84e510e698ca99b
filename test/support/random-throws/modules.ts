import * as encoder from '../../../src/codec/writing/message-encoder';
import * as guard from '../../../src/util/guard';
import { mayThrow } from './throws';

/** Replaces what a module gives to those that load it later. */
function replaceExports(path: string, changed: object): void {
  const loaded = require.cache[require.resolve(path)];
  if (loaded === undefined) throw new Error(`${path} is not loaded`);
  loaded.exports = { ...(loaded.exports as object), ...changed };
}

const { guarded, guardedListener, detached, warnProcess } = guard;

replaceExports('../../../src/util/guard', {
  guarded: <Args extends unknown[]>(
    place: string,
    onFault: guard.FaultHandler,
    callback: (...args: Args) => void,
  ) =>
    guarded(place, onFault, (...args: Args) => {
      callback(...args);
      mayThrow(place);
    }),
  guardedListener: <Emitter, Args extends unknown[]>(
    place: string,
    onFault: (error: unknown, emitter: Emitter) => void,
    listener: (emitter: Emitter, ...args: Args) => void,
  ) =>
    guardedListener(place, onFault, (emitter: Emitter, ...args: Args) => {
      listener(emitter, ...args);
      mayThrow(place);
    }),
  detached(place: string, onFault: guard.FaultHandler, promise: PromiseLike<unknown>): void {
    const broken = promise.then(
      (value) => {
        mayThrow(place);
        return value;
      },
      // Some promises are only ever rejected.
      (error: unknown) => {
        mayThrow(place);
        throw error;
      },
    );
    detached(place, onFault, broken);
  },
  warnProcess,
});

const { encodeMessage } = encoder;

replaceExports('../../../src/codec/writing/message-encoder', {
  encodeMessage: (...args: Parameters<typeof encodeMessage>) => {
    mayThrow('encoding');
    return encodeMessage(...args);
  },
});
