import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'mocha';

const ROOT = resolve(__dirname, '../..');
const MAX_LINES = 350;

/** What each part may import beside itself: dependencies point only down this list. */
const ALLOWED: Record<string, readonly string[]> = {
  'src/types.ts': [],
  'src/printable.ts': [],
  'src/errors.ts': ['src/printable.ts'],
  'src/util': ['src/types.ts', 'src/errors.ts'],
  'src/topic': ['src/errors.ts'],
  'src/rights': ['src/types.ts', 'src/errors.ts', 'src/printable.ts', 'src/util'],
  'src/codec': ['src/types.ts', 'src/errors.ts'],
  'src/framing': ['src/errors.ts', 'src/codec'],
  'src/transport': ['src/errors.ts', 'src/util'],
  'src/store': ['src/types.ts', 'src/errors.ts', 'src/util', 'src/topic', 'src/codec'],
  'src/session': ['src/types.ts', 'src/errors.ts', 'src/util', 'src/codec', 'src/framing', 'src/transport'],
  'src/broker': [
    'src/printable.ts',
    'src/types.ts',
    'src/rights',
    'src/errors.ts',
    'src/util',
    'src/codec',
    'src/transport',
    'src/session',
  ],
  'src/services': [
    'src/types.ts',
    'src/rights',
    'src/errors.ts',
    'src/util',
    'src/topic',
    'src/codec',
    'src/session',
    'src/broker',
    'src/store',
  ],
  'src/directory': [
    'src/types.ts',
    'src/rights',
    'src/errors.ts',
    'src/util',
    'src/transport',
    'src/session',
    'src/broker',
    'src/store',
  ],
  'src/client': [
    'src/printable.ts',
    'src/types.ts',
    'src/errors.ts',
    'src/util',
    'src/codec',
    'src/transport',
    'src/session',
  ],
  'src/gateway': [
    'src/types.ts',
    'src/rights',
    'src/errors.ts',
    'src/util',
    'src/codec',
    'src/session',
    'src/transport',
    'src/broker',
    'src/services',
    'src/store',
    'src/directory',
  ],
  'src/index.ts': [
    'src/printable.ts',
    'src/util',
    'src/rights',
    'src/types.ts',
    'src/errors.ts',
    'src/util',
    'src/topic',
    'src/codec',
    'src/session',
    'src/transport',
    'src/store',
    'src/broker',
    'src/services',
    'src/client',
    'src/directory',
    'src/gateway',
  ],
  nodes: ['src/index.ts'],
  examples: ['src/index.ts'],
};

const PACKAGES: Record<string, readonly string[]> = {
  'src/transport': ['ws'],
  'src/directory': ['zod'],
  'src/rights': ['zod'],
  'src/gateway': ['jose', 'ws', 'zod'],
  nodes: ['node-red'],
};

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(ROOT, path), 'utf8');
      const imports = [...text.matchAll(/(?:from|import|require\()\s*'([^']+)'/g)].map((match) => match[1]!);
      return { path, text, imports };
    });
}

function resolveImport(from: string, specifier: string): string {
  const base = join(dirname(from), specifier);
  const found = [`${base}.ts`, join(base, 'index.ts')].find((path) => existsSync(join(ROOT, path)));
  return found ?? base;
}

function partOf(path: string): string {
  const parts = Object.keys(ALLOWED).filter((part) => path === part || path.startsWith(`${part}/`));
  assert.equal(parts.length, 1, `${path} belongs to no part of the architecture`);
  return parts[0]!;
}

const files = [...sourceFiles('src'), ...sourceFiles('nodes'), ...sourceFiles('examples')];

describe('architecture', () => {
  it('lets dependencies point only towards the codec', () => {
    for (const { path, imports } of files) {
      const part = partOf(path);
      for (const specifier of imports.filter((name) => name.startsWith('.'))) {
        const target = partOf(resolveImport(path, specifier));
        assert.ok(target === part || ALLOWED[part]!.includes(target), `${path} imports ${specifier}`);
      }
    }
  });

  it('gives a type name to one thing only', () => {
    const places = new Map<string, string[]>();
    for (const { path, text } of files.filter(({ path }) => /^(src|nodes)\//.test(path))) {
      const declared = text.matchAll(
        /^(?:export )?(?:declare )?(?:abstract )?(?:class|enum|interface|type) (\w+)/gm,
      );
      for (const [, name] of declared) places.set(name!, [...(places.get(name!) ?? []), path]);
    }
    assert.ok(places.size > 500, `${places.size} names`);
    assert.deepEqual(
      [...places].filter(([, paths]) => paths.length > 1),
      [],
    );
  });

  it('takes packages only where they belong', () => {
    for (const { path, imports } of files) {
      const packages = imports.filter((name) => !name.startsWith('.') && !name.startsWith('node:'));
      for (const name of packages) {
        assert.ok(PACKAGES[partOf(path)]?.includes(name), `${path} imports the package ${name}`);
      }
    }
  });

  it('keeps the codec and the framing free of sockets, timers and logging', () => {
    for (const { path, text, imports } of files.filter(({ path }) => /^src\/(codec|framing)\//.test(path))) {
      const pure = ['node:buffer', 'node:util'];
      const builtIns = imports.filter((name) => name.startsWith('node:') && !pure.includes(name));
      assert.deepEqual(builtIns, [], path);
      assert.doesNotMatch(text, /\b(setTimeout|setInterval|setImmediate|console)\b/, path);
    }
  });

  it('keeps sockets out of the nodes', () => {
    for (const { path, imports } of files.filter(({ path }) => path.startsWith('nodes/'))) {
      assert.deepEqual(
        imports.filter((name) => ['node:net', 'node:tls', 'node:dgram', 'ws'].includes(name)),
        [],
        path,
      );
    }
  });

  it('has no import cycles', () => {
    const graph = new Map(
      files.map(({ path, imports }) => [
        path,
        imports.filter((name) => name.startsWith('.')).map((name) => resolveImport(path, name)),
      ]),
    );
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      assert.ok(!trail.includes(path), `cycle: ${[...trail, path].join(' -> ')}`);
      if (done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
  });

  it('keeps files short', () => {
    for (const { path, text } of files) {
      const lines = text.split('\n').length - 1;
      assert.ok(lines <= MAX_LINES, `${path} has ${lines} lines: look for the missing concept`);
    }
  });

  it('gives every node its html, texts, help and icon', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      'node-red': { nodes: Record<string, string> };
    };
    for (const [type, script] of Object.entries(manifest['node-red'].nodes)) {
      assert.equal(script, `dist/nodes/${type}.js`);
      for (const file of [
        `nodes/${type}.ts`,
        `nodes/${type}.html`,
        `nodes/locales/en-US/${type}.json`,
        `nodes/locales/en-US/${type}.html`,
      ]) {
        assert.ok(existsSync(join(ROOT, file)), `${file} is missing`);
      }
      const html = readFileSync(join(ROOT, `nodes/${type}.html`), 'utf8');
      const icon = /icon: '(iotmp-[^']+)'/.exec(html)?.[1];
      if (icon !== undefined) assert.ok(existsSync(join(ROOT, 'icons', icon)), `icons/${icon} is missing`);
    }
  });
});
