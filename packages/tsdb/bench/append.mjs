// Appends to a fresh database: ns per sample with the log, bytes per series as a slope, select and replay speed.
// node packages/tsdb/bench/append.mjs [series=10000] [scrapes=100]   (after the build)
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Labels, Matcher } from '../../datamodel/dist/index.js'
import { createArena } from '../../kernels/dist/index.js'
import { openDbSync } from '../dist/index.js'

const SERIES = Number(process.argv[2] ?? 10_000)
const SCRAPES = Number(process.argv[3] ?? 100)
const PER_TARGET = 1000
const dir = mkdtempSync(join(tmpdir(), 'wf-bench-'))
const ns = (since) => (performance.now() - since) * 1e6
const line = (what, value, unit) => console.log(`${what.padEnd(44)} ${value.toFixed(1).padStart(10)} ${unit}`)

let db = openDbSync({ dir })
const targets = []
let before = db.stats().headBytesUsed
let started = performance.now()
for (let target = 0; target * PER_TARGET < SERIES; target++) {
  const app = db.appender()
  const refs = new Float64Array(PER_TARGET)
  for (let i = 0; i < PER_TARGET; i++)
    refs[i] = app.series(
      Labels.from({
        __name__: `http_request_duration_seconds_bucket_${i % 20}`,
        instance: `10.0.${target >> 8}.${target & 255}:8000`,
        job: 'inference',
        le: String((i % 50) / 10),
        model: `model-${i % 7}`,
        status: String(200 + (i % 5)),
        pod: `inference-7d9f8c6b5-${target}`,
        path: `/predict/${Math.floor(i / 50)}`,
      }),
    )
  app.commit()
  targets.push(refs)
}
line('new series, 8 labels', ns(started) / SERIES, 'ns/series')
line('memory of a series without samples', (db.stats().headBytesUsed - before) / SERIES, 'bytes')

const values = new Float64Array(PER_TARGET)
const results = new Uint8Array(PER_TARGET)
const base = Date.now() - SCRAPES * 15_000
const times = []
before = db.stats().headBytesUsed
for (let scrape = 0; scrape < SCRAPES; scrape++) {
  started = performance.now()
  for (const refs of targets) {
    for (let i = 0; i < PER_TARGET; i++)
      values[i] = i % 3 === 0 ? scrape * (i % 17) : i % 3 === 1 ? i : Math.floor(Math.random() * 1000) / 10
    const app = db.appender()
    app.floats(refs, base + scrape * 15_000, values, results, PER_TARGET)
    app.commit()
  }
  times.push(ns(started) / SERIES)
}
times.sort((a, b) => a - b)
line('append and log, fastest round', times[0], 'ns/sample')
line('append and log, median', times[times.length >> 1], 'ns/sample')
line('memory of chunks', (db.stats().headBytesUsed - before) / SERIES / SCRAPES, 'bytes/sample')
line('memory of a series in all', db.stats().headBytesUsed / SERIES, 'bytes')
line('log', db.stats().walBytes / SERIES / SCRAPES, 'bytes/sample')

const reader = db.reader()
const select = () => {
  const arena = createArena(2 ** 31)
  const t = performance.now()
  const selection = reader
    .querier(0, 2 ** 50)
    .select([new Matcher('=', 'job', 'inference')], { start: 0, end: 2 ** 50 }, arena)
  return { took: performance.now() - t, selection }
}
select()
const { took, selection } = select()
line(`select of ${selection.count} series`, (took * 1e3) / selection.count, 'µs/series')
line('select per sample', (took * 1e6) / SERIES / SCRAPES, 'ns/sample')
reader.close()
await db.close()

started = performance.now()
db = openDbSync({ dir })
line('replay', ((performance.now() - started) * 1e6) / SERIES / SCRAPES, 'ns/sample')
line('replay, all', performance.now() - started, 'ms')
await db.close()
rmSync(dir, { recursive: true })
