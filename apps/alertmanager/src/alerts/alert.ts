// An alert as the Alertmanager keeps it, and the rules by which two reports of the same alert become one.
import { compareUtf8, type Labels } from '@watchfire/datamodel'
import { fingerprint } from './fingerprint.ts'

/** A name → value set that keeps empty values (annotations and templates see them). */
export type StringMap = Readonly<Record<string, string>>

/** Times in ms. */
export interface AlertRecord {
  readonly fingerprint: string
  readonly labels: Labels
  readonly annotations: StringMap
  readonly startsAt: number
  /** 0 = not known: only while a group is being notified, for alerts that still fire. */
  readonly endsAt: number
  readonly updatedAt: number
  readonly generatorUrl: string
  /** `endsAt` was filled in from resolve_timeout. */
  readonly timeout: boolean
}

/** Makes a record with its fingerprint. */
export function createAlert(fields: Omit<AlertRecord, 'fingerprint'>): AlertRecord {
  return { fingerprint: fingerprint(fields.labels), ...fields }
}

/** True when the alert has ended at `now`. */
export function isResolved(alert: AlertRecord, now: number): boolean {
  return alert.endsAt !== 0 && alert.endsAt <= now
}

/** What is known after `newer` was reported on top of `older`: reports that overlap in time are one alert. */
export function mergeAlerts(older: AlertRecord, newer: AlertRecord, now: number): AlertRecord {
  const overlap =
    (newer.endsAt > older.startsAt && newer.endsAt < older.endsAt) ||
    (newer.startsAt > older.startsAt && newer.startsAt < older.endsAt)
  if (!overlap) return newer
  if (newer.updatedAt < older.updatedAt) [older, newer] = [newer, older]
  const startsAt = Math.min(older.startsAt, newer.startsAt)
  let endsAt = newer.endsAt
  if (isResolved(newer, now)) {
    // Of two ends in the past the later one counts.
    if (isResolved(older, now) && older.endsAt > endsAt) endsAt = older.endsAt
  } else if (older.endsAt > endsAt && !older.timeout) {
    // An end that a client gave outlives one that was filled in.
    endsAt = older.endsAt
  }
  return { ...newer, startsAt, endsAt }
}

/** Order of label sets in groups and notifications: fewer labels first, then name by name. */
export function compareLabelSets(a: Labels, b: Labels): number {
  if (a.size !== b.size) return a.size - b.size
  for (let i = 0; i < a.pairs.length; i += 2) {
    const names = compareUtf8(a.pairs[i]!, b.pairs[i]!)
    // The set that lacks the smaller name comes first.
    if (names !== 0) return -names
    const values = compareUtf8(a.pairs[i + 1]!, b.pairs[i + 1]!)
    if (values !== 0) return values
  }
  return 0
}

/** Order of alerts in a notification: job, instance, then the label set. */
export function compareAlerts(a: AlertRecord, b: AlertRecord): number {
  for (const name of ['job', 'instance']) {
    const hasA = a.labels.has(name)
    const hasB = b.labels.has(name)
    if (hasA !== hasB) return hasA ? -1 : 1
    const order = hasA ? compareUtf8(a.labels.get(name), b.labels.get(name)) : 0
    if (order !== 0) return order
  }
  return compareLabelSets(a.labels, b.labels)
}

/** `{a="b", c="d"}`, the way group keys show labels. */
export function labelSetText(labels: Labels): string {
  return labels.toString()
}
