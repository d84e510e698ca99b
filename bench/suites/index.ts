import type { Suite } from '../harness/suite';
import { callsSuite } from './calls';
import { codecSuite } from './codec';
import { fanOutSuite } from './fan-out';
import { nodeRedSuite } from './node-red';
import { telemetrySuite } from './telemetry';

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [codecSuite, telemetrySuite, callsSuite, fanOutSuite, nodeRedSuite];
