import type { Suite } from '../harness/suite';
import { apiSuite } from './api';
import { callsSuite } from './calls';
import { codecSuite } from './codec';
import { connectionsSuite } from './connections';
import { fanOutSuite } from './fan-out';
import { flatnessSuite } from './flatness';
import { nodeRedSuite } from './node-red';
import { relaySuite } from './relay';
import { telemetrySuite } from './telemetry';
import { tlsSuite } from './tls';
import { webSocketSuite } from './websocket';

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [
  codecSuite,
  telemetrySuite,
  webSocketSuite,
  tlsSuite,
  callsSuite,
  relaySuite,
  fanOutSuite,
  connectionsSuite,
  flatnessSuite,
  apiSuite,
  nodeRedSuite,
];
