import type { ClientStreamListener } from '../../../src/client/client-stream';
import type { IotmpError } from '../../../src/errors';
import type { ResourceStream } from '../../../src/session/hosting/resource';
import { Scene } from './support';

/** A listener that writes everything down. */
export class Notes implements ClientStreamListener {
  readonly samples: unknown[] = [];
  readonly states: string[] = [];
  readonly errors: (IotmpError | undefined)[] = [];

  onSample(payload: unknown): void {
    this.samples.push(payload);
  }

  onState(state: string, error?: IotmpError): void {
    this.states.push(state);
    this.errors.push(error);
  }
}

/** A scene whose server hosts `feed`, with the streams that were opened on it. */
export function withFeed(answer: () => unknown = () => undefined): {
  scene: Scene;
  opened: ResourceStream[];
} {
  const scene = new Scene();
  const opened: ResourceStream[] = [];
  scene.server.resources.host('feed', {
    kind: 'inout',
    id: 8,
    run: () => undefined,
    open: (stream) => {
      const first = answer();
      opened.push(stream);
      return first;
    },
  });
  return { scene, opened };
}
