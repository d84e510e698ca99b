/** A file of Node-RED's own nodes. */
declare module '@node-red/nodes/core/network/10-mqtt.js' {
  import type { NodeInitializer } from 'node-red';

  const register: NodeInitializer;
  export = register;
}

declare module '@node-red/nodes/core/network/05-tls.js' {
  import type { NodeInitializer } from 'node-red';

  const register: NodeInitializer;
  export = register;
}
