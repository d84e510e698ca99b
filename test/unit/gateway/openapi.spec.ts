import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench } from './support/gateway-bench';

interface Schema {
  type?: string;
  anyOf?: unknown[];
  required?: string[];
  additionalProperties?: boolean;
  $ref?: string;
}

type Content = Record<string, { schema?: Schema; example?: unknown }>;

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security?: unknown[];
  parameters: { name: string; in: string; description?: string; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { $ref?: string; description?: string; content?: Content }>;
}

interface Document {
  openapi: string;
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; responses: Record<string, unknown> };
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
    const { components, paths } = await documentOf(bench);
    const create = paths['/v1/users/{user}/devices']?.post;
    const { schema } = create!.requestBody!.content['application/json']!;
    const body = components.schemas[schema!.$ref!.split('/').at(-1)!];
    assert.deepEqual(body?.required, ['device']);
    assert.equal(body.additionalProperties, false);
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

  it('says all that there is to say of every operation', async () => {
    const bench = await GatewayBench.start();
    const document = await documentOf(bench);
    const { schemas, responses: named } = document.components;
    const missing: string[] = [];
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const lacks = (what: string): number => missing.push(`${method} ${path}: ${what}`);
        const { description, parameters, requestBody, responses, tags } = operation;
        if (description.length <= operation.summary.length) lacks('description');
        if (!document.tags.some(({ name }) => tags.includes(name))) lacks('tag');
        for (const { name, description: about, schema } of parameters) {
          if (about === undefined || about === name) lacks(`description of ${name}`);
          if (schema.type === undefined && schema.anyOf === undefined) lacks(`type of ${name}`);
        }
        if (requestBody !== undefined) {
          if (Object.values(requestBody.content).some(({ schema }) => schema === undefined)) lacks('body');
          const json = requestBody.content['application/json'];
          if (json !== undefined && json.example === undefined) lacks('example of the body');
        }
        for (const [status, { $ref, description: about, content = {} }] of Object.entries(responses)) {
          if ($ref !== undefined) {
            if (named[$ref.split('/').at(-1) ?? ''] === undefined) lacks(`answer ${status}`);
            continue;
          }
          if (about === undefined) lacks(`description of ${status}`);
          const json = content['application/json'];
          if (json !== undefined && (json.schema === undefined || json.example === undefined)) lacks(status);
        }
        if (responses['429'] === undefined) lacks('429');
        if (operation.security === undefined && responses['401'] === undefined) lacks('401');
        if (requestBody !== undefined && responses['413'] === undefined) lacks('413');
        if (/\{(?!user)/.test(path) && responses['404'] === undefined) lacks('404');
      }
    }
    assert.deepEqual(missing, []);
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref);
    for (const ref of new Set(refs)) {
      const [, , kind = '', name = ''] = ref.split('/');
      assert.ok((kind === 'schemas' ? schemas : named)[name] !== undefined, ref);
    }
    for (const name of ['Device', 'Bucket', 'Endpoint', 'Error', 'CreateDeviceBody']) {
      assert.ok(schemas[name] !== undefined, `${name} of ${Object.keys(schemas).join(' ')}`);
    }
  });

  it('has parameters of the types that are meant, and examples that its own schemas take', async () => {
    const bench = await GatewayBench.start();
    const { paths } = await documentOf(bench);
    const types = (path: string): Record<string, unknown> =>
      Object.fromEntries(paths[path]!.get!.parameters.map(({ name, schema }) => [name, schema.type]));
    assert.equal(types('/v1/users/{user}/devices').count, 'integer');
    assert.equal(types('/v1/users/{user}/buckets/{bucket}/data').min_ts, 'integer');
    assert.equal(types('/v2/users/{user}/storages/{storage}/files').recursive, 'boolean');
    for (const [path, methods] of Object.entries(paths)) {
      const { post } = methods;
      const example = post?.requestBody?.content['application/json']?.example;
      if (example === undefined || /Call|Set|Access|oauth/i.test(post!.operationId)) continue;
      const actual = path.replace('{user}', 'anna').replace(/\{\w+\}/g, 'pump');
      const answer = await bench.post(actual, example, { token: await bench.tokenOf('root') });
      const text = answer.bytes.toString();
      assert.ok(
        !text.includes('"body.') && !text.includes('body:'),
        `${path} refuses its own example: ${text}`,
      );
    }
  });

  it('is there as a page, which loads nothing from elsewhere', async () => {
    const bench = await GatewayBench.start();
    const page = await bench.get('/openapi.html', { token: null });
    assert.equal(page.type, 'text/html; charset=utf-8');
    assert.match(page.headers['content-security-policy'] as string, /default-src 'none'; script-src 'self'/);
    assert.match(page.bytes.toString(), /\/v3\/users\/:user\/devices\/:device\/resources\/\*resource/);
    assert.doesNotMatch(page.bytes.toString(), /https?:/);
    const loaded = [...page.bytes.toString().matchAll(/(?:src|href)="(openapi\/[^"]+)"/g)];
    assert.equal(loaded.length, 3);
    for (const [, path = ''] of loaded) {
      const file = await bench.get(`/${path}`, { token: null });
      assert.equal(file.status, 200, path);
      assert.match(file.type ?? '', path.endsWith('css') ? /^text\/css/ : /^text\/javascript/);
    }
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
