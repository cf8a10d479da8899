// What recording and alerting rules share: their health, and what an evaluation needs and makes.
import type { PlainSample } from '../query/contract.ts'
import type { RuleSample } from '../ingest/contract.ts'
import type { RuleHealth, RuleJson } from '../web/contract.ts'

/** Answers an instant query at a time (ms); rejects with the query's error. */
export type RuleQuery = (expr: string, timeMs: number) => Promise<readonly PlainSample[]>

/** One evaluation of a rule. */
export interface Evaluation {
  /** When, ms. */
  readonly timeMs: number
  /** How far in the past data is read and written, ms. */
  readonly queryOffsetMs: number
  readonly limit: number
  readonly query: RuleQuery
  readonly externalLabels: Readonly<Record<string, string>>
  readonly externalUrl: string
  /** Called with a template's error. */
  readonly onTemplateError: (message: string) => void
}

/** How the last evaluation of a rule went. */
export class RuleStatus {
  health: RuleHealth = 'unknown'
  lastError = ''
  /** Seconds. */
  durationSeconds = 0
  /** ms, 0 = never. */
  evaluatedAt = 0

  good(): void {
    this.health = 'ok'
    this.lastError = ''
  }

  bad(message: string): void {
    this.health = 'err'
    this.lastError = message
  }
}

export interface Rule {
  readonly name: string
  /** Canonical expression. */
  readonly expr: string
  readonly status: RuleStatus
  /** Rules with equal keys continue each other's state over a reload. */
  readonly key: string
  /** The samples to write. Rejects with the error to show. */
  evaluate(evaluation: Evaluation): Promise<RuleSample[]>
  toJson(): RuleJson
}

/** The fields of a rule's JSON that tell how it went. */
export function statusJson(status: RuleStatus) {
  return {
    health: status.health,
    ...(status.lastError !== '' && { lastError: status.lastError }),
    evaluationTime: status.durationSeconds,
    lastEvaluation: timeText(status.evaluatedAt),
  }
}

/** RFC 3339 with milliseconds; the zero time for 0 (never). */
export function timeText(timeMs: number): string {
  return timeMs > 0 ? new Date(timeMs).toISOString() : '0001-01-01T00:00:00Z'
}

/** Identity of a rule: name and labels. */
export function ruleKey(kind: string, name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([kind, name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}
