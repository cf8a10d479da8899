// Alertmanager's API v2 as the pages use it.
import { ApiError, type LabelSet } from '../api/client.ts'

export interface GettableAlert {
  annotations: LabelSet
  labels: LabelSet
  startsAt: string
  endsAt: string
  updatedAt: string
  fingerprint: string
  generatorURL?: string
  receivers: { name: string }[]
  status: {
    state: 'active' | 'suppressed' | 'unprocessed'
    silencedBy: string[]
    inhibitedBy: string[]
    mutedBy?: string[]
  }
}

export interface AlertGroup {
  labels: LabelSet
  receiver: { name: string }
  alerts: GettableAlert[]
}

export interface Silence {
  id: string
  comment: string
  createdBy: string
  startsAt: string
  endsAt: string
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[]
  status: { state: 'active' | 'pending' | 'expired' }
}

export interface Notification {
  id: string
  receiver: string
  status: 'firing' | 'resolved'
  groupLabels: LabelSet
  commonLabels: LabelSet
  commonAnnotations: LabelSet
  alerts: { labels: LabelSet; annotations: LabelSet; status?: string; startsAt?: string }[]
  receivedAt: string
}

/** Asks the Alertmanager; JSON answers are plain values, errors plain strings. */
export async function am<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, init)
  } catch {
    throw new ApiError('connection', 'The Alertmanager cannot be reached. Is it running?')
  }
  const text = await response.text()
  if (!response.ok) throw new ApiError(String(response.status), text.slice(0, 500) || response.statusText)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

export function matcherText(matcher: Silence['matchers'][number]): string {
  const operator = `${matcher.isEqual ? '=' : '!'}${matcher.isRegex ? '~' : matcher.isEqual ? '' : '='}`
  return `${matcher.name}${operator}"${matcher.value}"`
}
