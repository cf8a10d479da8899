// Shapes of the API's answers that pages show.
import type { LabelSet } from './client.ts'

export interface Target {
  discoveredLabels: LabelSet
  labels: LabelSet
  scrapePool: string
  scrapeUrl: string
  globalUrl: string
  lastError: string
  lastScrape: string
  lastScrapeDuration: number
  health: 'up' | 'down' | 'unknown'
  scrapeInterval: string
  scrapeTimeout: string
}

export interface TargetsAnswer {
  activeTargets: Target[]
  droppedTargets: { discoveredLabels: LabelSet; scrapePool?: string }[]
  droppedTargetCounts: Record<string, number> | null
}

export type AlertState = 'inactive' | 'pending' | 'firing' | 'unknown'

export interface ActiveAlert {
  labels: LabelSet
  annotations: LabelSet
  state: AlertState
  activeAt?: string
  keepFiringSince?: string
  value: string
}

export interface Rule {
  type: 'alerting' | 'recording'
  name: string
  query: string
  labels?: LabelSet
  health: 'ok' | 'err' | 'unknown'
  lastError?: string
  evaluationTime: number
  lastEvaluation: string
  state?: AlertState
  duration?: number
  keepFiringFor?: number
  annotations?: LabelSet
  alerts?: ActiveAlert[]
}

export interface RuleGroup {
  name: string
  file: string
  rules: Rule[]
  interval: number
  limit: number
  evaluationTime: number
  lastEvaluation: string
}
