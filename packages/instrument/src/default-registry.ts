// Breaks the circle "a metric registers itself in the default registry, which renders metrics": registry.ts puts itself here.
import type { MetricRegister } from './types.ts'

let registry: MetricRegister | undefined

/** Called once, by registry.ts. */
export function setDefaultRegistry(value: MetricRegister): void {
  registry = value
}

/** The registry of metrics that name none. */
export function defaultRegistry(): MetricRegister {
  if (registry === undefined) throw new Error('the default registry is not loaded')
  return registry
}
