/** How values are decoded (`protocol.md` section 3). */
export interface DecodeOptions {
  /** How deep maps and arrays may be nested; 64 unless given. */
  maxDepth?: number;
  /**
   * `exact`: a 32-bit float as the number that it holds, 23.399999618530273. `shortest`: as the shortest decimal that
   * rounds to it, 23.4. `exact` unless given.
   */
  floats?: 'exact' | 'shortest';
  /** Called once for each string value that was not UTF-8, when all else has been decoded. */
  onInvalidText?: () => void;
}
