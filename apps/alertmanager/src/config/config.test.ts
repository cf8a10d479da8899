import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ConfigError,
  DEFAULT_CONFIG_TEXT,
  MatcherError,
  inTimeInterval,
  loadConfig,
  matchersText,
  parseMatchers,
} from './index.ts'

describe('configuration', () => {
  it('has a built-in default that sends everything to the inbox', () => {
    const config = loadConfig(DEFAULT_CONFIG_TEXT, 'default')
    expect(config.receivers).toMatchObject([
      { name: 'inbox', integrations: [{ kind: 'inbox', sendResolved: true }] },
    ])
    expect(config.route.groupWaitMs).toBe(5000)
    expect(loadConfig(config.printed, 'printed').route).toEqual(config.route)
  })

  it('takes http_config of all receivers where one has none, and prints it', () => {
    const { printed } = loadConfig(
      `global: {smtp_smarthost: 'mail:25', http_config: {bearer_token: t}}
templates: ['*.tmpl']
route: {receiver: w}
receivers: [{name: w, webhook_configs: [{url: "http://hook"}, {url_file: f, http_config: {}}]}]`,
      'c.yml',
    )
    expect(printed).toContain('smtp_smarthost: mail:25')
    expect(printed.match(/bearer_token: <secret>/g)).toHaveLength(2)
  })

  it('is printed without secrets', () => {
    const { printed } = loadConfig(
      `route: {receiver: w}
receivers: [{name: w, webhook_configs: [{url: "http://hook/TOKEN", http_config: {basic_auth: {username: u, password: PASS}}}]}]`,
      'c.yml',
    )
    expect(printed).not.toMatch(/TOKEN|PASS/)
    expect(printed).toContain('url: <secret>')
  })

  const f = (name: string, text: string, want: string) =>
    it(`names the place of a mistake: ${name}`, () => {
      expect(() => loadConfig(text, 'am.yml')).toThrow(ConfigError)
      expect(() => loadConfig(text, 'am.yml')).toThrow(want)
    })
  const tail = '\nreceivers: [{name: r}]\n'
  f(
    'unknown field',
    `route: {receiver: r, foo: 1}${tail}`,
    'am.yml:1:22: field foo not found in type config.plain',
  )
  f('no route', tail, 'no routes provided')
  f(
    'unknown receiver',
    `route:\n  receiver: r\n  routes:\n  - receiver: x${tail}`,
    'am.yml:4:15: undefined receiver "x" used in route',
  )
  f(
    'matchers on the root',
    `route: {receiver: r, matchers: [a="b"]}${tail}`,
    'root route must not have any matchers',
  )
  f(
    'unknown interval',
    `route: {receiver: r, routes: [{mute_time_intervals: [x]}]}${tail}`,
    'undefined time interval "x" used in route',
  )
  f('duration', `route: {receiver: r, group_wait: 5}${tail}`, 'am.yml:1:34: not a valid duration string: "5"')
  f(
    'matcher',
    `route: {receiver: r, routes: [{matchers: ["a"]}]}${tail}`,
    'am.yml:1:43: bad matcher format: a',
  )
  f(
    'a receiver twice',
    'route: {receiver: r}\nreceivers: [{name: r}, {name: r}]',
    'am.yml:2:31: notification config name "r" is not unique',
  )
  f(
    'nothing to send to',
    'route: {receiver: r}\nreceivers: [{name: r, slack_configs: [{channel: c}]}]',
    'am.yml:2:39: no Slack API URL nor App token set either inline or in a file',
  )
  f(
    'webhook without url',
    'route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{}]}]',
    'one of url or url_file must be configured',
  )
  f(
    'two kinds of authentication',
    'route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: "http://h", http_config: {bearer_token: t, basic_auth: {username: u}}}]}]',
    'at most one of basic_auth',
  )
  f('no YAML', 'route: [', 'am.yml:1:9: yaml:')
})

describe('matchers', () => {
  const f = (text: string, want: string) =>
    it(`read ${text}`, () => expect(matchersText(parseMatchers(text))).toBe(want))
  f('{foo="bar", baz!~".*q,x"}', '{foo="bar",baz!~".*q,x"}')
  f('foo=bar,dings!=bums', '{foo="bar",dings!="bums"}')
  f('"utf.8 name"=x', '{"utf.8 name"="x"}')
  f('foo🙂=~bar', '{foo🙂=~"bar"}')
  f('{foo="She said: \\"hi\\""}', '{foo="She said: \\"hi\\""}')
  it('are refused with the classic message', () => {
    expect(() => parseMatchers('{foo!bar}')).toThrow('bad matcher format: foo!bar')
    expect(() => parseMatchers('a=~"["')).toThrow(MatcherError)
  })
  it('are read or refused with a MatcherError, and what is printed reads the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'é', '=', '~', '!', '"', '\\', ',', '{', '}', ' ', 'n', '.*', '\n'), {
          maxLength: 12,
        }),
        (parts) => {
          let matchers
          try {
            matchers = parseMatchers(parts.join(''), 'utf8')
          } catch (error) {
            expect(error).toBeInstanceOf(MatcherError)
            return
          }
          expect(matchersText(parseMatchers(matchersText(matchers), 'utf8'))).toBe(matchersText(matchers))
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('time intervals', () => {
  const f = (yaml: string, inside: string[], outside: string[]) =>
    it(`know ${yaml}`, () => {
      const config = loadConfig(
        `route: {receiver: r}\nreceivers: [{name: r}]\ntime_intervals: [{name: i, time_intervals: [${yaml}]}]`,
        'c',
      )
      const holds = (time: string) =>
        config.timeIntervals.get('i')!.some((interval) => inTimeInterval(interval, Date.parse(time)))
      expect(inside.filter(holds)).toEqual(inside)
      expect(outside.filter(holds)).toEqual([])
    })
  f(
    "{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}",
    ['2026-01-05T09:00:00Z', '2026-01-05T16:59:59Z'],
    ['2026-01-05T17:00:00Z', '2026-01-04T12:00:00Z'],
  )
  f("{days_of_month: ['-1'], location: America/New_York}", ['2026-03-01T04:59:00Z'], ['2026-03-01T05:01:00Z'])
  f(
    "{months: ['january:march'], years: ['2026']}",
    ['2026-02-01T00:00:00Z'],
    ['2026-04-01T00:00:00Z', '2025-02-01T00:00:00Z'],
  )
  f(
    "{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}",
    ['2026-01-05T01:30:00Z'],
    ['2026-03-29T01:30:00Z', '2026-07-01T01:30:00Z'],
  )
  f('{}', ['2026-01-01T00:00:00Z'], [])
})
