// What a test script consists of, once read.
import type { Labels } from '@watchfire/datamodel'
import type { SeriesValue } from '../parser/index.ts'

export type Command = ClearCommand | LoadCommand | EvalCommand

/** Empties the storage. */
export interface ClearCommand {
  readonly kind: 'clear'
  /** From 1. */
  readonly line: number
}

export interface LoadCommand {
  readonly kind: 'load'
  readonly line: number
  /** Sample i stands at i·stepMs. */
  readonly stepMs: number
  /** Classic histograms are loaded as native ones with custom buckets too. */
  readonly withNhcb: boolean
  readonly series: readonly LoadedSeries[]
}

export interface LoadedSeries {
  readonly labels: Labels
  readonly values: readonly SeriesValue[]
  /** Start timestamps as ms relative to their sample, as long as `values`. */
  readonly starts: readonly (number | undefined)[] | undefined
}

export interface EvalCommand {
  readonly kind: 'eval'
  readonly line: number
  readonly expr: string
  readonly instant: boolean
  /** The steps that expected values belong to; of an instant query start = end unless it expects a matrix. */
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
  /** When an instant query is evaluated. */
  readonly atMs: number
  readonly expected: Expectation
}

/** What an evaluation must give. */
export interface Expectation {
  readonly fail: boolean
  readonly failures: readonly TextCheck[]
  readonly ordered: boolean
  /** Annotations allowed; every check must hold for some, and every annotation must pass some check. */
  readonly warnings: readonly TextCheck[]
  readonly infos: readonly TextCheck[]
  /** At least one is wanted, whichever. */
  readonly anyWarning: boolean
  readonly anyInfo: boolean
  readonly noWarnings: boolean
  readonly noInfos: boolean
  readonly scalar: number | undefined
  readonly string: string | undefined
  /** A matrix is wanted from an instant query. */
  readonly rangeVector: boolean
  /** By `Labels.key()`; `position` from 1 in the order of the script. */
  readonly series: ReadonlyMap<string, ExpectedSeries>
}

export interface ExpectedSeries {
  readonly labels: Labels
  readonly position: number
  readonly values: readonly SeriesValue[]
}

/** A text that an error or annotation must be, or a pattern it must contain. */
export interface TextCheck {
  readonly shown: string
  matches(text: string): boolean
}

/** A script that cannot be read or a load that cannot be done. `message` names the line. */
export class ScriptError extends Error {
  override name = 'ScriptError'
  readonly line: number

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.line = line
  }
}
