// `--enable-feature` names to switches of the engine.
import type { EngineFeatures } from '@watchfire/promql'

/** Switches of the query engine. */
export function engineFeatures(names: ReadonlySet<string>): EngineFeatures {
  return {
    experimentalFunctions: names.has('promql-experimental-functions'),
    durationExpressions: true,
    extendedRangeSelectors: names.has('promql-extended-range-selectors'),
    binopFillModifiers: names.has('promql-binop-fill-modifiers'),
    delayedNameRemoval: names.has('promql-delayed-name-removal'),
    perStepStats: names.has('promql-per-step-stats'),
    useStartTimestamps: names.has('use-start-timestamps'),
    typeAndUnitLabels: names.has('type-and-unit-labels'),
  }
}
