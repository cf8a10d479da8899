import { describe, expect, test } from 'vitest'
import { Registry } from './index.ts'
import { createMlMetrics } from './ml.ts'

function lines(registry: Registry, prefix: string): string[] {
  return registry
    .metrics()
    .split('\n')
    .filter((line) => line.startsWith(prefix))
}

describe('metrics of an inference service', () => {
  test('all series of a known model exist at 0 before anything happens', () => {
    const registry = new Registry()
    createMlMetrics(registry).registerModel('m', '1')
    expect(lines(registry, 'ml_predictions_total{')).toEqual([
      'ml_predictions_total{model_name="m",version="1",status="success"} 0',
      'ml_predictions_total{model_name="m",version="1",status="error"} 0',
    ])
    expect(lines(registry, 'ml_model_load_errors_total{')).toContain(
      'ml_model_load_errors_total{model_name="unknown",version="unknown"} 0',
    )
    expect(lines(registry, 'ml_active_models')).toEqual(['ml_active_models{model_name="m",version="1"} 0'])
    expect(lines(registry, 'ml_predictions_duration_seconds_bucket')).toHaveLength(15)
    expect(lines(registry, 'ml_model_refresh_total{model_name="m"')).toHaveLength(2)
  })

  test('duration is of successes only, status counts requests', () => {
    const registry = new Registry()
    const ml = createMlMetrics(registry)
    ml.registerModel('m', '1')
    ml.observePrediction({ model: 'm', version: '1', status: 'success', seconds: 0.02 })
    ml.observePrediction({ model: 'm', version: '1', status: 'error', seconds: 9 })
    expect(lines(registry, 'ml_predictions_total').map((line) => line.at(-1))).toEqual(['1', '1'])
    expect(lines(registry, 'ml_predictions_duration_seconds_sum')[0]).toMatch(/ 0\.02$/)
  })

  test('made-up names never become label values', () => {
    const registry = new Registry()
    const ml = createMlMetrics(registry)
    ml.registerModel('m', '1')
    for (let i = 0; i < 100; i++) {
      ml.loadError(`made-up-${i}`, '1')
      ml.loadError('m', `made-up-${i}`)
      ml.observeRefresh(`made-up-${i}`, 'error', 0.1)
      ml.observePrediction({ model: `made-up-${i}`, version: '1', status: 'error', seconds: 1 })
    }
    expect(registry.metrics()).not.toContain('made-up')
    expect(lines(registry, 'ml_model_load_errors_total{')).toEqual([
      'ml_model_load_errors_total{model_name="unknown",version="unknown"} 100',
      'ml_model_load_errors_total{model_name="m",version="unknown"} 100',
      'ml_model_load_errors_total{model_name="m",version="1"} 0',
    ])
  })

  test('above the limit models are counted as unknown', () => {
    const registry = new Registry()
    const ml = createMlMetrics(registry, { maxModelVersions: 1 })
    expect([ml.registerModel('m', '1'), ml.registerModel('m', '1'), ml.registerModel('m', '2')]).toEqual([
      true,
      true,
      false,
    ])
    ml.loadError('m', '2')
    expect(registry.metrics()).not.toContain('version="2"')
  })

  test('in flight goes up and down, active stays visible at 0', () => {
    const registry = new Registry()
    const ml = createMlMetrics(registry)
    ml.registerModel('m', '1')
    const end = ml.beginPrediction('m', '1')
    ml.setActive('m', '1', true)
    expect(lines(registry, 'ml_predictions_in_flight')[0]).toMatch(/ 1$/)
    end()
    ml.setActive('m', '1', false)
    expect(lines(registry, 'ml_predictions_in_flight')[0]).toMatch(/ 0$/)
    expect(lines(registry, 'ml_active_models')[0]).toMatch(/ 0$/)
  })
})
