import type { Engine } from '../core/engine';
import type { StoreLimits } from '../store-limits';

/** What the parts of a store share. */
export interface FacadeContext {
  readonly engine: Engine;
  readonly limits: StoreLimits;
  /** The time, in ms since 1970. */
  readonly now: () => number;
}
