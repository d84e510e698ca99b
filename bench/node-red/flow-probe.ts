/** A message of a flow. */
export type FlowMessage = Record<string, unknown>;

/** Under this name functions of the flows find the {@link FlowProbe} in their global context. */
export const PROBE = 'bench';

/** What the functions of a flow and the contender that runs it share. */
export class FlowProbe {
  /** Messages that came to the end of the flow with a temperature. */
  received = 0;
  /** Sends a message into the flow; a function node sets it when it starts. */
  send: ((message: FlowMessage) => void) | undefined;
  /** Has the flow make the call of that key; a function node sets it when it starts. */
  call: ((key: string) => void) | undefined;
  readonly #pending = new Map<string, () => void>();
  #lastKey = 0;

  /** Makes a call, and calls `done` when it is answered. */
  begin(done: () => void, digits: number): void {
    if (this.call === undefined) throw new Error('no flow makes calls');
    const key = String(++this.#lastKey).padStart(digits, '0');
    this.#pending.set(key, done);
    this.call(key);
  }

  /** Called by the flow with the key of a call that was answered. */
  answer(key: string): void {
    const done = this.#pending.get(key);
    if (done === undefined) throw new Error(`nobody made the call ${key}`);
    this.#pending.delete(key);
    done();
  }
}
