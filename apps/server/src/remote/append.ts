// Histograms and exemplars of a request into the appender, with Prometheus's words for what is refused.
import {
  APPEND,
  type AppendResult,
  type BatchAppender,
  type Exemplar,
  type SeriesRef,
} from '@watchfire/datamodel'
import { storable, type TimedHistogram } from './histogram-message.ts'
import { TOO_FAR_AHEAD } from './sample-batch.ts'
import type { WriteContext } from './write-context.ts'

const REASONS: Readonly<Partial<Record<AppendResult, string>>> = {
  [APPEND.outOfOrder]: 'out of order sample',
  [APPEND.outOfBounds]: 'out of bounds',
  [APPEND.tooOld]: 'too old sample',
  [APPEND.duplicate]: 'duplicate sample for timestamp',
  [APPEND.badHistogram]: 'histogram is too large',
}

/** Why a histogram was refused, or undefined. */
export function appendHistogram(
  appender: BatchAppender,
  ref: SeriesRef,
  { timeMs, histogram }: TimedHistogram,
  context: WriteContext,
): string | undefined {
  if (timeMs > context.batch.timeMsMax) return TOO_FAR_AHEAD
  const stored = storable(histogram)
  if (typeof stored === 'string') return stored
  const result = appender.histogram(ref, timeMs, stored)
  if (result !== APPEND.ok && !(timeMs > (appender.newest(ref)?.timeMs ?? -Infinity)))
    return REASONS[result] ?? 'unknown series'
  context.histogramsWritten++
  return undefined
}

/** Why an exemplar was refused, or undefined; protocol 1 does not ask. */
export function appendExemplar(
  appender: BatchAppender,
  ref: SeriesRef,
  exemplar: Exemplar,
  context: WriteContext,
): string | undefined {
  if (exemplar.timestampMs > context.batch.timeMsMax) return TOO_FAR_AHEAD
  const result = appender.exemplar(ref, exemplar)
  if (result === APPEND.outOfOrder) return 'out of order exemplar'
  if (result === APPEND.ok) context.exemplarsWritten++
  return undefined
}
