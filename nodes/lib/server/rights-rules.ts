import type { Node, NodeAPI } from 'node-red';
import { printable, type DeviceRights, type RuleFault } from '../../../src';
import { serverTable } from '../../settings/iotmp-server';
import { settingReader } from '../../settings/setting';
import { translate } from '../red/translate';
import type { ServerConfig } from './server-settings';

/** Maximum number of faults that are told one by one. */
const MAX_TOLD = 10;

/**
 * Puts the rules of a server node into force. Never throws: rules that cannot be read deny at least as much as they were to
 * deny, and a warning names each.
 */
export function applyRules(RED: NodeAPI, node: Node, config: ServerConfig, rights: DeviceRights): void {
  const { rules, faults } = settingReader(serverTable, config)('rules');
  for (const fault of faults.slice(0, MAX_TOLD)) node.warn(printable(faultText(RED, fault)));
  const untold = faults.length - MAX_TOLD;
  if (untold > 0) node.warn(translate(RED, 'errors.moreRules', { number: untold }));
  rights.rules = rules;
}

function faultText(RED: NodeAPI, { row, reason, denies }: RuleFault): string {
  if (row === 0) return translate(RED, 'errors.rulesUnusable', { reason });
  if (denies === undefined) return translate(RED, 'errors.ruleLeftOut', { row, reason });
  const { who, action, target } = denies;
  return translate(RED, 'errors.ruleDenies', {
    row,
    reason,
    denied: JSON.stringify({ who, action, target }),
  });
}
