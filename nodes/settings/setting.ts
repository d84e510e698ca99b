import type { NodeDef } from 'node-red';

/** How the dialog lets a property be edited. With `none` it has no row of its own. */
export type Field =
  'text' | 'integer' | 'decimal' | 'check' | 'choice' | 'config' | 'json' | 'typed' | 'none';

/** Facts of a property for the dialog and the help. They are plain data, which the build writes into the html. */
export interface SettingFacts {
  readonly field: Field;
  /** Value of a new node. */
  readonly default: unknown;
  /** Type of a new node's value, for a typed field. */
  readonly defaultType?: string;
  readonly min?: number;
  readonly max?: number;
  readonly unit?: 's' | 'ms' | 'bytes' | 'MiB';
  /** Meaning of a blank field, where the dialog takes one: the default, that something is off, or that the runtime chooses. */
  readonly blank?: 'default' | 'off' | 'auto';
  readonly choices?: readonly string[];
  /** Type of the config node whose id the property holds. */
  readonly node?: string;
  /** False where the property may be without a config node. */
  readonly required?: boolean;
  /** Name of the validator of the editor. */
  readonly check?: string;
  /** Whether label and choices have their texts in the catalogue that all dialogs share. */
  readonly shared?: boolean;
  /** Further facts that the dialog of one node needs. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A property of a node: how the runtime reads it, and its facts for the dialog and the help. */
export interface Setting<Value> {
  readonly facts: SettingFacts;
  /**
   * The value of the property in a configuration, or its default.
   * @throws IotmpError IOTMP_ERR_CONFIG naming the property and what it must be
   */
  readonly read: (config: object, name: string) => Value;
}

/** The table of settings of a node type. Every node has the properties `name` and `version` beside these. */
export interface NodeSettings<Values extends Record<string, unknown> = Record<string, unknown>> {
  readonly type: string;
  readonly properties: { readonly [Name in keyof Values]: Setting<Values[Name]> };
  /** Type of each credential. */
  readonly credentials: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
}

/** The configuration of a node with these settings, as Node-RED hands it on. */
export type ConfigOf<Table> =
  Table extends NodeSettings<infer Values> ? NodeDef & { readonly [Name in keyof Values]?: unknown } : never;

/** Reads a property of a configuration by its name. */
export type SettingReader<Values extends Record<string, unknown>> = <Name extends keyof Values & string>(
  name: Name,
) => Values[Name];

/** The reader of the configuration of a node with these settings. */
export type ReaderOf<Table> = Table extends NodeSettings<infer Values> ? SettingReader<Values> : never;

/** The table of a node type. */
export function nodeSettings<Values extends Record<string, unknown>>(
  type: string,
  properties: NodeSettings<Values>['properties'],
  credentials: NodeSettings['credentials'] = {},
): NodeSettings<Values> {
  return { type, properties, credentials };
}

/**
 * The reader of a configuration. It reads and checks a property when it is called, so that a property that a node does
 * not use may be anything.
 */
export function settingReader<Values extends Record<string, unknown>>(
  { properties }: NodeSettings<Values>,
  config: object,
): SettingReader<Values> {
  return (name) => properties[name].read(config, name);
}
