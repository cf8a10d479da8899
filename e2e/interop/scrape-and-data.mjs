// The same targets scraped by both servers give the same series; each server then goes on from the other's data directory.
import {
  check,
  copyData,
  equal,
  freePort,
  newFolder,
  query,
  queryRange,
  start,
  startPrometheus,
  startWatchfire,
  stop,
  truthy,
  until,
  value,
  write,
  serve,
} from './kit.mjs'

const SCRAPES = 6

/** Names of series; Prometheus 3 writes bounds and quantiles in one way (`1.0`) where 2 keeps the target's (`1`). */
function name({ metric }) {
  const labels = { ...metric }
  for (const label of ['le', 'quantile'])
    if (label in labels) labels[label] = String(Number(labels[label].replace('Inf', 'Infinity')))
  return JSON.stringify(labels)
}
const names = (items) => items.map(name).sort()

/** Values of the series of the node exporter that stayed the same for the last minute. */
async function constants(url) {
  const items = await query(url, '{job="node"}[1m]')
  const constant = items.filter(({ values }) => values.every(([, text]) => text === values[0][1]))
  return new Map(constant.map((item) => [name(item), item.values[0][1]]))
}

const HISTORIES = [
  'up',
  'node_cpu_seconds_total{cpu="0"}',
  'node_memory_MemFree_bytes',
  'counted_total',
  'odd',
]

/** Everything a restarted server must answer again. */
async function answers(url, endS) {
  const histories = {}
  for (const expr of HISTORIES) histories[expr] = await queryRange(url, expr, endS - 30, endS, 1)
  return { count: await query(url, 'count({__name__=~".+"})', endS), histories }
}

export async function scrapeAndData() {
  const port = await freePort()
  start('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${port}`])
  let count = 0
  const odd = await serve((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8')
    response.end(
      `# TYPE counted_total counter\ncounted_total ${++count}\n` +
        `odd{text="a \\"quoted\\" \\\\ line\\nbreak ü 🔥"} -1.5e-300\nodd{text="nan"} NaN\nodd{text="inf"} -Inf\n`,
    )
  })
  const node = `127.0.0.1:${port}`
  await until(10_000, async () => (await fetch(`http://${node}/metrics`)).ok)
  const dir = newFolder('scrape')
  const configFile = write(
    dir,
    'prometheus.yml',
    `global: {scrape_interval: 1s}
scrape_configs:
  - job_name: node
    static_configs: [{targets: ['${node}'], labels: {instance: node}}]
  - job_name: odd
    static_configs: [{targets: ['${odd}'], labels: {instance: odd}}]
`,
  )
  const ours = await startWatchfire({ configFile, dataDir: newFolder('ours') })
  const theirs = await startPrometheus({ configFile, dataDir: newFolder('theirs') })
  const enough = (url) => value(url, 'min(count_over_time(up[1m]))')
  await until(
    30_000,
    async () => (await enough(ours.url)) >= SCRAPES && (await enough(theirs.url)) >= SCRAPES,
  )

  await check("a real node exporter gives the same series as to Debian's Prometheus", async () => {
    const [a, b] = [await query(ours.url, '{job="node"}'), await query(theirs.url, '{job="node"}')]
    truthy(b.length > 100, `Prometheus has only ${b.length} series`)
    equal(names(a), names(b), 'series')
    return `${a.length} series`
  })
  await check('constant series have the same values', async () => {
    const [a, b] = [await constants(ours.url), await constants(theirs.url)]
    let compared = 0
    for (const [name, expected] of b)
      if (a.has(name)) {
        compared++
        equal(a.get(name), expected, name)
      }
    truthy(compared > 100, `only ${compared} series are constant`)
    return `${compared} series`
  })
  await check('odd values and label values are the same', async () => {
    const plain = (items) => items.map(({ metric, value: [, text] }) => [metric, text])
    equal(plain(await query(ours.url, 'odd')), plain(await query(theirs.url, 'odd')), 'odd')
  })

  const endS = Math.floor(Date.now() / 1000) - 1
  const [fromOurs, fromTheirs] = [await answers(ours.url, endS), await answers(theirs.url, endS)]
  await Promise.all([stop(ours.process), stop(theirs.process)])
  const idle = write(dir, 'idle.yml', 'scrape_configs: []\n')

  await check("Debian's Prometheus answers the same on a copy of our data directory", async () => {
    const other = await startPrometheus({ configFile: idle, dataDir: copyData(ours.dataDir) })
    equal(await answers(other.url, endS), fromOurs, 'answers')
    await stop(other.process)
    truthy(!/corrupt|unknown/i.test(other.process.output), other.process.output.slice(-1000))
    return `count ${fromOurs.count[0]?.value[1]}`
  })
  await check("we answer the same on a copy of Debian's Prometheus' data directory", async () => {
    const other = await startWatchfire({ configFile: idle, dataDir: copyData(theirs.dataDir) })
    equal(await answers(other.url, endS), fromTheirs, 'answers')
    await stop(other.process)
    return `count ${fromTheirs.count[0]?.value[1]}`
  })
  await check("Debian's Prometheus answers the same after our server was killed", async () => {
    const dataDir = newFolder('killed')
    const killed = await startWatchfire({ configFile, dataDir })
    await until(20_000, async () => (await value(killed.url, 'count_over_time(counted_total[10s])')) >= 3)
    const laterS = Math.floor(Date.now() / 1000) - 1
    const expected = await answers(killed.url, laterS)
    await stop(killed.process, 'SIGKILL')
    const other = await startPrometheus({ configFile: idle, dataDir: copyData(dataDir) })
    equal(await answers(other.url, laterS), expected, 'answers')
    await stop(other.process)
  })
  await check('what Prometheus went on writing in our directory is read by us again', async () => {
    const data = copyData(ours.dataDir)
    const between = await startPrometheus({ configFile, dataDir: data })
    await until(20_000, async () => (await value(between.url, 'count_over_time(counted_total[10s])')) >= 3)
    const laterS = Math.floor(Date.now() / 1000) - 1
    const expected = await answers(between.url, laterS)
    await stop(between.process)
    const again = await startWatchfire({ configFile: idle, dataDir: data })
    equal(await answers(again.url, laterS), expected, 'answers')
    equal(await answers(again.url, endS), fromOurs, 'earlier answers')
    await stop(again.process)
  })
}

const OF_THE_SYSTEM = [
  'count({__name__=~".+_total"})',
  'count by (job) ({__name__=~".+_bucket"})',
  'ml_predictions_total',
  'histogram_count(ml_predictions_duration_seconds)',
  'histogram_sum(ml_predictions_duration_seconds)',
  // 2^-10 is a bound of buckets in every resolution; between bounds Prometheus 2 and 3 interpolate differently.
  'histogram_fraction(0, 0.0009765625, ml_predictions_duration_seconds)',
]

/** Everything that runs together writes classic and native histograms: Debian's Prometheus reads both. Ends the system. */
export async function systemData(system) {
  const ask = async (url, timeS) => {
    const all = {}
    for (const expr of OF_THE_SYSTEM) all[expr] = await query(url, expr, timeS)
    return all
  }
  await check("Debian's Prometheus reads native histograms from our data directory", async () => {
    await until(
      20_000,
      async () => (await value(system.server, 'count(ml_predictions_duration_seconds)')) > 0,
    )
    const timeS = Math.floor(Date.now() / 1000) - 1
    const expected = await ask(system.server, timeS)
    truthy(expected['histogram_count(ml_predictions_duration_seconds)'].length > 0, 'no native histograms')
    await stop(system.process)
    const idle = write(newFolder('idle'), 'idle.yml', 'scrape_configs: []\n')
    const other = await startPrometheus({
      configFile: idle,
      dataDir: copyData(system.dataDir),
      flags: ['--enable-feature=native-histograms'],
    })
    const actual = await ask(other.url, timeS)
    for (const expr of OF_THE_SYSTEM) equal(actual[expr], expected[expr], expr)
    await stop(other.process)
  })
}
