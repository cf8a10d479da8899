// Inhibition: while a source alert fires, its targets are not notified. Sources are indexed by the values of the
// `equal` labels, so a check looks at few alerts. A label both sides lack counts as equal.
import { matchesAll, type Labels } from '@watchfire/datamodel'
import { isResolved, type AlertRecord } from '../alerts/index.ts'
import type { InhibitRuleConfig } from '../config/index.ts'

class InhibitRule {
  readonly config: InhibitRuleConfig
  readonly #sources = new Map<string, Map<string, AlertRecord>>()

  constructor(config: InhibitRuleConfig) {
    this.config = config
  }

  #key(labels: Labels): string {
    return JSON.stringify(this.config.equal.map((name) => labels.get(name)))
  }

  observe(alert: AlertRecord): void {
    if (!matchesAll(this.config.sourceMatchers, alert.labels)) return
    const key = this.#key(alert.labels)
    let sources = this.#sources.get(key)
    if (!sources) this.#sources.set(key, (sources = new Map()))
    sources.set(alert.fingerprint, alert)
  }

  sourceOf(labels: Labels, now: number): string | undefined {
    if (!matchesAll(this.config.targetMatchers, labels)) return undefined
    const sources = this.#sources.get(this.#key(labels))
    if (!sources) return undefined
    // As in Alertmanager one source stands for all with the same values: the one that ends last.
    let source: AlertRecord | undefined
    for (const other of sources.values()) if (!source || other.endsAt >= source.endsAt) source = other
    if (!source || isResolved(source, now)) return undefined
    // An alert that matches both sides must not be silenced by its like, least of all by itself.
    const twoSided = matchesAll(this.config.sourceMatchers, labels)
    if (twoSided && matchesAll(this.config.targetMatchers, source.labels)) return undefined
    return source.fingerprint
  }

  sweep(now: number): void {
    for (const [key, sources] of this.#sources) {
      for (const [id, alert] of sources) if (isResolved(alert, now)) sources.delete(id)
      if (sources.size === 0) this.#sources.delete(key)
    }
  }
}

export class Inhibitor {
  readonly #rules: readonly InhibitRule[]

  constructor(rules: readonly InhibitRuleConfig[], alerts: Iterable<AlertRecord> = []) {
    this.#rules = rules.map((rule) => new InhibitRule(rule))
    for (const alert of alerts) this.observe(alert)
  }

  get ruleCount(): number {
    return this.#rules.length
  }

  /** Takes note of a new or changed alert. */
  observe(alert: AlertRecord): void {
    for (const rule of this.#rules) rule.observe(alert)
  }

  /** Fingerprint of an alert that inhibits this label set; the first rule that applies decides. */
  inhibitedBy(labels: Labels, now: number): string | undefined {
    for (const rule of this.#rules) {
      const source = rule.sourceOf(labels, now)
      if (source !== undefined) return source
    }
    return undefined
  }

  /** Forgets resolved sources. */
  sweep(now: number): void {
    for (const rule of this.#rules) rule.sweep(now)
  }
}
