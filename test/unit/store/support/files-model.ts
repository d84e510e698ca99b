import type { FileLimits } from '../../../../src/store/files/file-store';

/** Something that is asked of files. */
export type FileStep =
  | readonly [what: 'write', path: string, text: string, replace: boolean]
  | readonly [what: 'makeFolder', path: string]
  | readonly [what: 'rename', from: string, to: string, replace: boolean]
  | readonly [what: 'remove', path: string, recursive: boolean]
  | readonly [what: 'clear'];

/**
 * What files are after some steps, in the simplest form. Where several things are wrong with a step, it does not say which
 * of them is told.
 */
export class FilesModel {
  readonly #limits: FileLimits;
  /** The texts of files; folders have none. */
  #entries = new Map<string, string | undefined>();

  constructor(limits: FileLimits) {
    this.#limits = limits;
  }

  /** As the tests show a tree. */
  get tree(): string[] {
    const lines = [...this.#entries].sort(([one], [other]) => (one < other ? -1 : 1));
    return lines.map(([path, text]) => `${path}${text === undefined ? '/' : ` ${text.length}`}`);
  }

  /** The codes with which a step may be refused; none for one that is done. */
  refusals(step: FileStep): Set<string> {
    const codes = new Set<string>();
    const [what, path = '', , replace] = step;
    const { fileBytes, storageBytes, storageEntries } = this.#limits;
    if (what === 'write') {
      const { length } = step[2];
      if (length > fileBytes) codes.add('IOTMP_ERR_TOO_LARGE');
      if (this.#isFolder(path) || (this.#entries.has(path) && !replace)) codes.add('IOTMP_ERR_CONFLICT');
      const more = length - (this.#entries.get(path)?.length ?? 0);
      if (more > 0 && this.#bytes + more > storageBytes) codes.add('IOTMP_ERR_QUOTA');
    }
    if (what === 'makeFolder' && this.#isFile(path)) codes.add('IOTMP_ERR_CONFLICT');
    if (what === 'rename') {
      const to = step[2];
      if (!this.#entries.has(path)) codes.add('IOTMP_ERR_NOT_FOUND');
      if (`${to}/`.startsWith(`${path}/`)) codes.add('IOTMP_ERR_CONFLICT');
      const mayReplace = replace && this.#isFile(path) && this.#isFile(to);
      if (this.#entries.has(to) && !mayReplace) codes.add('IOTMP_ERR_CONFLICT');
    }
    if (what === 'remove') {
      if (!this.#entries.has(path)) codes.add('IOTMP_ERR_NOT_FOUND');
      if (!step[2] && this.#below(path).length > 0) codes.add('IOTMP_ERR_CONFLICT');
    }
    const made = what === 'write' || what === 'makeFolder' ? path : what === 'rename' ? step[2] : undefined;
    if (made !== undefined) {
      const missing = [...foldersTo(made), made].filter((each) => !this.#entries.has(each)).length;
      const more = what === 'rename' ? missing - 1 : missing;
      if (foldersTo(made).some((each) => this.#isFile(each))) codes.add('IOTMP_ERR_CONFLICT');
      if (more > 0 && this.#entries.size + more > storageEntries) codes.add('IOTMP_ERR_QUOTA');
    }
    return codes;
  }

  /** Does a step that is not refused. */
  apply(step: FileStep): void {
    const [what, path = ''] = step;
    if (what === 'clear') this.#entries.clear();
    if (what === 'write' || what === 'makeFolder') this.#make(path, what === 'write' ? step[2] : undefined);
    if (what === 'remove') for (const each of [path, ...this.#below(path)]) this.#entries.delete(each);
    if (what === 'rename') {
      const moved = [path, ...this.#below(path)].map((each) => [each, this.#entries.get(each)] as const);
      for (const [each] of moved) this.#entries.delete(each);
      for (const [each, text] of moved) this.#make(step[2] + each.slice(path.length), text);
    }
  }

  get #bytes(): number {
    return [...this.#entries.values()].reduce((sum, text) => sum + (text?.length ?? 0), 0);
  }

  #isFile(path: string): boolean {
    return this.#entries.get(path) !== undefined;
  }

  #isFolder(path: string): boolean {
    return this.#entries.has(path) && !this.#isFile(path);
  }

  #below(path: string): string[] {
    return [...this.#entries.keys()].filter((each) => each.startsWith(`${path}/`));
  }

  #make(path: string, text: string | undefined): void {
    for (const folder of foldersTo(path)) this.#entries.set(folder, undefined);
    this.#entries.set(path, text);
  }
}

function foldersTo(path: string): string[] {
  const names = path.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}
