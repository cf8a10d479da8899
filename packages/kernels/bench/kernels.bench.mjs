// Times of the kernels, best of many rounds. Run by hand after the build:
// node packages/kernels/bench/kernels.bench.mjs
// Every line ends with a checksum of the results, so that nothing is optimised away.
import { POINT_TEXT_BYTES, WINDOW, XOR_STATE_BYTES, createArena, histogramImageBytes } from '../dist/index.js'

const arena = createArena(512 * 2 ** 20)
const { kernels } = arena
const SERIES = 2000
const SAMPLES = 120
/** Rounds go on for this long, so that the compiler's best code is measured. */
const ROUNDS_MS = 400

let seed = 1
const random = () => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
  return seed / 0x80000000
}
const floats = (address, count) => new Float64Array(arena.memory.buffer, address, count)
const put = (text) => {
  const bytes = Buffer.from(text)
  const address = arena.alloc(bytes.length + 32)
  arena.bytes().set(bytes, address)
  return { address, length: bytes.length }
}

/** Runs `body` in rounds and prints nanoseconds per unit. `body` returns a checksum. */
function measure(name, units, body) {
  let best = Infinity
  let checksum = 0
  const until = performance.now() + ROUNDS_MS
  while (performance.now() < until) {
    const from = process.hrtime.bigint()
    checksum = body()
    best = Math.min(best, Number(process.hrtime.bigint() - from))
  }
  console.log(`${name.padEnd(46)} ${(best / units).toFixed(2).padStart(8)} ns   ${checksum}`)
}

// Float chunks: counters with jitter-free times, some still, as a scrape leaves them; and noisy gauges.
const ROOM = 1536
for (const kind of ['counter', 'gauge']) {
  const mark = arena.mark()
  const chunks = arena.alloc(SERIES * ROOM)
  const state = arena.alloc(XOR_STATE_BYTES)
  const lengths = new Uint32Array(SERIES)
  const samples = new Float64Array(SERIES * SAMPLES)
  for (let s = 0; s < SERIES; s++) {
    let value = 0
    const still = random() < 0.33
    for (let i = 0; i < SAMPLES; i++) {
      if (kind === 'gauge') value = random()
      else if (!still) value += Math.floor(random() * 20)
      samples[s * SAMPLES + i] = value
    }
  }
  const start = 1_700_000_000_000
  measure(`xorAppend ${kind}, per sample (from JS)`, SERIES * SAMPLES, () => {
    let bytes = 0
    for (let s = 0; s < SERIES; s++) {
      kernels.xorInit(state, chunks + s * ROOM, ROOM)
      for (let i = 0; i < SAMPLES; i++) kernels.xorAppend(state, start + i * 15_000, samples[s * SAMPLES + i])
      lengths[s] = (new Uint32Array(arena.memory.buffer, state + 8, 1)[0] + 7) >> 3
      bytes += lengths[s]
    }
    return bytes
  })
  const times = arena.alloc(SAMPLES * 8)
  const values = arena.alloc(SAMPLES * 8)
  measure(`xorDecode ${kind}, per sample`, SERIES * SAMPLES, () => {
    let count = 0
    for (let s = 0; s < SERIES; s++)
      count += kernels.xorDecode(chunks + s * ROOM, lengths[s], times, values, SAMPLES)
    return count
  })

  // Twelve chunks a series: six hours at 15 s, 352 steps of a minute over five minutes.
  const CHUNKS = 12
  const n = CHUNKS * SAMPLES
  const groups = Math.floor(SERIES / CHUNKS)
  const tables = arena.alloc(SERIES * 48)
  const view = new DataView(arena.memory.buffer)
  for (let s = 0; s < SERIES; s++) {
    const row = tables + s * 48
    // The chunks all begin at the same time; shift them by building each again.
    const first = start + (s % CHUNKS) * SAMPLES * 15_000
    kernels.xorInit(state, chunks + s * ROOM, ROOM)
    for (let i = 0; i < SAMPLES; i++) kernels.xorAppend(state, first + i * 15_000, samples[s * SAMPLES + i])
    view.setUint32(row, chunks + s * ROOM, true)
    view.setUint32(row + 4, (view.getUint32(state + 8, true) + 7) >> 3, true)
    view.setUint32(row + 8, 1, true)
    view.setUint32(row + 12, SAMPLES, true)
    view.setFloat64(row + 16, first, true)
    view.setFloat64(row + 24, first + (SAMPLES - 1) * 15_000, true)
  }
  const [bigTimes, bigValues] = [arena.alloc(n * 8), arena.alloc(n * 8)]
  const STEPS = 352
  const [out, present, scratch] = [arena.alloc(STEPS * 8), arena.alloc(STEPS), arena.alloc(n * 32)]
  const [sums, compensations, counts] = [
    arena.alloc(STEPS * 8),
    arena.alloc(STEPS * 8),
    arena.alloc(STEPS * 4),
  ]
  const window = (func) =>
    kernels.windowFloats(
      func,
      bigTimes,
      bigValues,
      n,
      start + 300_000,
      60_000,
      STEPS,
      300_000,
      out,
      present,
      scratch,
    )
  measure(`decodeFloats ${kind}, drop stale`, groups * n, () => {
    let count = 0
    for (let g = 0; g < groups; g++)
      count += kernels.decodeFloats(tables + g * CHUNKS * 48, CHUNKS, 0, 1e15, 1, bigTimes, bigValues, n)
    return count
  })
  measure(`decodeFloats + rate[5m] + addRow ${kind}`, groups * n, () => {
    for (let g = 0; g < groups; g++) {
      kernels.decodeFloats(tables + g * CHUNKS * 48, CHUNKS, 0, 1e15, 1, bigTimes, bigValues, n)
      window(WINDOW.rate)
      kernels.addRow(sums, compensations, counts, out, present, STEPS)
    }
    return floats(sums, STEPS)[100]
  })
  for (const name of [
    'rate',
    'sumOverTime',
    'avgOverTime',
    'maxOverTime',
    'changes',
    'stddevOverTime',
    'deriv',
  ])
    measure(`windowFloats ${name} ${kind}, per input sample`, 50 * n, () => {
      for (let i = 0; i < 50; i++) window(WINDOW[name])
      return floats(out, STEPS)[100]
    })
  measure(`instantFloats ${kind}, per step`, 50 * STEPS, () => {
    for (let i = 0; i < 50; i++)
      kernels.instantFloats(bigTimes, bigValues, n, start + 300_000, 60_000, STEPS, 300_000, out, present, 0)
    return floats(out, STEPS)[100]
  })
  arena.release(mark)
}

{
  const LINES = 5000
  let text = '# HELP ml_predictions_total predictions\n# TYPE ml_predictions_total counter\n'
  for (let i = 0; i < LINES; i++)
    text +=
      `ml_predictions_duration_seconds_bucket{model_name="model-${i % 50}",version="v${i % 7}",status="success",` +
      `handler="/predict/${i}",method="POST",region="eu-west-1",le="${((i % 12) * 0.05).toFixed(2)}"} ${i * 1037 + 0.5}\n`
  const { address, length } = put(text)
  const copy = put(text).address
  const cache = arena.alloc(LINES * 16)
  const rows = new Uint32Array(arena.memory.buffer, cache, LINES * 4)
  let at = text.indexOf('ml_predictions_duration')
  for (let i = 0; i < LINES; i++) {
    const end = text.indexOf('} ', at) + 1
    rows.set([copy + at, end - at, i + 1, 0], i * 4)
    at = text.indexOf('\n', end) + 1
  }
  const [ids, offsets] = [arena.alloc(LINES * 4), arena.alloc(LINES * 4)]
  const [values, times] = [arena.alloc(LINES * 8), arena.alloc(LINES * 8)]
  const scan = (rowCount) =>
    kernels.scanText(address, length, cache, rowCount, ids, offsets, values, times, LINES, 0, ids)
  measure(`scanText known, per line of ${Math.round(length / LINES)} bytes`, LINES, () => scan(LINES))
  measure('scanText unknown, per line', LINES, () => scan(0))
  measure('crc32c, per KiB', length / 1024, () => kernels.crc32c(0, address, length))
  const packed = arena.alloc(kernels.snappyBound(length))
  const table = arena.alloc(32768)
  measure('snappyEncode, per KiB', length / 1024, () => kernels.snappyEncode(address, length, packed, table))
  const size = kernels.snappyEncode(address, length, packed, table)
  measure('snappyDecode, per KiB', length / 1024, () => kernels.snappyDecode(packed, size, copy, length))
}

{
  const texts = Array.from({ length: 2000 }, () =>
    put(String(random() * 10 ** Math.floor(random() * 20 - 10))),
  )
  const out = arena.alloc(32)
  measure('parseNumber 17 digits (from JS)', texts.length, () => {
    let exact = 0
    for (const { address, length } of texts)
      exact += kernels.parseNumber(address, address + length, out) === 1
    return exact
  })
  const n = 2000
  const [values, present, text] = [arena.alloc(n * 8), arena.alloc(n), arena.alloc(n * POINT_TEXT_BYTES)]
  floats(values, n).forEach((_, i, column) => (column[i] = random() * 100))
  arena.bytes().fill(1, present, present + n)
  measure('formatPoints 17 digits, per point', n, () =>
    kernels.formatPoints(values, present, 1.7e12, 60_000, n, text),
  )
}

{
  const shape = { samples: 100, spans: 2, buckets: 40, customValues: 0 }
  const size = histogramImageBytes(shape)
  const image = arena.alloc(size)
  const view = new DataView(arena.memory.buffer, image, size)
  ;[3, 0, 0, 0, 100, 1, 1, 20, 20, 0, 0, 20, 0, 20].forEach((word, i) => view.setInt32(i * 4, word, true))
  arena.bytes().fill(0, image + 56, image + size)
  const columns = floats(image + 56, 100 * 44)
  for (let i = 0; i < 100; i++) {
    columns[i] = 1_700_000_000_000 + i * 15_000
    columns[100 + i] = i * 400
    columns[300 + i] = i * 123.25
    for (let b = 0; b < 20; b++)
      columns[400 + i * 20 + b] = columns[2400 + i * 20 + b] = i * 10 + Math.floor(random() * 10 * b)
  }
  const chunk = arena.alloc(100_000)
  for (const encoding of [2, 3]) {
    const length = kernels.histogramEncode(encoding, image, size, chunk, 100_000)
    measure(`histogramEncode ${encoding}, per bucket`, 4000, () =>
      kernels.histogramEncode(encoding, image, size, chunk, 100_000),
    )
    const out = arena.alloc(size)
    measure(`histogramDecode ${encoding}, per bucket`, 4000, () =>
      kernels.histogramDecode(encoding, chunk, length, out, size),
    )
  }
}
