import { callTable } from './iotmp-call';
import { clientTable } from './iotmp-client';
import { eventsTable } from './iotmp-events';
import { resourceInTable } from './iotmp-resource-in';
import { resourceOutTable } from './iotmp-resource-out';
import { responseTable } from './iotmp-response';
import { serverTable } from './iotmp-server';
import { streamTable } from './iotmp-stream';
import type { NodeSettings } from './setting';

/** The tables of all node types, for the dialogs and the help. The runtime of a node reads its own table only. */
export const allTables: readonly NodeSettings[] = [
  serverTable,
  clientTable,
  callTable,
  streamTable,
  eventsTable,
  resourceInTable,
  responseTable,
  resourceOutTable,
];
