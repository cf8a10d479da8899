// What every kind of receiver offers to the pipeline.
import type { AlertRecord } from '../alerts/index.ts'
import type { NotificationMessage } from './message.ts'

/** Labels of alertmanager_notifications_failed_total. */
export type FailureReason =
  | 'clientError'
  | 'serverError'
  | 'authError'
  | 'rateLimited'
  | 'contextCanceled'
  | 'contextDeadlineExceeded'
  | 'other'

/** A failed attempt; `retry` says whether another one makes sense. */
export class NotifyError extends Error {
  override name = 'NotifyError'
  readonly retry: boolean
  readonly reason: FailureReason
  constructor(message: string, retry: boolean, reason: FailureReason) {
    super(message)
    this.retry = retry
    this.reason = reason
  }
}

/** One configured way to tell somebody. */
export interface Integration {
  /** `webhook`, `inbox` … as in metrics. */
  readonly kind: string
  /** Position among the receiver's integrations of this kind. */
  readonly index: number
  readonly sendResolved: boolean
  readonly maxAlerts: number
  /** One attempt. Throws `NotifyError`. */
  send(message: NotificationMessage, signal: AbortSignal): Promise<void>
}

export interface Receiver {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly integrations: readonly Integration[]
}

/** Fingerprints of the alerts that fire and of those that ended. */
export function splitByState(alerts: readonly AlertRecord[]): { firing: string[]; resolved: string[] } {
  const firing: string[] = []
  const resolved: string[] = []
  for (const alert of alerts) (alert.endsAt === 0 ? firing : resolved).push(alert.fingerprint)
  return { firing, resolved }
}
