import { IotmpError } from '../errors';
import { PathTable } from '../session/hosting/path-table';
import { isMap, type Value } from '../types';

/** What a device told of one resource in its DESCRIBE (`protocol.md` section 5). */
export interface ResourceDescription {
  /** Name or path pattern. */
  readonly name: string;
  /** 1 run, 2 input, 3 output, 4 input and output; `undefined` when the device did not say. */
  readonly fn: number | undefined;
  readonly needsParameters: boolean;
  readonly streamable: boolean;
}

/** The resources of a device, as it described them. */
export class DeviceDescription {
  readonly resources: readonly ResourceDescription[];
  readonly #paths = new PathTable<ResourceDescription>();

  /** @param payload the payload of the answer; a device without resources sends null */
  constructor(payload: Value | undefined) {
    const entries = isMap(payload) ? Object.entries(payload) : [];
    this.resources = entries.map(([name, entry]) => describeEntry(name, entry));
    for (const resource of this.resources) this.#add(resource);
  }

  /** What was said of the resource that a path names. In devices `:name` takes an empty segment, too. */
  find(path: string): ResourceDescription | undefined {
    const found = this.#paths.find(path) ?? this.#paths.find(path.replace(/(?<=^|\/)(?=\/|$)/g, '-'));
    return found?.value;
  }

  /** A name that is no usable pattern stays in the list, but no path finds it. */
  #add(resource: ResourceDescription): void {
    try {
      this.#paths.set(resource.name, resource);
    } catch (error) {
      if (!(error instanceof IotmpError)) throw error;
    }
  }
}

function describeEntry(name: string, entry: Value): ResourceDescription {
  const fields = isMap(entry) ? entry : {};
  const fn = fields.fn;
  return {
    name,
    fn: typeof fn === 'number' ? fn : undefined,
    needsParameters: fields.pr === true,
    streamable: fields.st !== false,
  };
}
