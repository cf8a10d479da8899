// The metrics a renderer takes: a union, so that it can tell the kinds apart by `type`.
import type { Counter } from '../counter.ts'
import type { Gauge } from '../gauge.ts'
import type { Histogram } from '../histogram.ts'
import type { Summary } from '../summary.ts'

export type AnyMetric = Counter | Gauge | Histogram | Summary
