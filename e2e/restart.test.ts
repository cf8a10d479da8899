// Clean stops, kills and restarts of the whole server: what was acknowledged stays.
import { afterEach, describe, expect, it } from 'vitest'
import { FakeTarget, until } from '@watchfire/testkit'
import { ServerProcess } from './server-process.ts'

let server: ServerProcess | undefined
let target: FakeTarget | undefined
afterEach(async () => {
  await server?.dispose()
  await target?.stop()
})

async function start(): Promise<ServerProcess> {
  let counter = 0
  target = await FakeTarget.start(
    FakeTarget.text(
      () =>
        `# TYPE requests_total counter\nrequests_total{path="/a b"} ${counter++}\ntemperature ${20 + (counter % 5) * 0.1}\n`,
    ),
  )
  server = await ServerProcess.start(
    `global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: fake\n    static_configs: [{targets: ['${target.address}']}]\n`,
  )
  return server
}

const history = async (one: ServerProcess, end: number): Promise<string> =>
  JSON.stringify(await one.api(`query_range?query={job="fake"}&start=${end - 60}&end=${end}&step=1`))

describe('restarts', () => {
  it('keep the same history, byte for byte, over a clean stop', async () => {
    const one = await start()
    await until(20_000, async () => Number((await one.vector('requests_total'))[0]?.value[1]) >= 4)
    const end = Math.floor(Date.now() / 1000) - 1
    const before = await history(one, end)
    expect(before).toContain('requests_total')
    expect(await one.process.stop('SIGTERM')).toEqual({ code: 0, signal: null })
    await one.startAgain()
    expect(await history(one, end)).toBe(before)
  })

  it('keep what was acknowledged over kill -9, again and again', async () => {
    const one = await start()
    for (let round = 0; round < 4; round++) {
      const least = round * 2 + 2
      await until(20_000, async () => Number((await one.vector('requests_total'))[0]?.value[1]) >= least)
      // What a query has shown was committed.
      const end = Math.floor(Date.now() / 1000) - 1
      const before = await history(one, end)
      await one.process.stop('SIGKILL')
      await one.startAgain()
      expect(await history(one, end)).toBe(before)
      expect((await one.vector('count(up)'))[0]?.value[1]).toBe('1')
    }
  })
})
