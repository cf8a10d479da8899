import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Registry, collectDefaultMetrics } from './index.ts'

const valueOf = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])

test('process metrics come from /proc, whatever the command is called', () => {
  const procDir = mkdtempSync(join(tmpdir(), 'instrument-proc-'))
  try {
    mkdirSync(join(procDir, 'self', 'fd'), { recursive: true })
    const fields = Array.from({ length: 50 }, (_, i) => String(i + 3))
    fields[19] = '12345'
    fields[20] = '987654321'
    writeFileSync(join(procDir, 'self', 'stat'), `42 (a) b) c) ${fields.join(' ')}`)
    writeFileSync(join(procDir, 'stat'), 'cpu 1 2 3\nbtime 1700000000\n')
    writeFileSync(
      join(procDir, 'self', 'limits'),
      'Limit  Soft Limit\nMax open files            1024                 4096     files\n',
    )
    for (const fd of ['0', '1', '7']) writeFileSync(join(procDir, 'self', 'fd', fd), '')
    const registry = new Registry()
    collectDefaultMetrics({ registry, nodejs: false, procDir })
    const text = registry.metrics()
    expect(valueOf(text, 'process_start_time_seconds')).toBe(1700000123.45)
    expect(valueOf(text, 'process_virtual_memory_bytes')).toBe(987654321)
    expect(valueOf(text, 'process_open_fds')).toBe(3)
    expect(valueOf(text, 'process_max_fds')).toBe(1024)
    expect(valueOf(text, 'process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(10e6)
    expect(text).not.toContain('nodejs_')
  } finally {
    rmSync(procDir, { recursive: true })
  }
})

test('without /proc the rest is still there', () => {
  const registry = new Registry()
  const stop = collectDefaultMetrics({ registry, procDir: undefined })
  const text = registry.metrics()
  stop()
  expect(text).not.toContain('process_open_fds')
  expect(
    Math.abs(valueOf(text, 'process_start_time_seconds') + process.uptime() - Date.now() / 1000),
  ).toBeLessThan(2)
  for (const name of [
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_used_bytes',
  ])
    expect(valueOf(text, name)).toBeGreaterThanOrEqual(0)
  expect(text).toMatch(/^nodejs_gc_duration_seconds_count\{kind="minor"\} \d+$/m)
  expect(text).toContain(`nodejs_version_info{version="${process.version}"`)
})
