import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import { allTables } from '../../../../nodes/settings/all';
import { dialogHtml } from '../../../../nodes/settings/dialog';
import type { NodeSettings } from '../../../../nodes/settings/setting';

const NODES = resolve(__dirname, '../../../../nodes');

/** A property as the editor knows it. */
export interface EditorProperty {
  readonly value: unknown;
  readonly type?: string;
  readonly required?: boolean;
  readonly label?: string;
  readonly validate?: (this: unknown, value: unknown, opt: object) => unknown;
  readonly setting?: Readonly<Record<string, unknown>>;
}

/** A node type as the editor knows it. */
export interface EditorDefinition {
  readonly defaults: Readonly<Record<string, EditorProperty>>;
  readonly credentials?: Readonly<Record<string, { readonly type: string }>>;
  readonly checks?: Readonly<Record<string, unknown>>;
}

export function tableOf(type: string): NodeSettings {
  const table = allTables.find((one) => one.type === type);
  assert.ok(table !== undefined, type);
  return table;
}

/**
 * What the html of a node type, with its settings in it, registers at the editor.
 * @param openIotmp parts of plugins, for its validators
 */
export function editorDefinition(type: string, openIotmp: unknown = {}): EditorDefinition {
  const html = dialogHtml(readFileSync(join(NODES, `${type}.html`), 'utf8'), tableOf(type));
  const [, script = ''] = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html) ?? [];
  const found: EditorDefinition[] = [];
  const registerType = (_type: string, definition: EditorDefinition): unknown => found.push(definition);
  const RED = { _: (key: string) => key, nodes: { registerType } };
  const run = compileFunction(script, ['RED', 'openIotmp']) as (...args: unknown[]) => void;
  run(RED, openIotmp);
  const [definition] = found;
  assert.ok(definition !== undefined, `${type} registers nothing`);
  return definition;
}
