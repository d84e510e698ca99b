import { resolve } from 'node:path';
import ts from 'typescript';

const HOST: ts.ParseConfigFileHost = {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic(diagnostic) {
    throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, ' '));
  },
};

/**
 * A program of the given files, with the settings of the project. The runner measures no coverage of a spec that imports
 * this: it would make the type checker take twice as long.
 */
export function programOf(root: string, files: readonly string[]): ts.Program {
  const settings = ts.getParsedCommandLineOfConfigFile(resolve(root, 'tsconfig.json'), {}, HOST);
  const options = { ...settings?.options, noEmit: true };
  return ts.createProgram(files, options);
}
