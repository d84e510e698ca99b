import { IotmpError } from '../../errors';
import type { Value } from '../../types';
import { NO_CAPTURES } from '../../util/path-trie';
import { resourceHash } from './fnv1a';
import { RegisteredResource, type HostedResource } from './hosted-resource';
import { isPattern, PathTable } from './path-table';
import { FunctionCode, type ResourceDefinition } from './resource';

/** A hosted resource as a request named it. */
export interface ResolvedResource {
  readonly resource: RegisteredResource;
  readonly path: string;
  readonly captures: Readonly<Record<string, string>>;
  readonly parameters: Value | undefined;
}

/** Finds what a request names. Sessions of a server share one host, a client's session has its own. */
export interface ResourceHost {
  /** The resource that the fields of a RUN or DESCRIBE name, or `undefined`. */
  resolve(resource: Value | undefined, parameters: Value | undefined): ResolvedResource | undefined;
  /** The resource that the fields of a START_STREAM name: there, parameters that are a number are an interval. */
  resolveStream(resource: Value | undefined, parameters: Value | undefined): ResolvedResource | undefined;
  /** The answer to DESCRIBE without resource (`protocol.md` section 5). */
  describeAll(): Record<string, Value>;
}

/** Highest number that a request may use in place of a name. */
const MAX_NUMBER = 65_535;

/** The resources that one end hosts, by path pattern, by number and by hash (`protocol.md` section 5). */
export class ResourceRegistry implements ResourceHost {
  readonly #paths = new PathTable<RegisteredResource>();
  readonly #numbers = new Map<number, RegisteredResource>();
  readonly #hashes = new Map<number, RegisteredResource[]>();
  readonly #firstNumber: number;

  /** @param firstNumber the lowest number that a resource may have: a server's services take those below */
  constructor(firstNumber = 1) {
    this.#firstNumber = firstNumber;
  }

  /** Number of hosted resources. */
  get size(): number {
    return this.#paths.size;
  }

  /**
   * Hosts a resource under a path pattern until {@link HostedResource.remove}.
   * @throws IotmpError IOTMP_ERR_CONFIG on a bad pattern or number, IOTMP_ERR_CONFLICT when one of them is taken
   */
  host(pattern: string, definition: ResourceDefinition): HostedResource {
    if (this.#paths.has(pattern)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', `resource "${pattern}" is already hosted`);
    }
    const { id } = definition;
    if (id !== undefined) this.#checkNumber(id);
    if (id !== undefined && this.#numbers.has(id)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', `resource number ${id} is already in use`);
    }
    const resource = new RegisteredResource(pattern, definition, () => this.#remove(resource));
    this.#paths.set(pattern, resource);
    if (id !== undefined) this.#numbers.set(id, resource);
    if (!isPattern(pattern)) this.#addHash(resource);
    return resource;
  }

  resolve(resource: Value | undefined, parameters: Value | undefined): ResolvedResource | undefined {
    if (typeof resource === 'number') {
      const found = this.#numbers.get(resource) ?? this.#byHash(resource);
      return found && { resource: found, path: found.pattern, captures: NO_CAPTURES, parameters };
    }
    const path = resourcePath(resource);
    const match = path === undefined ? undefined : this.#paths.find(path);
    if (path === undefined || match === undefined) return undefined;
    return { resource: match.value, path, captures: match.captures, parameters };
  }

  resolveStream(resource: Value | undefined, parameters: Value | undefined): ResolvedResource | undefined {
    return this.resolve(resource, parameters);
  }

  describeAll(): Record<string, Value> {
    const entries: [string, Value][] = [];
    for (const [pattern, { definition }] of this.#paths.entries()) {
      const entry: Record<string, Value> = { fn: FunctionCode[definition.kind] };
      if (definition.needsParameters === true) entry.pr = true;
      if (definition.streamable === false) entry.st = false;
      if (definition.id !== undefined) entry.id = definition.id;
      entries.push([pattern, entry]);
    }
    return Object.fromEntries(entries);
  }

  /** Ends all resources and their streams. */
  clear(): void {
    for (const [, resource] of [...this.#paths.entries()]) resource.remove();
  }

  #checkNumber(id: number): void {
    if (Number.isInteger(id) && id >= this.#firstNumber && id <= MAX_NUMBER) return;
    const text = `resource number ${id}: it must be a whole number from ${this.#firstNumber} to ${MAX_NUMBER}`;
    throw new IotmpError('IOTMP_ERR_CONFIG', text);
  }

  #addHash(resource: RegisteredResource): void {
    const hash = resourceHash(resource.pattern);
    this.#hashes.set(hash, [...(this.#hashes.get(hash) ?? []), resource]);
  }

  /** A hash that two names share means neither of them. */
  #byHash(hash: number): RegisteredResource | undefined {
    const candidates = this.#hashes.get(hash);
    return candidates?.length === 1 ? candidates[0] : undefined;
  }

  #remove(resource: RegisteredResource): void {
    this.#paths.delete(resource.pattern);
    if (resource.definition.id !== undefined) this.#numbers.delete(resource.definition.id);
    const hash = resourceHash(resource.pattern);
    const left = (this.#hashes.get(hash) ?? []).filter((other) => other !== resource);
    if (left.length === 0) this.#hashes.delete(hash);
    else this.#hashes.set(hash, left);
  }
}

/** The path that a resource field means; an array is joined with `/`. `undefined` if it is no path. */
export function resourcePath(resource: Value | undefined): string | undefined {
  if (typeof resource === 'string') return resource;
  if (!Array.isArray(resource) || !resource.every((part) => typeof part === 'string')) return undefined;
  return resource.join('/');
}
