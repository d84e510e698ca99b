import { Revocations } from '../../../src/directory/revocations';
import { FakeClock } from './fake-clock';

/** Revocations that are written again only when the test says so, and told to nobody. */
export function quietRevocations(): Revocations {
  return new Revocations({ clock: new FakeClock(), onWarning: () => undefined });
}
