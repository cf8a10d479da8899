// All interop checks, one after the other, within three minutes.
import { alerts } from './alerts.mjs'
import { amtool, promtool } from './command-lines.mjs'
import { instrument } from './instrument.mjs'
import { check, cleanUp, startSystem, summary } from './kit.mjs'
import { scrapeAndData, systemData } from './scrape-and-data.mjs'

const TIME_MS_MAX = 175_000

const late = setTimeout(async () => {
  await check('all checks end in time', () => {
    throw new Error(`not done after ${TIME_MS_MAX / 1000} s`)
  })
  await end()
}, TIME_MS_MAX)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void end())

async function end() {
  clearTimeout(late)
  await cleanUp()
  process.exit(summary())
}

let system
await check('everything starts', async () => {
  system = await startSystem()
})
const part = (name, run) =>
  run().catch((error) =>
    check(name, () => {
      throw error
    }),
  )
if (system) {
  await part('promtool', () => promtool(system))
  await part('amtool', () => amtool(system))
  await part('alerts', () => alerts(system))
  await part('data of the system', () => systemData(system))
}
await part('instrumentation', instrument)
await part('scraping and data', scrapeAndData)
await end()
