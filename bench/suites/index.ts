import type { Suite } from '../harness/suite';
import { callsSuite } from './calls';
import { codecSuite } from './codec';
import { connectionsSuite } from './connections';
import { fanOutSuite } from './fan-out';
import { flatnessSuite } from './flatness';
import { telemetrySuite } from './telemetry';

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [
  codecSuite,
  telemetrySuite,
  callsSuite,
  fanOutSuite,
  connectionsSuite,
  flatnessSuite,
];
