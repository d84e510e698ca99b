import { z } from 'zod';
import { IotmpError } from '../../errors';
import { json } from '../http/answer';
import { PLAIN, route, type Route } from '../route';

/** Routes about backups of all that the server keeps. Where they go, the server alone decides. */
export const backupRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    asset: 'Server',
    access: 'admin',
    method: 'POST',
    path: '/v1/server/backup',
    action: 'CreateServerBackup',
    summary:
      'Make a backup of the store and the files of storages while both are in use; answered when it is on the disk',
    answer: z.object({
      backup: z.string().describe('name of its folder: the time when it was begun, in UTC'),
      bytes: z.number(),
      duration: z.number().describe('ms'),
    }),
    async handle({ context }) {
      if (context.backups === undefined)
        throw new IotmpError('IOTMP_ERR_CONFLICT', 'there are no backups here');
      const { backup, bytes, durationMs: duration } = await context.backups.make();
      return json({ backup, bytes, duration });
    },
  }),
];
