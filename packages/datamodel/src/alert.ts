// An alert on its way from the rules to the Alertmanager.
import type { Labels } from './labels.ts'

/** As in Alertmanager's API v2. Times in ms. `endsAt` in the past = resolved. */
export interface Alert {
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: number
  readonly endsAt: number
  readonly generatorUrl: string
}
