import type { PublishedStream, ResourceDefinition } from './resource';
import { Sample } from '../samples/sample';
import { SampleKeys } from '../samples/sample-form';

/** A resource in a registry, with the streams that peers have open on it. */
export class HostedResource {
  readonly pattern: string;
  readonly definition: ResourceDefinition;
  /** @internal The keys that its streams sent last. */
  readonly sampleKeys = new SampleKeys();
  readonly #streams = new Set<PublishedStream>();
  readonly #onRemove: () => void;
  #removed = false;

  /** @internal made by a registry */
  constructor(pattern: string, definition: ResourceDefinition, onRemove: () => void) {
    this.pattern = pattern;
    this.definition = definition;
    this.#onRemove = onRemove;
  }

  /** Number of open streams. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /**
   * Sends a new value to every event stream that is open on the resource; periodic ones take their next
   * sample in their own time (`protocol.md` section 6). A peer that cannot take it does not keep it from the
   * others. The value is encoded once, however many they are.
   * @param path only the streams of this path, where the resource is a pattern
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE when the value could not be sent to some peer
   */
  publish(value: unknown, path?: string): void {
    const sample = new Sample(value);
    const failures: unknown[] = [];
    for (const stream of this.#streams) {
      if (stream.intervalMs !== 0 || (path !== undefined && stream.path !== path)) continue;
      try {
        stream.send(sample);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Takes the resource out of its registry and ends its streams. Idempotent. */
  remove(): void {
    // Another resource may have taken the name since.
    if (this.#removed) return;
    this.#removed = true;
    this.#onRemove();
    for (const stream of [...this.#streams]) stream.close();
  }

  /** @internal */
  attach(stream: PublishedStream): void {
    this.#streams.add(stream);
  }

  /** @internal */
  detach(stream: PublishedStream): void {
    this.#streams.delete(stream);
  }
}
