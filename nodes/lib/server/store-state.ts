import type { NodeAPI } from 'node-red';
import type { StorageError, StorageFault } from '../../../src';
import type { LinkState } from '../flow/link';
import { translate } from '../red/translate';

const TEXTS: Readonly<Record<StorageFault, string>> = {
  unsupported: 'status.storeUnsupported',
  unavailable: 'status.storeUnavailable',
  locked: 'status.storeLocked',
  full: 'status.storeFull',
  readonly: 'status.storeReadonly',
  corrupt: 'status.storeCorrupt',
  foreign: 'status.storeForeign',
  newer: 'status.storeNewer',
  io: 'status.storeIo',
  failed: 'status.storeFailed',
};

/** The state of a server whose store has a fault: it works, but keeps nothing. */
export function storeState(RED: NodeAPI, { reason }: StorageError): LinkState {
  return { kind: 'error', text: translate(RED, TEXTS[reason]) };
}
