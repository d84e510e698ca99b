const OWN_PATHS = /^\/(v[123]\/(users|server)|oauth)(\/|\?|$)/;

/** Whether a path is the gateway's own, whether there is something at it or not. Others may be served by somebody else. */
export function isOwnPath(target: string): boolean {
  return OWN_PATHS.test(target);
}
