// Metrics every Prometheus client gives about its process, and those prom-client gives about Node. Values are read when a
// scrape comes; on systems without /proc the lines that need it stay away.
import { readFileSync, readdirSync } from 'node:fs'
import { PerformanceObserver, constants, monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import { Counter } from './counter.ts'
import { Gauge } from './gauge.ts'
import { Histogram } from './histogram.ts'
import { register } from './registry.ts'
import type { Registry } from './registry.ts'

export interface DefaultMetricsOptions {
  /** Default: the default registry. */
  registry?: Registry
  /** process_* (default true). */
  process?: boolean
  /** nodejs_* (default true). */
  nodejs?: boolean
  /** Where the proc file system is; `undefined` reads none. */
  procDir?: string | undefined
  /** Sampling interval of the event-loop delay, ms. Default 10. */
  eventLoopResolutionMs?: number
  /** Seconds; buckets of nodejs_gc_duration_seconds. */
  gcDurationBuckets?: readonly number[]
}

/** Registers the metrics; the returned function ends what watches the event loop and the collector. */
export function collectDefaultMetrics(options: DefaultMetricsOptions = {}): () => void {
  const registry = options.registry ?? register
  if (options.process ?? true) {
    const procDir =
      'procDir' in options ? options.procDir : process.platform === 'linux' ? '/proc' : undefined
    addProcessMetrics(registry, procDir)
  }
  return (options.nodejs ?? true) ? addNodeMetrics(registry, options) : () => {}
}

/** Kernel clock ticks a second and bytes a page, as getconf says them on all Linux of 64 bits that Node runs on. */
const TICKS_PER_SECOND = 100

function addProcessMetrics(registry: Registry, procDir: string | undefined): void {
  const registers = [registry]
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    unit: 'seconds',
    registers,
  }).labels()
  const resident = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory size in bytes.',
    registers,
  }).labels()
  const start = new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start time of the process since unix epoch in seconds.',
    registers,
  }).labels()
  cpu.startMs = Date.now() - process.uptime() * 1000
  start.set((procDir && startTime(procDir)) || cpu.startMs / 1000)
  registry.onCollect(() => {
    const usage = process.cpuUsage()
    cpu.value = (usage.user + usage.system) / 1e6
    resident.set(process.memoryUsage.rss())
  })
  if (procDir === undefined || read(`${procDir}/self/stat`) === undefined) return
  const virtual = new Gauge({
    name: 'process_virtual_memory_bytes',
    help: 'Virtual memory size in bytes.',
    registers,
  }).labels()
  const open = new Gauge({
    name: 'process_open_fds',
    help: 'Number of open file descriptors.',
    registers,
  }).labels()
  const max = new Gauge({
    name: 'process_max_fds',
    help: 'Maximum number of open file descriptors.',
    registers,
  }).labels()
  registry.onCollect(() => {
    virtual.set(Number(statFields(procDir)?.[VIRTUAL_SIZE] ?? 0))
    open.set(countFiles(`${procDir}/self/fd`))
    const limit = /^Max open files\s+(\S+)/m.exec(read(`${procDir}/self/limits`) ?? '')?.[1]
    max.set(limit === 'unlimited' ? Infinity : Number(limit ?? 0))
  })
}

/** Places in /proc/self/stat after the command name, which ends with the last parenthesis: field 3 is place 0. */
const START_TICKS = 19
const VIRTUAL_SIZE = 20

function statFields(procDir: string): string[] | undefined {
  const stat = read(`${procDir}/self/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** Seconds since the epoch: boot time plus the start of the process in ticks after it. */
function startTime(procDir: string): number | undefined {
  const boot = /^btime (\d+)/m.exec(read(`${procDir}/stat`) ?? '')?.[1]
  const ticks = statFields(procDir)?.[START_TICKS]
  return boot && ticks ? Number(boot) + Number(ticks) / TICKS_PER_SECOND : undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function countFiles(path: string): number {
  try {
    return readdirSync(path).length
  } catch {
    return 0
  }
}

function addNodeMetrics(registry: Registry, options: DefaultMetricsOptions): () => void {
  const stopLoop = addEventLoopMetrics(registry, options.eventLoopResolutionMs ?? 10)
  const stopGc = addGcMetrics(registry, options.gcDurationBuckets ?? [0.001, 0.01, 0.1, 1, 2, 5])
  addHeapMetrics(registry)
  const [major, minor, patch] = process.versions.node.split('.')
  new Gauge({
    name: 'nodejs_version_info',
    help: 'Node.js version info.',
    labelNames: ['version', 'major', 'minor', 'patch'],
    registers: [registry],
  }).set({ version: process.version, major: major!, minor: minor!, patch: patch! }, 1)
  return () => {
    stopLoop()
    stopGc()
  }
}

function addEventLoopMetrics(registry: Registry, resolution: number): () => void {
  const delay = monitorEventLoopDelay({ resolution })
  delay.enable()
  const statistics: [string, string, () => number][] = [
    ['_min', 'The minimum recorded event loop delay.', () => delay.min],
    ['_max', 'The maximum recorded event loop delay.', () => delay.max],
    ['_mean', 'The mean of the recorded event loop delays.', () => delay.mean],
    ['_stddev', 'The standard deviation of the recorded event loop delays.', () => delay.stddev],
    ['_p50', 'The 50th percentile of the recorded event loop delays.', () => delay.percentile(50)],
    ['_p90', 'The 90th percentile of the recorded event loop delays.', () => delay.percentile(90)],
    ['_p99', 'The 99th percentile of the recorded event loop delays.', () => delay.percentile(99)],
  ]
  const create = (end: string, help: string) =>
    new Gauge({ name: `nodejs_eventloop_lag${end}seconds`, help, registers: [registry] }).labels()
  const lag = create('_', 'Lag of event loop in seconds.')
  const gauges = statistics.map(([end, help, value]) => ({
    gauge: new Gauge({ name: `nodejs_eventloop_lag${end}_seconds`, help, registers: [registry] }).labels(),
    value,
  }))
  registry.onCollect(() => {
    // The monitor measures whole timer periods: what is above the period is lag.
    const nanoseconds = (value: number) => Math.max(0, value - resolution * 1e6) / 1e9
    const empty = delay.count === 0
    lag.set(empty ? 0 : nanoseconds(delay.mean))
    for (const { gauge, value } of gauges) {
      const text = gauge === gauges[3]!.gauge ? value() / 1e9 : nanoseconds(value())
      gauge.set(empty || Number.isNaN(text) ? 0 : text)
    }
    delay.reset()
  })
  return () => delay.disable()
}

function addGcMetrics(registry: Registry, buckets: readonly number[]): () => void {
  const duration = new Histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
    labelNames: ['kind'],
    buckets,
    unit: 'seconds',
    registers: [registry],
  })
  const kinds = new Map([
    [constants.NODE_PERFORMANCE_GC_MAJOR, duration.labels('major')],
    [constants.NODE_PERFORMANCE_GC_MINOR, duration.labels('minor')],
    [constants.NODE_PERFORMANCE_GC_INCREMENTAL, duration.labels('incremental')],
    [constants.NODE_PERFORMANCE_GC_WEAKCB, duration.labels('weakcb')],
  ])
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind?: number } }).detail
      kinds.get(kind ?? -1)?.observe(entry.duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

function addHeapMetrics(registry: Registry): void {
  const registers = [registry]
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers }).labels()
  const total = gauge('nodejs_heap_size_total_bytes', 'Process heap size from Node.js in bytes.')
  const used = gauge('nodejs_heap_size_used_bytes', 'Process heap size used from Node.js in bytes.')
  const external = gauge('nodejs_external_memory_bytes', 'Node.js external memory size in bytes.')
  const buffers = gauge('nodejs_array_buffers_bytes', 'Memory of array buffers and Buffers in bytes.')
  const handles = new Gauge({
    name: 'nodejs_active_resources',
    help: 'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
    labelNames: ['type'],
    registers,
  })
  const space = (kind: string) =>
    new Gauge({
      name: `nodejs_heap_space_size_${kind}_bytes`,
      help: `Process heap space size ${kind} from Node.js in bytes.`,
      labelNames: ['space'],
      registers,
    })
  const [spaceTotal, spaceUsed, spaceFree] = [space('total'), space('used'), space('available')]
  registry.onCollect(() => {
    const memory = process.memoryUsage()
    total.set(memory.heapTotal)
    used.set(memory.heapUsed)
    external.set(memory.external)
    buffers.set(memory.arrayBuffers)
    for (const series of handles.series) series.set(0)
    for (const type of process.getActiveResourcesInfo()) handles.labels(type).inc()
    for (const statistics of getHeapSpaceStatistics()) {
      const name = statistics.space_name.replace(/_space$/, '')
      spaceTotal!.labels(name).set(statistics.space_size)
      spaceUsed!.labels(name).set(statistics.space_used_size)
      spaceFree!.labels(name).set(statistics.space_available_size)
    }
  })
}
