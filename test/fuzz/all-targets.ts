import type { FuzzTarget } from './target';
import { Frames } from './targets/frames';
import { Messages } from './targets/messages';
import { Sessions } from './targets/sessions';
import { ForwardedFor, ProxyHeaders } from './targets/proxies';
import { Server } from './targets/server';
import { Values } from './targets/values';

/** Everything that takes bytes of strangers. */
export function allTargets(): FuzzTarget[] {
  return [
    new Values(),
    new Messages(),
    new Frames(),
    new Sessions('open'),
    new Sessions('login'),
    new Sessions('client'),
    new Server(),
    new ProxyHeaders(),
    new ForwardedFor(),
  ];
}
