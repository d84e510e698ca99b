import { EventEmitter } from 'node:events';
import { warnProcess } from './guard';

/** The arguments of each event, by its name. */
type Events<Map> = { readonly [Name in keyof Map]: unknown[] };

/**
 * An emitter whose listeners cannot harm each other or the code that emits: what one throws is given to
 * {@link handleListenerFault}, and the next one is called.
 *
 * It takes any number of listeners: each node of a flow is one, and has an owner that takes it away.
 */
export abstract class SafeEmitter<Map extends Events<Map>> extends EventEmitter<Map> {
  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /** Calls the listeners of an event, in their order. It never throws. */
  protected tell<Name extends keyof Map & string>(name: Name, ...args: Map[Name]): void {
    const listeners = EventEmitter.prototype.rawListeners.call(this, name);
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, this, args);
      } catch (error) {
        this.#giveFault(name, error);
      }
    }
  }

  /** Tells somebody of a listener that has thrown. What this throws becomes a warning of the process. */
  protected abstract handleListenerFault(name: string, error: unknown): void;

  #giveFault(name: string, error: unknown): void {
    try {
      this.handleListenerFault(name, error);
    } catch (again) {
      warnProcess(again);
    }
  }
}
