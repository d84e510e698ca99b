import type { PublishedStream, ResourceDefinition } from './resource';
import { Sample } from '../samples/sample';
import { SampleKeys } from '../samples/sample-form';

/** A resource that peers can call, with the streams that they have open on it. */
export interface HostedResource {
  readonly pattern: string;
  readonly definition: ResourceDefinition;
  /** Number of open streams. */
  readonly streamCount: number;
  /**
   * Sends a new value to every event stream that is open on the resource; periodic ones take their next
   * sample in their own time (`protocol.md` section 6). A peer that cannot take it does not keep it from the
   * others. The value is encoded once, however many they are.
   * @param path only the streams of this path, where the resource is a pattern
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE when the value could not be sent to some peer
   */
  publish(value: unknown, path?: string): void;
  /** Takes the resource out of its registry and ends its streams. Idempotent. */
  remove(): void;
}

/** A resource as sessions see it, which attach the streams of their peers. */
export class RegisteredResource implements HostedResource {
  readonly pattern: string;
  readonly definition: ResourceDefinition;
  /** The keys that its streams sent last. */
  readonly sampleKeys = new SampleKeys();
  readonly #streams = new Set<PublishedStream>();
  readonly #onRemove: () => void;
  #removed = false;

  constructor(pattern: string, definition: ResourceDefinition, onRemove: () => void) {
    this.pattern = pattern;
    this.definition = definition;
    this.#onRemove = onRemove;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

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

  remove(): void {
    // Another resource may have taken the name since.
    if (this.#removed) return;
    this.#removed = true;
    this.#onRemove();
    for (const stream of [...this.#streams]) stream.close();
  }

  /** A peer opened a stream on the resource. */
  attach(stream: PublishedStream): void {
    this.#streams.add(stream);
  }

  /** The stream has ended. */
  detach(stream: PublishedStream): void {
    this.#streams.delete(stream);
  }
}
