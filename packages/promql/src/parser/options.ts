// Switches and limits of the parser.

/** Switches are named as those of the engine. */
export interface ParserOptions {
  /** Default false. */
  readonly experimentalFunctions?: boolean
  /** Default true. */
  readonly durationExpressions?: boolean
  /** Default false. */
  readonly extendedRangeSelectors?: boolean
  /** Default false. */
  readonly binopFillModifiers?: boolean
  /** Most levels of the tree, default 1000; keeps every pass over it clear of the end of the stack. */
  readonly depthMax?: number
  /** Most characters (UTF-16 units) of the input, default 1,000,000. */
  readonly lengthMax?: number
  /** Most values of a series description, default 1,000,000. */
  readonly valuesMax?: number
}

export type ResolvedParserOptions = Required<ParserOptions>

export function resolveParserOptions(options: ParserOptions = {}): ResolvedParserOptions {
  return {
    experimentalFunctions: options.experimentalFunctions ?? false,
    durationExpressions: options.durationExpressions ?? true,
    extendedRangeSelectors: options.extendedRangeSelectors ?? false,
    binopFillModifiers: options.binopFillModifiers ?? false,
    depthMax: options.depthMax ?? 1000,
    lengthMax: options.lengthMax ?? 1_000_000,
    valuesMax: options.valuesMax ?? 1_000_000,
  }
}

/** Everything that is behind a switch. */
export const ALL_EXPERIMENTS: ParserOptions = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
}
