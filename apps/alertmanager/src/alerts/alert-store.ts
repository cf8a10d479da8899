// All alerts the Alertmanager knows, in memory only: clients resend what still fires. Resolved alerts stay until
// the next sweep, so that groups can tell their receivers.
import type { Labels } from '@watchfire/datamodel'
import { isResolved, mergeAlerts, type AlertRecord } from './alert.ts'

export interface AlertStoreOptions {
  /** Most alerts kept; new ones beyond it are refused. Default 100,000. */
  readonly alertsMax?: number
}

export class AlertStore {
  readonly #alerts = new Map<string, AlertRecord>()
  readonly #listeners: ((alert: AlertRecord) => void)[] = []
  readonly #alertsMax: number
  /** Alerts refused by the limit. */
  limited = 0

  constructor(options: AlertStoreOptions = {}) {
    this.#alertsMax = options.alertsMax ?? 100_000
  }

  /** Called with the merged alert after each report. */
  onAlert(listener: (alert: AlertRecord) => void): void {
    this.#listeners.push(listener)
  }

  /** Takes one report; returns what is known now, or undefined when the store is full. */
  put(report: AlertRecord, now: number): AlertRecord | undefined {
    const known = this.#alerts.get(report.fingerprint)
    if (!known && this.#alerts.size >= this.#alertsMax) {
      this.limited++
      return undefined
    }
    const alert = known ? mergeAlerts(known, report, now) : report
    this.#alerts.set(alert.fingerprint, alert)
    for (const listener of this.#listeners) listener(alert)
    return alert
  }

  get(fingerprint: string): AlertRecord | undefined {
    return this.#alerts.get(fingerprint)
  }

  /** All alerts, resolved ones too, in order of fingerprint. */
  all(): AlertRecord[] {
    return [...this.#alerts.values()].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
  }

  values(): IterableIterator<AlertRecord> {
    return this.#alerts.values()
  }

  get size(): number {
    return this.#alerts.size
  }

  /** Forgets resolved alerts; returns their label sets. */
  sweep(now: number): Labels[] {
    const gone: Labels[] = []
    for (const [key, alert] of this.#alerts)
      if (isResolved(alert, now)) {
        this.#alerts.delete(key)
        gone.push(alert.labels)
      }
    return gone
  }
}
