// What the linter says about a query.

/** Names of the rules; they stay the same, so that findings can be filtered. */
export type RuleName =
  | 'rate-of-gauge'
  | 'quantile-without-rate'
  | 'quantile-without-le'
  | 'histogram-base'
  | 'rate-as-total'
  | 'missing-bool'
  | 'sum-of-zeros'
  | 'unknown-label'
  | 'unknown-metric'
  | 'vanishing-series'

/** `warning`: the result is not what it looks like. `info`: it may be meant so. */
export type Severity = 'warning' | 'info'

export interface Finding {
  readonly rule: RuleName
  readonly severity: Severity
  /** Offsets into the query (UTF-16 units), `end` exclusive. */
  readonly start: number
  readonly end: number
  /** `line:column` of `start` as errors of the parser have it. */
  readonly position: string
  readonly message: string
  /** The whole query with this one thing corrected, absent when there is no safe proposal. */
  readonly proposal?: string
}
