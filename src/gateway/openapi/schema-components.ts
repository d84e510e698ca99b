import { z } from 'zod';

/** A piece of an OpenAPI document. */
export type Json = Record<string, unknown>;

/** Whether a schema is of what comes in, or of what goes out. */
export type Direction = 'input' | 'output';

/** The schemas of a document: each has a name and stands there once, however many operations use it. */
export class SchemaComponents {
  readonly #names = new Map<z.ZodType, string>();
  readonly #schemas = new Map<string, Json>();

  /** All schemas, by their names. */
  get all(): Json {
    return Object.fromEntries(this.#schemas);
  }

  /** The schema that a reference means, or the schema itself. */
  resolve(schema: Json): Json {
    const { $ref } = schema;
    if (typeof $ref !== 'string') return schema;
    return this.#schemas.get($ref.slice($ref.lastIndexOf('/') + 1)) ?? {};
  }

  /**
   * A schema as it stands at an operation: a reference, or itself where it is no object.
   * @param name the name of an object that has none yet
   */
  of(schema: z.ZodType, direction: Direction, name: string): Json {
    const known = this.#names.get(schema);
    if (known !== undefined) return refTo(known);
    if (schema instanceof z.ZodArray) {
      const { element } = schema;
      const about = jsonSchema(schema, direction);
      return { ...about, items: this.of(element as z.ZodType, direction, name) };
    }
    const json = jsonSchema(schema, direction);
    if (json.type !== 'object' || json.properties === undefined) return json;
    const free = this.#freeName(name);
    this.#names.set(schema, free);
    this.#schemas.set(free, json);
    return refTo(free);
  }

  #freeName(name: string): string {
    for (let count = 1; ; count++) {
      const each = count === 1 ? name : `${name}${count}`;
      if (!this.#schemas.has(each)) return each;
    }
  }
}

/** A schema of Zod as JSON Schema. What JSON Schema cannot say is left open. */
export function jsonSchema(schema: z.ZodType, direction: Direction): Json {
  return without(z.toJSONSchema(schema, { io: direction, unrepresentable: 'any' }), '$schema');
}

/** An object without one of its members. */
export function without(json: Json, member: string): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== member));
}

function refTo(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}
