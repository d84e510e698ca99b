import { types } from 'node:util';
import { z } from 'zod';
import { IotmpError } from '../../errors';
import type { Value } from '../../types';
import { DeviceFiles, LargeFile } from '../devices/files/device-files';
import { FileDownload } from '../devices/files/file-download';
import { filePath, isFolder } from '../devices/files/file-path';
import { FileUpload } from '../devices/files/file-upload';
import { bytes, EMPTY, json, type BodyAnswer, type HttpAnswer } from '../http/answer';
import { readBody } from '../http/body';
import { forbidden } from '../http/request-error';
import { IGNORED, route, type AnyCall, type Route } from '../route';
import { idOf } from '../devices/known-device';
import { takePlace } from './lasting-answer';
import { connectedDevice } from '../devices/resource-access';

const PATH = '/v3/users/:user/devices/:device/files/**path';
const ABOUT = {
  asset: 'Device',
  id: 'device',
  action: 'AccessDeviceResources',
  path: PATH,
  body: IGNORED,
} as const;

const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .transform((text) => text === 'true' || text === '1')
  .optional();

const readQuery = z.object({
  info: flag.describe('true: what is known of it, in place of its content'),
  hidden: flag.describe('true: list hidden files, too'),
});
const writeQuery = z.object({ overwrite: flag.describe('false: only where there is none (else 409)') });
const removeQuery = z.object({ recursive: flag.describe('true: a folder with all that is in it') });
const moveBody = z.object({
  path: z.string().min(1).describe('where it goes'),
  overwrite: z.boolean().default(false),
});

/** Routes of the files of devices that offer them (`platform-api.md` section 1.7). */
export const deviceFileRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    method: 'GET',
    summary: 'List a folder, whose path ends with a slash, or read a file of a device',
    query: readQuery,
    produces: 'application/octet-stream',
    async handle(call) {
      const { info = false, hidden = false } = call.query;
      const { files, path } = open(call, info ? 'info' : 'get');
      if (info) return answerOf(await files.info(path));
      const found = await files.read(path, hidden);
      return found instanceof LargeFile ? download(call, files, path, found.size) : answerOf(found);
    },
  }),
  route({
    ...ABOUT,
    method: 'PUT',
    summary:
      'Write a file of a device: the body is its content. A path that ends with a slash makes a folder',
    query: writeQuery,
    body: z.unknown(),
    raw: true,
    answer: z.unknown(),
    async handle(call) {
      const { files, path } = open(call, 'put');
      if (isFolder(path)) return answerOf(await files.makeFolder(notRoot(path)));
      return answerOf(await write(call, files, path, call.query.overwrite !== false));
    },
  }),
  route({
    ...ABOUT,
    method: 'PATCH',
    summary: 'Move a file or folder of a device',
    query: IGNORED,
    body: moveBody,
    answer: z.unknown(),
    async handle(call) {
      const { files, path } = open(call, 'move');
      const { path: to, overwrite } = call.body;
      return answerOf(await files.move(notRoot(path), filePath(to), overwrite));
    },
  }),
  route({
    ...ABOUT,
    method: 'DELETE',
    summary: 'Delete a file or folder of a device',
    query: removeQuery,
    answer: z.unknown(),
    async handle(call) {
      const { files, path } = open(call, 'delete');
      return answerOf(await files.remove(notRoot(path), call.query.recursive ?? false));
    },
  }),
];

/** @throws IotmpError IOTMP_ERR_OFFLINE, IOTMP_ERR_FORBIDDEN when the token is not for the resource of the action */
function open(
  { context, param, principal, signal }: AnyCall,
  verb: string,
): { files: DeviceFiles; path: string } {
  const path = filePath(param('path'));
  const device = connectedDevice({ context, principal, device: idOf(param) }, `$fs/${verb}/${path}`);
  return { files: new DeviceFiles(context, device, signal), path };
}

function notRoot(path: string): string {
  if (path.replaceAll('/', '') !== '') return path;
  throw forbidden('the root is neither made, moved nor deleted');
}

function answerOf(found: Value | undefined): BodyAnswer {
  if (found === undefined) return EMPTY;
  return types.isUint8Array(found) ? bytes(found) : json(found);
}

/** A file of more than one message. It holds a place like a socket, and ends when its token becomes invalid. */
async function download(call: AnyCall, files: DeviceFiles, path: string, size: number): Promise<HttpAnswer> {
  const { context, request } = call;
  if (request.method === 'HEAD') {
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': size };
    return { serve: (response) => void response.writeHead(200, headers).end() };
  }
  const { device } = files;
  const { clock } = context;
  const started = await FileDownload.open({ device, path, size, signal: takePlace(call), clock });
  return { serve: (response) => started.serve(response) };
}

async function write(
  call: AnyCall,
  files: DeviceFiles,
  path: string,
  mayOverwrite: boolean,
): Promise<Value | undefined> {
  const { request } = call;
  const length = request.headers['content-length'];
  const size = Number(length);
  const inlineBytes = files.inlineBytes(path);
  if (length === undefined || size <= inlineBytes) {
    const body = await readBody(request, inlineBytes, call.context.clock).catch((error: unknown) => {
      throw length === undefined && isTooLarge(error) ? lengthNeeded() : error;
    });
    return files.put(path, body.bytes, mayOverwrite);
  }
  const signal = takePlace(call);
  await files.prepare(path, mayOverwrite);
  const { device } = files;
  await FileUpload.run({ device, path, size, request, signal, clock: call.context.clock });
  return { success: true, path, type: 'file', size };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof IotmpError && error.code === 'IOTMP_ERR_TOO_LARGE';
}

/** The size of a file, which a device has to be told before its content. */
function lengthNeeded(): IotmpError {
  return new IotmpError('IOTMP_ERR_REQUEST', 'a file of this size needs its Content-Length', {
    statusCode: 411,
  });
}
