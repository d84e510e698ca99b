import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench } from './support/gateway-bench';

interface Operation {
  operationId: string;
  summary: string;
  security?: unknown[];
  parameters: { name: string; in: string }[];
  requestBody?: {
    content: Record<string, { schema: { required?: string[]; additionalProperties?: boolean } }>;
  };
  responses: Record<string, unknown>;
}

interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
}

async function documentOf(bench: GatewayBench): Promise<Document> {
  const answer = await bench.get('/openapi.json', { token: null });
  assert.equal(answer.type, 'application/json; charset=utf-8');
  return answer.body as Document;
}

describe('OpenAPI document', () => {
  for (const [what, basePath, headers, url] of [
    ['at the root, relative to itself', '', {}, './'],
    ['at its path', '/api', {}, '/api'],
    ['below the prefix that a proxy takes away', '', { 'X-Forwarded-Prefix': '/form/' }, '/form'],
    ['below both', '/api', { 'X-Forwarded-Prefix': '/a/b, /c' }, '/a/b/api'],
    [
      'below a prefix that the proxy leaves in place once',
      '/red/api',
      { 'X-Forwarded-Prefix': '/red' },
      '/red/api',
    ],
    ['at its path for what is no prefix', '/api', { 'X-Forwarded-Prefix': '//evil.example' }, '/api'],
    ['at its path for a prefix that climbs', '/api', { 'X-Forwarded-Prefix': '/a/../b' }, '/api'],
  ] as const) {
    it(`names the server ${what}`, async () => {
      const bench = await GatewayBench.start({ basePath });
      const answer = await bench.get('/openapi.json', { token: null, headers });
      const { servers, paths } = answer.body as Document;
      assert.deepEqual(servers, [{ url }]);
      assert.ok(Object.keys(paths).length > 40);
    });
  }

  it('names every route once, with its parameters and answers', async () => {
    const bench = await GatewayBench.start({ basePath: '/api' });
    const { openapi, paths, servers } = await documentOf(bench);
    assert.equal(openapi, '3.1.0');
    assert.deepEqual(servers, [{ url: '/api' }]);
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation): [string, Operation] => [path, operation]),
    );
    assert.ok(operations.length > 40);
    const ids = operations.map(([, { operationId }]) => operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const [path, { parameters, responses, summary }] of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      assert.deepEqual(
        parameters.filter((one) => one.in === 'path').map(({ name }) => name),
        named,
        path,
      );
      assert.ok('200' in responses && 'default' in responses);
      assert.ok(summary.length > 5);
    }
  });

  it('is made of the schemas that check requests', async () => {
    const bench = await GatewayBench.start();
    const { paths } = await documentOf(bench);
    const create = paths['/v1/users/{user}/devices']?.post;
    const { schema } = create!.requestBody!.content['application/json']!;
    assert.deepEqual(schema.required, ['device']);
    assert.equal(schema.additionalProperties, false);
    const list = paths['/v1/users/{user}/devices']?.get;
    assert.ok(list!.parameters.some(({ name, in: place }) => name === 'count' && place === 'query'));
    assert.deepEqual(paths['/v1/server/assets']?.get?.security, []);
  });

  it('describes only what is served, and all paths answer', async () => {
    const bench = await GatewayBench.start();
    const { paths } = await documentOf(bench);
    for (const [path, methods] of Object.entries(paths)) {
      const actual = path.replace('{user}', 'anna').replace(/\{\w+\}/g, 'pump');
      const allowed = (await bench.ask('OPTIONS', actual)).headers.allow?.split(', ') ?? [];
      for (const method of Object.keys(methods))
        assert.ok(allowed.includes(method.toUpperCase()), `${method} ${path}`);
    }
  });

  it('is there as a page, which loads nothing from elsewhere and runs nothing', async () => {
    const bench = await GatewayBench.start();
    const page = await bench.get('/openapi.html', { token: null });
    assert.equal(page.type, 'text/html; charset=utf-8');
    assert.match(page.headers['content-security-policy'] as string, /default-src 'none'/);
    assert.match(page.bytes.toString(), /\/v3\/users\/:user\/devices\/:device\/resources\/\*resource/);
    assert.doesNotMatch(page.bytes.toString(), /<script|src=|https?:/);
  });

  it('marks the routes on the page that are there for old programs, and no others', async () => {
    const bench = await GatewayBench.start();
    const rows =
      (await bench.get('/openapi.html', { token: null })).bytes.toString().match(/<tr[^\n]+/g) ?? [];
    const old = rows.filter((row) => row.startsWith('<tr class="old">'));
    assert.ok(old.some((row) => row.includes('<code>/v2/users/:user/devices/:device/*resource</code>')));
    assert.ok(old.length < rows.length / 2);
    assert.ok(old.every((row) => !row.includes('<code>/v3/')));
  });
});
