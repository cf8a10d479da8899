import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPEND, Labels, type Alert, type Clock } from '@watchfire/datamodel'
import { Registry } from '@watchfire/instrument'
import type { RuleSample } from '../ingest/contract.ts'
import { createLogger } from '../logger.ts'
import type { QueryVectorAnswer } from '../query/contract.ts'
import { RulesManager, type RulesConfig } from './index.ts'

const START = Date.parse('2026-01-05T12:00:00Z')

class SimulatedClock implements Clock {
  time = START
  #timers: { at: number; run: () => void }[] = []
  now = () => this.time
  monotonic = () => this.time
  setTimeout(run: () => void, delayMs: number) {
    const timer = { at: this.time + delayMs, run }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }
  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.time = Math.max(this.time, next.at)
      next.run()
    }
    this.time = end
  }
}

type Series = Record<string, string>
type Answer = readonly (readonly [Series, number])[] | Error

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'watchfire-rules-'))))
afterEach(() => rmSync(dir, { recursive: true }))

/** A manager over fake queries; what it writes is kept as `{labels} value` by second since the start. */
function setup(rules: string, clock = new SimulatedClock()) {
  const file = join(dir, 'rules.yml')
  writeFileSync(file, rules)
  const answers = new Map<string, Answer>()
  const lookups: { expr: string; lookbackMs: number | undefined }[] = []
  const written: { at: number; series: string; value: number | 'stale' }[] = []
  const sent: Alert[][] = []
  let refuse = false
  const manager = new RulesManager({
    clock,
    logger: createLogger({ write: () => {} }),
    registry: new Registry(),
    externalUrl: 'http://prom.example',
    pool: {
      async vector({ expr, timeMs, lookbackMs }): Promise<QueryVectorAnswer> {
        lookups.push({ expr, lookbackMs })
        const answer = answers.get(expr) ?? []
        if (answer instanceof Error) return { ok: false, kind: 'execution', message: answer.message }
        const samples = answer.map(([labels, value]) => ({ pairs: Labels.from(labels).pairs, timeMs, value }))
        return { ok: true, samples, warnings: [], infos: [] }
      },
    },
    ingest: {
      async append(samples: readonly RuleSample[]) {
        for (const { pairs, timeMs, value, stale } of samples)
          written.push({
            at: (timeMs - START) / 1000,
            series: Labels.fromSortedPairs(pairs).toString(),
            value: stale ? 'stale' : value,
          })
        return samples.map(() => (refuse ? APPEND.outOfOrder : APPEND.ok))
      },
    },
    sendAlerts: (alerts) => void sent.push([...alerts]),
  })
  const config: RulesConfig = {
    ruleFiles: [file],
    evaluationIntervalMs: 10_000,
    queryOffsetMs: 0,
    externalLabels: { cluster: 'eu' },
  }
  const rule = (i = 0) => manager.groups()[0]!.rules[i]!
  const alertingRule = () => {
    const json = rule()
    if (json.type !== 'alerting') throw new Error('not an alerting rule')
    return json
  }
  return {
    clock,
    manager,
    answers,
    written,
    sent,
    config,
    file,
    lookups,
    rule,
    alertingRule,
    start: (restored = true) => start(restored),
    refuse: () => (refuse = true),
  }
  async function start(restored: boolean) {
    // State is looked up after the first load only: an empty load first makes the rules write at once.
    if (restored) await manager.apply({ config, groups: [] })
    await manager.apply(manager.load(config))
    await clock.advance(10_000)
  }
}

const DOWN = `
groups:
  - name: g
    rules:
      - alert: Down
        expr: up == 0
        for: 20s
        labels: {severity: "{{ if gt $value -1.0 }}page{{ end }}"}
        annotations: {summary: '{{ $labels.instance }} of {{ $externalLabels.cluster }} is {{ $value }}', bad: '{{ .Nope }}'}
`

describe('alerting rules', () => {
  it('go from pending to firing to resolved, and write ALERTS', async () => {
    const t = setup(DOWN)
    await t.start()
    expect(t.alertingRule()).toMatchObject({ state: 'inactive', health: 'ok', alerts: [] })
    t.answers.set('up == 0', [[{ __name__: 'up', instance: 'a' }, 0]])
    await t.clock.advance(10_000)
    expect(t.manager.alerts()).toMatchObject([
      {
        labels: { alertname: 'Down', instance: 'a', severity: 'page' },
        state: 'pending',
        value: '0e+00',
        annotations: {
          summary: 'a of eu is 0',
          bad: expect.stringContaining(
            '<error expanding template: error executing template __alert_Down: template: __alert_Down:1:115: executing "__alert_Down" at <.Nope>: can\'t evaluate field Nope in type struct {',
          ),
        },
      },
    ])
    expect(t.written.map(({ series }) => series)).toEqual([
      '{__name__="ALERTS", alertname="Down", alertstate="pending", instance="a", severity="page"}',
      '{__name__="ALERTS_FOR_STATE", alertname="Down", instance="a", severity="page"}',
    ])
    expect(t.sent).toEqual([])
    await t.clock.advance(20_000)
    expect(t.alertingRule().state).toBe('firing')
    expect(t.written.filter(({ value }) => value === 'stale').map(({ series }) => series)).toEqual([
      '{__name__="ALERTS", alertname="Down", alertstate="pending", instance="a", severity="page"}',
    ])
    const [first] = t.sent[0]!
    expect(first!.labels.toObject()).toEqual({ alertname: 'Down', instance: 'a', severity: 'page' })
    expect(first!.endsAt - first!.startsAt).toBe(4 * 60_000)
    expect(first!.generatorUrl).toBe('http://prom.example/graph?g0.expr=up+%3D%3D+0&g0.tab=1')
    t.answers.delete('up == 0')
    await t.clock.advance(10_000)
    expect(t.alertingRule().alerts).toEqual([])
    const resolved = t.sent.at(-1)![0]!
    expect(resolved.endsAt).toBeLessThanOrEqual(t.clock.now())
    expect(t.written.slice(-2).map(({ value }) => value)).toEqual(['stale', 'stale'])
  })

  it('are sent again every minute while they fire, and for a while after they are resolved', async () => {
    const t = setup('groups: [{name: g, rules: [{alert: A, expr: x}]}]')
    await t.start()
    t.answers.set('x', [[{ a: '1' }, 1]])
    await t.clock.advance(300_000)
    expect(t.sent.length).toBeGreaterThanOrEqual(4)
    expect(t.sent.length).toBeLessThanOrEqual(6)
    t.answers.delete('x')
    const before = t.sent.length
    await t.clock.advance(3_600_000)
    const after = t.sent.length - before
    expect(after).toBeGreaterThan(10)
    expect(after).toBeLessThan(17)
    expect(t.sent.at(-1)![0]!.endsAt).toBeLessThan(t.clock.now())
  })

  it('keep firing for keep_firing_for', async () => {
    const t = setup('groups: [{name: g, rules: [{alert: A, expr: x, keep_firing_for: 30s}]}]')
    await t.start()
    t.answers.set('x', [[{ a: '1' }, 1]])
    await t.clock.advance(10_000)
    t.answers.delete('x')
    await t.clock.advance(10_000)
    expect(t.manager.alerts()[0]!.keepFiringSince).toBeDefined()
    await t.clock.advance(20_000)
    expect(t.alertingRule().state).toBe('firing')
    await t.clock.advance(10_000)
    expect(t.alertingRule().state).toBe('inactive')
  })

  it('refuse equal label sets and more alerts than the limit', async () => {
    const t = setup(
      'groups: [{name: g, limit: 1, rules: [{alert: A, expr: x}, {alert: B, expr: y, labels: {a: c}}]}]',
    )
    await t.start()
    t.answers.set('x', [
      [{ a: '1' }, 1],
      [{ a: '2' }, 1],
    ])
    t.answers.set('y', [
      [{ a: '1' }, 1],
      [{ a: '2' }, 1],
    ])
    await t.clock.advance(10_000)
    expect(t.rule(0)).toMatchObject({ health: 'err', lastError: 'exceeded limit of 1 with 2 alerts' })
    expect(t.rule(1)).toMatchObject({
      health: 'err',
      lastError: 'vector contains metrics with the same labelset after applying alert labels',
    })
  })

  it('continue their for after a restart, without the time the server was down', async () => {
    const t = setup('groups: [{name: g, rules: [{alert: A, expr: x, for: 1h}]}]')
    // Active for 50 min when the server went down, 5 min ago: 10 min remain.
    const labels = { alertname: 'A', a: '1' }
    const since = START / 1000 - 3300
    const selector = 'ALERTS_FOR_STATE{alertname="A"}'
    t.answers.set(selector, [[{ __name__: 'ALERTS_FOR_STATE', ...labels }, since]])
    t.answers.set(`timestamp(${selector})`, [[labels, START / 1000 - 300]])
    t.answers.set('x', [[{ a: '1' }, 1]])
    await t.start(false)
    expect(t.written).toEqual([])
    await t.clock.advance(20_000)
    expect(t.lookups).toContainEqual({ expr: selector, lookbackMs: 3_600_000 })
    expect(t.alertingRule().state).toBe('pending')
    const activeAt = Date.parse(t.manager.alerts()[0]!.activeAt)
    expect((activeAt - since * 1000) / 1000).toBeGreaterThanOrEqual(300)
    expect((activeAt - since * 1000) / 1000).toBeLessThanOrEqual(330)
    expect(t.written.map(({ series }) => series)).toContain(
      '{__name__="ALERTS_FOR_STATE", a="1", alertname="A"}',
    )
    await t.clock.advance(11 * 60_000)
    expect(t.alertingRule().state).toBe('firing')
  })
})

describe('recording rules', () => {
  it('write under their name with their labels, and mark what vanishes as stale', async () => {
    const t = setup(
      'groups: [{name: g, query_offset: 5s, rules: [{record: n, expr: x, labels: {l: v, gone: ""}}]}]',
    )
    await t.start()
    t.answers.set('x', [[{ __name__: 'x', a: '1', gone: 'y' }, 7]])
    await t.clock.advance(10_000)
    t.answers.set('x', [[{ __name__: 'x', a: '2' }, 8]])
    await t.clock.advance(10_000)
    expect(t.written.map(({ series, value }) => `${series} ${value}`)).toEqual([
      '{__name__="n", a="1", l="v"} 7',
      '{__name__="n", a="2", l="v"} 8',
      '{__name__="n", a="1", l="v"} stale',
    ])
    expect(t.written[1]!.at - t.written[0]!.at).toBeCloseTo(10, 9)
    expect(t.rule()).toMatchObject({ type: 'recording', name: 'n', query: 'x', health: 'ok' })
  })

  it('show errors of queries and of appends', async () => {
    const t = setup(
      'groups: [{name: g, limit: 1, rules: [{record: n, expr: x}, {record: m, expr: y}, {record: o, expr: z}]}]',
    )
    await t.start()
    t.answers.set('x', new Error('query timed out in expression evaluation'))
    t.answers.set('y', [
      [{ a: '1' }, 7],
      [{ a: '2' }, 7],
    ])
    t.answers.set('z', [[{ a: '1' }, 7]])
    t.refuse()
    await t.clock.advance(10_000)
    expect(t.rule(0)).toMatchObject({ health: 'err', lastError: 'query timed out in expression evaluation' })
    expect(t.rule(1)).toMatchObject({ health: 'err', lastError: 'exceeded limit of 1 with 2 series' })
    expect(t.rule(2)).toMatchObject({
      health: 'err',
      lastError: 'out of order sample: {__name__="o", a="1"}',
    })
  })

  it('run one after the other at times that a restart does not move', async () => {
    const rules = 'groups: [{name: g, rules: [{record: n, expr: x}]}]'
    const first = setup(rules)
    first.answers.set('x', [[{}, 1]])
    await first.start()
    await first.clock.advance(20_000)
    const clock = new SimulatedClock()
    clock.time += 3_456
    const second = setup(rules, clock)
    second.answers.set('x', [[{}, 1]])
    await second.start()
    expect(first.written.length).toBe(3)
    const apart = second.written[0]!.at - first.written[0]!.at
    expect(apart / 10).toBeCloseTo(Math.round(apart / 10), 9)
  })
})

describe('reload', () => {
  it('leaves unchanged groups alone, continues alerts of changed ones and ends the series of removed ones', async () => {
    const same = '{name: same, rules: [{record: s, expr: x}]}'
    const t = setup(
      `groups: [${same}, {name: g, rules: [{alert: A, expr: x, for: 20s}]}, {name: gone, rules: [{record: n, expr: x}]}]`,
    )
    t.answers.set('x', [[{ a: '1' }, 1]])
    await t.start()
    const activeAt = t.manager.alerts()[0]!.activeAt
    const groups = () => t.manager.groups().map(({ name }) => name)
    expect(groups()).toEqual(['g', 'gone', 'same'])
    writeFileSync(
      t.file,
      `groups: [${same}, {name: g, rules: [{record: new, expr: x}, {alert: A, expr: x, for: 21s}]}]`,
    )
    await t.manager.apply(t.manager.load(t.config))
    expect(groups()).toEqual(['g', 'same'])
    expect(t.manager.alerts()[0]).toMatchObject({ activeAt, state: 'pending' })
    expect(t.written.at(-1)).toMatchObject({ series: '{__name__="n", a="1"}', value: 'stale' })
    await t.clock.advance(30_000)
    expect(t.manager.alerts()[0]!.state).toBe('firing')
    expect(t.written.filter(({ series }) => series.includes('"s"')).length).toBe(4)
  })

  it('changes nothing when a file is bad', async () => {
    const t = setup(DOWN)
    await t.start()
    writeFileSync(t.file, 'groups: [{name: g, rules: [{alert: A, expr: "("}]}]')
    expect(() => t.manager.load(t.config)).toThrow('could not parse expression')
    expect(t.rule().name).toBe('Down')
    await t.manager.stop()
  })
})
