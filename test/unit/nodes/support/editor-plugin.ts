import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';

const NODES = resolve(__dirname, '../../../../nodes');

/** What a plugin file of the editor adds to `openIotmp`; `parts` are those of other plugins that it uses. */
export function editorPlugin(file: string, parts: Record<string, unknown> = {}): unknown {
  const [, script = ''] =
    /<script[^>]*>([\s\S]*)<\/script>/.exec(readFileSync(join(NODES, file), 'utf8')) ?? [];
  const openIotmp = { ...parts };
  const RED = { plugins: { registerPlugin: () => undefined }, _: (key: string) => key };
  const customElements = { get: () => undefined, define: () => undefined };
  // In a browser the members of the window are global.
  runInContext(
    script,
    createContext({ window: { openIotmp }, openIotmp, RED, HTMLElement: Object, customElements }),
  );
  return openIotmp;
}
