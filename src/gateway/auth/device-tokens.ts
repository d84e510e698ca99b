import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { toUnixSeconds } from '../../util/unix-time';
import type { DeviceId } from '../../types';
import { allSettled, leastKept, Records, type Documents, type Keeper } from '../../directory/records';
import type { Revocations } from '../../directory/revocations';
import type { TokenSigner } from './token-signer';

const deviceTokenRecord = z.object({
  id: z.string(),
  user: z.string(),
  device: z.string(),
  name: z.string(),
  /** The resources that the token is for; all by default. */
  resources: z.array(z.string()).optional(),
  /** In s since 1970. */
  expire: z.number().transform(toUnixSeconds).optional(),
  created: z.number(),
});

/** The record of a token for one device. */
export type DeviceTokenRecord = z.infer<typeof deviceTokenRecord>;

/** A device token to be made. */
export type DeviceTokenDraft = Pick<DeviceTokenRecord, 'name' | 'resources' | 'expire'>;

/** Tokens for one device. They are given to apps, buttons and services that use nothing else of the server. */
export class DeviceTokens {
  readonly #records: Records<DeviceTokenRecord>;
  readonly #signer: TokenSigner;

  /** @param onChange is called when a token may have become invalid */
  constructor(documents: Documents, revocations: Revocations, signer: TokenSigner, onChange?: () => void) {
    this.#records = new Records(documents, 'device-token', deviceTokenRecord, {
      onChange,
      rights: { revocations, least: leastKept },
    });
    this.#signer = signer;
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  list({ user, device }: DeviceId): readonly DeviceTokenRecord[] {
    return this.#records.list(user).filter((record) => record.device === device);
  }

  get({ user, device }: DeviceId, id: string): DeviceTokenRecord | undefined {
    const record = this.#records.get({ user, id });
    return record?.device === device ? record : undefined;
  }

  async create({ user, device }: DeviceId, draft: DeviceTokenDraft): Promise<DeviceTokenRecord> {
    const record: DeviceTokenRecord = {
      ...draft,
      id: randomUUID().replaceAll('-', ''),
      user,
      device,
      created: Date.now(),
    };
    await this.#records.put({ user, id: record.id }, record);
    return record;
  }

  /** Whether a token is no more, but still in the store, or there with a record that cannot be read. */
  isLeftOver(user: string, id: string): boolean {
    return this.#records.isRemovalOwed({ user, id }) || this.#records.isUnusable({ user, id });
  }

  remove({ user, id }: Pick<DeviceTokenRecord, 'user' | 'id'>): Promise<void> {
    return this.#records.remove({ user, id });
  }

  /** Removes the tokens of a device. */
  async removeAll(id: DeviceId): Promise<void> {
    await allSettled(this.list(id).map((record) => this.remove(record)));
  }

  /** Removes the tokens of all devices of a user. */
  async removeAllOf(user: string): Promise<void> {
    await this.#records.removeAll(user);
  }

  /** The token in the form that a program sends. It is the same each time. */
  sign({ id, user, device, resources, expire, created }: DeviceTokenRecord, host: string): Promise<string> {
    return this.#signer.sign({
      dev: device,
      usr: user,
      jti: id,
      svr: host,
      iat: Math.floor(created / 1000),
      ...(resources === undefined ? {} : { res: resources }),
      ...(expire === undefined ? {} : { exp: expire }),
    });
  }
}
