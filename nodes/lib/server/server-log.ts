import type { Node, NodeAPI } from 'node-red';
import {
  printable,
  StorageError,
  type DeviceId,
  type ListenerStatus,
  type ProvisionedDevice,
} from '../../../src';
import type { HostedServer } from './hosted-server';
import { LogGate } from '../red/log-gate';
import { translate } from '../red/translate';

/** The log of a server node. Each trouble is a line when it begins, and not again while it lasts. */
export class ServerLog {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #gate = new LogGate();

  constructor(RED: NodeAPI, node: Node) {
    this.#RED = RED;
    this.#node = node;
  }

  /** Logs a warning about a subject, if it is news. */
  warn(subject: string, text: string): void {
    if (this.#gate.isNews(subject, text)) this.#node.warn(text);
  }

  /** Logs an error about a subject, if it is news. */
  error(subject: string, text: string): void {
    if (this.#gate.isNews(subject, text)) this.#node.error(text);
  }

  /** Logs the events of a server and its store. Returns the function that ends it. */
  follow(hosted: HostedServer): () => void {
    const { server } = hosted;
    const onListener = (kind: string, status: ListenerStatus): void => this.#logListener(kind, status);
    const onWarning = (text: string, cause?: Error): void => {
      // The store reports its faults itself.
      if (!(cause instanceof StorageError)) this.warn('warning', text);
    };
    const onStore = (fault: StorageError | undefined): void => this.#logStore(fault);
    // The library chooses the lines.
    const onRefusal = (line: string): unknown => this.#node.warn(line);
    const onProvisioned = (device: ProvisionedDevice): void =>
      this.#node.log(provisionedLine(this.#RED, device));
    const onRotated = ({ user, device }: DeviceId): void => {
      const name = printable(JSON.stringify(`${user}/${device}`));
      this.#node.log(translate(this.#RED, 'credentialRotated', { name }));
    };
    hosted.directory.on('provisioned', onProvisioned);
    hosted.directory.on('credentialRotated', onRotated);
    server.on('refusal', onRefusal);
    server.on('listener', onListener);
    server.on('warning', onWarning);
    hosted.on('store', onStore);
    return () => {
      hosted.directory.off('provisioned', onProvisioned);
      hosted.directory.off('credentialRotated', onRotated);
      server.off('refusal', onRefusal);
      server.off('listener', onListener);
      server.off('warning', onWarning);
      hosted.off('store', onStore);
    };
  }

  #logListener(kind: string, status: ListenerStatus): void {
    if (status.kind === 'error') this.error(kind, status.error.message);
    if (status.kind !== 'listening') return;
    this.#gate.clear(kind);
    this.#node.log(`${kind}: ${status.address}`);
  }

  #logStore(fault: StorageError | undefined): void {
    if (fault === undefined) {
      this.#gate.clear('store');
      return;
    }
    const { reason, message } = fault;
    // The message may differ each time; the reason says whether the trouble is the same.
    if (!this.#gate.isNews('store', reason)) return;
    this.#node.error(translate(this.#RED, 'errors.storage', { reason: message }));
  }
}

/** The line for a device that was registered by its login. Its name stands in quotes, and is escaped. */
function provisionedLine(
  RED: NodeAPI,
  { user, device, address, pattern, isReplacement }: ProvisionedDevice,
): string {
  const way = pattern === undefined ? (isReplacement ? 'replaced' : 'awaited') : 'byPattern';
  return translate(RED, `provisioned.${way}`, {
    name: printable(JSON.stringify(`${user}/${device}`)),
    address,
    pattern: pattern ?? '',
  });
}
