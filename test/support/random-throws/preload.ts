/**
 * Loaded ahead of specs, this has code of the package throw at random: guarded callbacks when they are done, encoding,
 * writing, the store when it is asked, and listeners. Specs fail by that, of course: what counts is the report, in the
 * file that `RANDOM_THROWS` names.
 */
import { EventEmitter } from 'node:events';
import './modules';
import { StoreAccess } from '../../../src/services/store-access';
import { SocketTransport } from '../../../src/transport/socket-transport';
import { WebSocketTransport } from '../../../src/transport/web-socket-transport';
import { SafeEmitter } from '../../../src/util/safe-emitter';
import { mayThrow, reportAtExit } from './throws';

/** Has a method of all objects of a class throw at random before it does its work. */
function breakMethod(prototype: object, name: string, place: string): void {
  const method: unknown = Reflect.get(prototype, name);
  if (!(method instanceof Function)) throw new TypeError(`${name} is no method`);
  Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]): unknown {
    mayThrow(place);
    return Reflect.apply(method, this, args) as unknown;
  });
}

/** Adds a listener that throws to those that are called for each event. */
function breakListeners(): void {
  const prototype: object = EventEmitter.prototype;
  const rawListeners: unknown = Reflect.get(prototype, 'rawListeners');
  if (!(rawListeners instanceof Function)) throw new TypeError('rawListeners is no method');
  Reflect.set(prototype, 'rawListeners', function (this: unknown, name: unknown): unknown {
    const listeners: unknown = Reflect.apply(rawListeners, this, [name]);
    if (!(this instanceof SafeEmitter) || !Array.isArray(listeners)) return listeners;
    return [() => mayThrow('listener'), ...(listeners as unknown[])];
  });
}

breakMethod(SocketTransport.prototype, 'flush', 'writing to a socket');
breakMethod(WebSocketTransport.prototype, 'flush', 'writing to a WebSocket');
breakMethod(StoreAccess.prototype, 'use', 'the store');
breakListeners();
reportAtExit(process.env.RANDOM_THROWS ?? 'random-throws.json');
