import { z } from 'zod';
import type { DeviceId } from '../../types';
import { Records, type Documents } from './records';

const name = z.string().max(64).default('');

const actions = z.object({
  write_bucket: name.describe('the bucket that gets a row'),
  call_endpoint: name.describe('the endpoint that is called'),
  set_property: name.describe('the property of the device that is set'),
  send_property: name.describe('the property of the device that is the answer'),
});

const NO_ACTIONS = { write_bucket: '', call_endpoint: '', set_property: '', send_property: '' } as const;

/** What is done with the data of a callback; what is empty is not done. */
export const callbackSettings = z.object({ actions: actions.default(NO_ACTIONS) });

export type CallbackSettings = z.infer<typeof callbackSettings>;

const callbackRecord = actions.extend({ device: z.string() });

/** The callbacks of devices that speak HTTP (`platform-api.md` section 4). */
export class CallbackRecords {
  readonly #records: Records<z.infer<typeof callbackRecord>>;

  constructor(documents: Documents) {
    this.#records = new Records(documents, 'callback', callbackRecord);
  }

  load(): Promise<string[]> {
    return this.#records.load();
  }

  settled(): Promise<void> {
    return this.#records.settled();
  }

  /** What is done with the data of a device; nothing, unless it was said. */
  get({ user, device }: DeviceId): CallbackSettings {
    return { actions: actions.parse(this.#records.get({ user, id: device }) ?? NO_ACTIONS) };
  }

  set({ user, device }: DeviceId, settings: CallbackSettings): Promise<void> {
    return this.#records.put({ user, id: device }, { ...settings.actions, device });
  }

  remove({ user, device }: DeviceId): Promise<void> {
    return this.#records.remove({ user, id: device });
  }

  async removeAll(user: string): Promise<void> {
    await Promise.all(this.#records.list(user).map(({ device }) => this.remove({ user, device })));
  }
}
