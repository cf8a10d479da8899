// After a restart an alert that was pending continues its `for` where it was: ALERTS_FOR_STATE holds since when it is
// active. Time while the server was down does not count.
import { Labels, METRIC_NAME, quoteString } from '@watchfire/datamodel'
import type { QueryPool } from '../query/contract.ts'
import type { AlertingRule } from './alerting-rule.ts'

export interface RestoreOptions {
  /** State older than this is not taken up, ms. Default 1 h. */
  readonly outageToleranceMs: number
  /** Rules with a shorter `for` just wait again; others wait at least this long, ms. Default 10 min. */
  readonly graceMs: number
}

/** Restores all rules and lets them write their series. Rejects when a query fails. */
export async function restoreForState(
  rules: readonly AlertingRule[],
  pool: Pick<QueryPool, 'vector'>,
  nowMs: number,
  options: RestoreOptions,
): Promise<void> {
  for (const rule of rules) {
    if (rule.config.forMs >= options.graceMs && rule.alerts().length > 0)
      await restoreRule(rule, pool, nowMs, options)
    rule.restored = true
  }
}

async function restoreRule(
  rule: AlertingRule,
  pool: Pick<QueryPool, 'vector'>,
  nowMs: number,
  { outageToleranceMs, graceMs }: RestoreOptions,
): Promise<void> {
  const selector = `ALERTS_FOR_STATE{alertname=${quoteString(rule.name)}}`
  const activeSince = await lastValues(pool, selector, nowMs, outageToleranceMs)
  const lastSeen = await lastValues(pool, `timestamp(${selector})`, nowMs, outageToleranceMs)
  const { forMs } = rule.config
  for (const alert of rule.alerts()) {
    const since = activeSince.get(alert.labels.key())
    const seen = lastSeen.get(alert.labels.key())
    // Not there, or ended by a staleness marker: it was not active.
    if (since === undefined || seen === undefined) continue
    const restoredMs = since * 1000
    const downAtMs = seen * 1000
    const remainingMs = forMs - (downAtMs - restoredMs)
    // It fired when the server went down: the next evaluation fires it again.
    if (remainingMs <= 0) alert.activeAt = restoredMs
    else if (remainingMs < graceMs) alert.activeAt = nowMs + graceMs - forMs
    else alert.activeAt = restoredMs + (nowMs - downAtMs)
  }
}

/** Values of an instant query that looks back over the outage, by labels without the name. */
async function lastValues(
  pool: Pick<QueryPool, 'vector'>,
  expr: string,
  nowMs: number,
  lookbackMs: number,
): Promise<Map<string, number>> {
  const answer = await pool.vector({ expr, timeMs: nowMs, lookbackMs })
  if (!answer.ok) throw new Error(answer.message)
  return new Map(
    answer.samples.map(({ pairs, value }) => [
      Labels.fromSortedPairs(pairs)
        .drop(new Set([METRIC_NAME]))
        .key(),
      value,
    ]),
  )
}
