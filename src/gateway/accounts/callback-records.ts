import { z } from 'zod';
import type { DeviceId } from '../../types';
import { Records, type Documents, type Keeper } from '../../directory/records';

const name = z.string().max(64).default('');

const actions = z.object({
  write_bucket: name.describe('the bucket that gets a row'),
  call_endpoint: name.describe('the endpoint that is called'),
  set_property: name.describe('the property of the device that is set'),
  send_property: name.describe('the property of the device that is the answer'),
});

const NO_ACTIONS: z.infer<typeof actions> & { timeout?: number } = {
  write_bucket: '',
  call_endpoint: '',
  set_property: '',
  send_property: '',
};

const MINUTES_OF_A_YEAR = 525_600;

const properties = z.object({
  timeout: z
    .number()
    .min(0)
    .max(MINUTES_OF_A_YEAR)
    .default(0)
    .describe('minutes for which the device counts as connected after a callback; 0 = it never does'),
});

/** The actions for the data of a callback, of which an empty name is none, and what a callback says of its device. */
export const callbackSettings = z.object({ actions, properties });

export type CallbackSettings = z.infer<typeof callbackSettings>;

/** A change of the settings. Members that are left out stay as they are; unknown ones are refused, as they would do nothing. */
export const callbackChange = z
  .strictObject({ actions: z.strictObject(actions.shape), properties: z.strictObject(properties.shape) })
  .partial();

const callbackRecord = actions.extend({ device: z.string(), timeout: z.number().default(0) });

/** The callbacks of devices that speak HTTP (`platform-api.md` section 4). */
export class CallbackRecords {
  readonly #records: Records<z.infer<typeof callbackRecord>>;

  constructor(documents: Documents) {
    this.#records = new Records(documents, 'callback', callbackRecord);
  }

  /** The records as a whole. */
  get kept(): Keeper {
    return this.#records;
  }

  /** The settings of a device's callback. By default nothing is done with its data. */
  get({ user, device }: DeviceId): CallbackSettings {
    const { timeout = 0, ...record } = this.#records.get({ user, id: device }) ?? NO_ACTIONS;
    return { actions: actions.parse(record), properties: { timeout } };
  }

  set({ user, device }: DeviceId, { actions, properties }: CallbackSettings): Promise<void> {
    return this.#records.put({ user, id: device }, { ...actions, ...properties, device });
  }

  remove({ user, device }: DeviceId): Promise<void> {
    return this.#records.remove({ user, id: device });
  }

  async removeAll(user: string): Promise<void> {
    await Promise.all(this.#records.list(user).map(({ device }) => this.remove({ user, device })));
  }
}
