// What the HTTP API shows of the rules and of the notifier. The rules and the notifier implement these views; the
// API filters (type, rule_name[], rule_group[], file[], match[], exclude_alerts, paging) and prints them. All
// shapes are the API's JSON, keys in Prometheus's order, so that they can be printed as they are.

export type RuleHealth = 'ok' | 'err' | 'unknown'

/** `unknown` = never evaluated yet. */
export type AlertState = 'inactive' | 'pending' | 'firing' | 'unknown'

/** An active (pending or firing) alert. Times are RFC 3339 text. */
export interface AlertJson {
  readonly labels: Readonly<Record<string, string>>
  /** Templates expanded. */
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
  readonly activeAt: string
  /** Only while `keep_firing_for` holds the alert up. */
  readonly keepFiringSince?: string
  /** Exponent form, e.g. `1e+00`. */
  readonly value: string
}

/** Durations in seconds; `evaluationTime` in seconds; `lastEvaluation` RFC 3339 (`0001-01-01T00:00:00Z` = never). */
export interface AlertingRuleJson {
  readonly state: AlertState
  readonly name: string
  readonly query: string
  readonly duration: number
  readonly keepFiringFor: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly alerts: readonly AlertJson[]
  readonly health: RuleHealth
  readonly lastError?: string
  readonly evaluationTime: number
  readonly lastEvaluation: string
  readonly type: 'alerting'
}

export interface RecordingRuleJson {
  readonly name: string
  readonly query: string
  readonly labels?: Readonly<Record<string, string>>
  readonly health: RuleHealth
  readonly lastError?: string
  readonly evaluationTime: number
  readonly lastEvaluation: string
  readonly type: 'recording'
}

export type RuleJson = AlertingRuleJson | RecordingRuleJson

export interface RuleGroupJson {
  readonly name: string
  /** Path of the rule file as loaded. */
  readonly file: string
  readonly rules: readonly RuleJson[]
  /** Seconds. */
  readonly interval: number
  readonly limit: number
  readonly evaluationTime: number
  readonly lastEvaluation: string
}

export interface RulesView {
  /** All groups, sorted by file, then by name; rules in the order of the file. A snapshot. */
  groups(): readonly RuleGroupJson[]
  /** All active alerts of all rules, in the order of `groups()`. */
  alerts(): readonly AlertJson[]
}

export interface AlertmanagersView {
  /** URLs that alerts are posted to, e.g. `http://localhost:9093/api/v2/alerts`. */
  active(): readonly string[]
  /** URLs that relabelling dropped. */
  dropped(): readonly string[]
}
