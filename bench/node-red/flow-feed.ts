import { sample } from '../wire/sample';
import type { FlowProbe } from './flow-probe';

/** Messages that are under way at once when there is no pace. */
const OUTSTANDING = 64;

/** Sends samples into a flow from within its process: evenly in time, or as fast as they come out at its end. */
export function feedFlow(probe: FlowProbe, seconds: number, perSecond: number | undefined): Promise<void> {
  const { send } = probe;
  if (send === undefined) throw new Error('no flow takes messages');
  const start = performance.now();
  const receivedBefore = probe.received;
  let sent = 0;
  return new Promise((resolve) => {
    const turn = (): void => {
      const elapsed = (performance.now() - start) / 1000;
      if (elapsed >= seconds) {
        resolve();
        return;
      }
      const due =
        perSecond === undefined ? probe.received - receivedBefore + OUTSTANDING : elapsed * perSecond;
      for (; sent < due; sent++) send({ topic: 'bench/0', payload: { ...sample } });
      if (perSecond === undefined) setImmediate(turn);
      else setTimeout(turn, 1);
    };
    turn();
  });
}
