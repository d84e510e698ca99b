import { z } from 'zod';
import type { FileEntry, StorageKey } from '../../store/files/file-store';
import type { GatewayContext } from '../gateway-context';
import { EMPTY, json, type BodyAnswer, type HttpAnswer } from '../http/answer';
import { bodyContent } from '../http/body';
import { fileAnswer } from '../http/file-answer';
import { badRequest, conflict, notFound } from '../http/request-error';
import { PLAIN, route, type PathParam, type Route } from '../route';
import { STORAGE } from './asset-documents';
import { knownAsset } from './assets';
import { takePlace } from './lasting-answer';
import type { ListRow } from './list';

/** The paths of a version, and what it lists by default. */
interface Version {
  readonly path: string;
  readonly all: boolean;
}

/** Maximum number of files and folders that are made at once. */
const MAX_AT_ONCE = 100;

/** `?info` is the same as `?info=true`. */
const flag = z
  .enum(['', 'true', 'false', '1', '0'])
  .transform((text) => text !== 'false' && text !== '0')
  .optional();

const listQuery = z.object({
  recursive: flag.describe('with what is in folders'),
  hidden: flag.describe('with what begins with a dot'),
});
const readQuery = listQuery.extend({ info: flag.describe('what is known of the file, not its content') });
const writeQuery = z.object({ overwrite: flag.describe('false refuses to replace what is there') });

const paths = z.array(z.string().max(1024)).max(MAX_AT_ONCE);
const made = z.strictObject({ files: paths.optional(), folders: paths.optional() });
const renamed = z.strictObject({
  path: z.string().max(1024).optional().describe('the new path'),
  name: z.string().max(255).optional().describe('or the new name, in the same folder'),
  overwrite: z.boolean().optional(),
});

const fileDocument = z.object({
  name: z.string(),
  path: z.string().describe('without a leading slash'),
  type: z.enum(['file', 'directory']),
  size: z.number(),
  modified: z.number(),
});

/** Routes of the files of storages (`platform-api.md` section 1.7). */
export const storageFileRoutes: readonly Route[] = [
  ...routesOf({ path: '/v1/users/:user/storages/:storage/files', all: true }),
  ...routesOf({ path: '/v2/users/:user/storages/:storage/files', all: false }),
];

function routesOf(version: Version): Route[] {
  const { path } = version;
  const one = `${path}/**path`;
  const about = { ...PLAIN, asset: 'Storage', id: 'storage' } as const;
  return [
    route({
      ...about,
      method: 'GET',
      path,
      action: 'ListStorageFiles',
      summary: 'List files and folders of a storage',
      query: listQuery,
      answer: z.array(fileDocument),
      handle: ({ context, param, query }) => listed(context, keyOf(context, param), '', version, query),
    }),
    ...[path, one].map((each) =>
      route({
        ...about,
        method: 'POST',
        path: each,
        action: 'CreateStorageFiles',
        summary: 'Make empty files and folders; what is there already stays as it is',
        query: writeQuery,
        body: made,
        answer: z.array(fileDocument),
        handle: ({ context, param, query, body }) =>
          makeAll(context, keyOf(context, param), folderOf(param), body, query.overwrite),
      }),
    ),
    route({
      ...about,
      method: 'GET',
      path: one,
      action: 'ReadStorageFiles',
      summary: 'Read a file, or list a folder',
      query: readQuery,
      produces: 'application/octet-stream',
      async handle(call): Promise<HttpAnswer> {
        const { context, param, query } = call;
        const { files, limits } = context;
        const key = keyOf(context, param);
        if (folderOf(param) === '') return listed(context, key, '', version, query);
        const entry = await files.find(key, pathOf(param));
        if (entry === undefined) throw noFile(param);
        if (query.info === true) return json(rowOf(entry));
        if (entry.type === 'directory') return listed(context, key, entry.path, version, query);
        const { drainTimeoutMs } = limits;
        const signal = takePlace(call);
        return fileAnswer(await files.open(key, entry.path), { signal, drainTimeoutMs });
      },
    }),
    route({
      ...about,
      method: 'PUT',
      path: one,
      action: 'UpdateStorageFiles',
      summary: 'Write a file: the body is its content; a path that ends with a slash makes a folder',
      query: writeQuery,
      body: z.unknown(),
      raw: true,
      answer: fileDocument,
      async handle({ context, request, param, query }) {
        const key = keyOf(context, param);
        if (param('path').endsWith('/')) {
          await makeFolder(context, key, pathOf(param), query.overwrite);
          return EMPTY;
        }
        const { clock, closing, limits } = context;
        const content = bodyContent(request, limits.fileBytes, closing, clock);
        return json(rowOf(await context.files.write(key, pathOf(param), content, query.overwrite !== false)));
      },
    }),
    route({
      ...about,
      method: 'PATCH',
      path: one,
      action: 'RenameStorageFiles',
      summary: 'Give a file or folder another path or name; what is there is replaced only with overwrite',
      query: writeQuery,
      body: renamed,
      answer: fileDocument,
      async handle({ context, param, query, body }) {
        const from = pathOf(param);
        const replace = body.overwrite ?? query.overwrite ?? false;
        return json(
          rowOf(await context.files.rename(keyOf(context, param), from, newPath(from, body), replace)),
        );
      },
    }),
    route({
      ...about,
      method: 'DELETE',
      path: one,
      action: 'DeleteStorageFiles',
      summary: 'Delete a file or an empty folder; with recursive also a folder that is not empty',
      query: z.object({ recursive: flag }),
      async handle({ context, param, query }) {
        await context.files.remove(keyOf(context, param), pathOf(param), query.recursive ?? false);
        return EMPTY;
      },
    }),
  ];
}

/** The storage that a path names. */
function keyOf(context: GatewayContext, param: PathParam): StorageKey {
  const { user, id } = knownAsset(context, STORAGE, param);
  return { user, storage: id };
}

/** The file or folder that a path names. A slash at its end is ignored. */
function pathOf(param: PathParam): string {
  const path = param('path').replace(/\/$/, '');
  if (path === '') throw badRequest('the path of a file is missing');
  return path;
}

/** The folder that a path names; '' is the root. */
function folderOf(param: PathParam): string {
  return param('path') === '' ? '' : pathOf(param);
}

function newPath(from: string, { path, name }: z.infer<typeof renamed>): string {
  if ((path === undefined) === (name === undefined)) throw badRequest('body: either path or name is needed');
  if (path !== undefined) return path.replace(/^\//, '');
  if (name?.includes('/') !== false) throw badRequest('body.name: has no slash');
  return from.slice(0, from.lastIndexOf('/') + 1) + name;
}

async function listed(
  { files }: GatewayContext,
  key: StorageKey,
  path: string,
  { all }: Version,
  { recursive = all, hidden = all }: z.output<typeof listQuery>,
): Promise<BodyAnswer> {
  const entries = await files.list(key, path, recursive);
  const start = path === '' ? 0 : path.length + 1;
  const shown = entries.filter((entry) => hidden || !/(^|\/)\./.test(entry.path.slice(start)));
  return json(shown.map(rowOf));
}

async function makeAll(
  context: GatewayContext,
  key: StorageKey,
  folder: string,
  { files = [], folders = [] }: z.output<typeof made>,
  overwrite: boolean | undefined,
): Promise<BodyAnswer> {
  if (files.length + folders.length === 0) throw badRequest('body: files or folders are needed');
  const rows: ListRow[] = [];
  const within = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
  for (const path of folders.map(within)) rows.push(await makeFolder(context, key, path, overwrite));
  for (const path of files.map(within)) rows.push(await makeFile(context, key, path, overwrite));
  return json(rows);
}

async function makeFolder(
  { files }: GatewayContext,
  key: StorageKey,
  path: string,
  overwrite: boolean | undefined,
): Promise<ListRow> {
  const before = await files.find(key, path);
  if (before !== undefined && overwrite === false) throw conflict(`${path} is already there`);
  await files.makeFolder(key, path);
  const entry = await files.find(key, path);
  if (entry === undefined) throw notFound(`${path} was removed meanwhile`);
  return rowOf(entry);
}

/** Makes an empty file. An existing file keeps its content. */
async function makeFile(
  { files }: GatewayContext,
  key: StorageKey,
  path: string,
  overwrite: boolean | undefined,
): Promise<ListRow> {
  const before = await files.find(key, path);
  if (before?.type === 'file' && overwrite !== false) return rowOf(before);
  return rowOf(await files.write(key, path, nothing(), false));
}

async function* nothing(): AsyncGenerator<Uint8Array, undefined> {
  // An empty file has no content.
}

function rowOf(entry: FileEntry): ListRow {
  const { path, type, size, modified } = entry;
  return { name: path.slice(path.lastIndexOf('/') + 1), path, type, size, modified };
}

function noFile(param: PathParam): Error {
  return notFound(`there is no file or folder ${pathOf(param)}`);
}
