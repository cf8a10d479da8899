import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AlertTemplate,
  GoMap,
  TemplateError,
  TemplateSet,
  alertmanagerFunctions,
  notificationValue,
  type PrometheusContext,
  type TemplateSample,
} from './index.ts'

const samples: TemplateSample[] = [
  { labels: { __name__: 'm', a: 'z', i: '10' }, value: 3 },
  { labels: { __name__: 'm', a: 'b', i: '9' }, value: 1.5 },
]
const context: PrometheusContext = {
  nowMs: Date.parse('2026-01-01T00:00:00Z'),
  externalUrl: 'http://prom.example/prefix',
  query: async (expr) => {
    if (expr === 'broken') throw new Error('parse error')
    return expr === 'none' ? [] : samples
  },
}
const data = {
  labels: { instance: 'i:1', model_name: 'fraud' },
  externalLabels: { cluster: 'eu' },
  externalUrl: 'http://prom.example/prefix',
  value: 12345.678,
}
const expand = (text: string) => new AlertTemplate('test', text).expand(data, context)

describe('alert templates', () => {
  const f = (text: string, want: string) =>
    it(`expands ${text}`, async () => expect(await expand(text)).toBe(want))
  f('plain', 'plain')
  f('{{ $labels.model_name }} has {{ $value | humanize }}', 'fraud has 12.35k')
  f('{{ $labels.nosuch }}|{{ $externalLabels.cluster }}', '|eu')
  f('{{- 1 -}} x {{/* gone */ -}} y', '1x y')
  f('{{ if gt $value 10.0 }}big{{ else if true }}never{{ else }}small{{ end }}', 'big')
  f('{{ range query "m" | sortByLabel "a" }}{{ .Labels.a }}={{ .Value }};{{ end }}', 'b=1.5;z=3;')
  f('{{ range $i, $s := query "m" }}{{ $i }}{{ $s.Labels.a }}{{ end }}', '0z1b')
  f('{{ range query "none" }}x{{ else }}none{{ end }}', 'none')
  f('{{ range query "m" }}{{ if eq .Labels.a "b" }}{{ break }}{{ end }}{{ .Labels.a }}{{ end }}', 'z')
  f('{{ with query "m" }}{{ . | first | label "a" }}{{ end }}', 'z')
  f('{{ define "x" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template "x" (args 1 "b") }}', '1-b')
  f('{{ $x := 1 }}{{ $x = 2 }}{{ $x }}', '2')
  f('{{ printf "%05.1f|%-4d|%q|%x" 3.14159 7 "a\\"b" 255 }}', '003.1|7   |"a\\"b"|ff')
  f('{{ printf "%d %s" "x" }}', '%!d(string=x) %!s(MISSING)')
  f('{{ 3661.5 | humanizeDuration }} {{ 0.1234567 | humanizePercentage }}', '1h 1m 1s 12.35%')
  f('{{ 1435065584.128 | humanizeTimestamp }}', '2015-06-23 13:19:44.128 +0000 UTC')
  f('{{ (now | toTime).Format "Mon, 02 Jan 2006 15:04:05 MST" }}', 'Thu, 01 Jan 2026 00:00:00 UTC')
  f('{{ reReplaceAll "(a)(.*)" "$2${1}x" "abc" }}', 'bcax')
  f('{{ and 1 0 }} {{ or 0 "x" }} {{ not true }} {{ len "é" }}', '0 x false 2')
  f('{{ pathPrefix }} {{ graphLink "up > 0" }}', '/prefix /graph?g0.expr=up+%3E+0&g0.tab=0')
  f('{{ "www.example.com:1" | stripDomain }} {{ "[::1]:2" | stripPort }}', 'www:1 ::1')
  f('{{ 1e21 }} {{ 1234567.0 }} {{ 0x1F }} {{ 1_000 }}', '1e+21 1.234567e+06 31 1000')

  const fails = (text: string, want: string) =>
    it(`refuses ${text}`, async () => {
      await expect((async () => expand(text))()).rejects.toThrow(want)
    })
  fails('{{ 1 | nofunc }}', 'template: test:1: function "nofunc" not defined')
  fails('a\n{{ $nosuch }}', 'template: test:2: undefined variable "$nosuch"')
  fails('{{', 'template: test:1: unclosed action')
  fails('{{ if true }}', 'template: test:1: unexpected EOF')
  fails(
    '{{ .Nope }}',
    'template: test:1:115: executing "test" at <.Nope>: can\'t evaluate field Nope in type struct {',
  )
  fails(
    '{{ query "none" | first }}',
    'at <first>: error calling first: first() called on vector with no elements',
  )
  fails('{{ query "broken" }}', 'error calling query: parse error')
  fails('{{ "abc" | humanize }}', 'error calling humanize: strconv.ParseFloat: parsing "abc": invalid syntax')
  fails('{{ template "nope" }}', 'template "nope" not defined')
})

describe('limits', () => {
  it('stops templates that run or print without end', async () => {
    const run = (text: string, options: object) => new AlertTemplate('t', text).expand(data, context, options)
    await expect(run('{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}', {})).rejects.toThrow(
      'exceeded maximum template depth',
    )
    await expect(run('{{ range 1000000000 }}{{ end }}', { stepsMax: 1000 })).rejects.toThrow('too many steps')
    await expect(run('{{ range 1000 }}0123456789{{ end }}', { outputMax: 100 })).rejects.toThrow('too long')
    expect(() => new AlertTemplate('t', '{{ ' + '('.repeat(10_000))).toThrow('nested too deeply')
  })
})

describe('notification templates', () => {
  const alert = (status: 'firing' | 'resolved', model: string) => ({
    status,
    labels: { alertname: 'Errors', model },
    annotations: { summary: 's <b>' },
    startsAt: Date.parse('2026-01-01T00:00:00Z'),
    endsAt: status === 'firing' ? 0 : Date.parse('2026-01-01T01:02:03.5Z'),
    generatorUrl: 'http://p/g',
    fingerprint: 'abc',
  })
  const dot = notificationValue({
    receiver: 'r',
    status: 'firing',
    alerts: [alert('firing', 'fraud'), alert('resolved', 'churn')],
    groupLabels: { alertname: 'Errors' },
    commonLabels: { zone: 'z', alertname: 'Errors' },
    commonAnnotations: { summary: 's <b>' },
    routeLabels: {},
    externalUrl: 'http://am.example',
    reason: 'first notification',
  })
  const f = (text: string, want: string) =>
    it(`expands ${text}`, async () => {
      const set = new TemplateSet(alertmanagerFunctions(() => 0))
      set.add('file', '{{ define "custom" }}<{{ .Status | toUpper }}>{{ end }}')
      expect(await set.executeText(text, dot, { missingKey: 'zero' })).toBe(want)
    })
  f('{{ template "custom" . }}', '<FIRING>')
  f(
    '{{ .CommonLabels.SortedPairs }} {{ .CommonLabels.Names | join "," }}',
    'alertname=Errors, zone=z alertname,zone',
  )
  f('{{ (.CommonLabels.Remove (stringSlice "zone")).SortedPairs }}', 'alertname=Errors')
  f('{{ range .Alerts.Firing }}{{ .Labels.model }}{{ end }} {{ len .Alerts.Resolved }}', 'fraud 1')
  f('{{ (index .Alerts 1).EndsAt.Sub (index .Alerts 1).StartsAt }}', '1h2m3.5s')
  f('{{ (index .Alerts 0).StartsAt | tz "Europe/Paris" | date "15:04 -0700" }}', '01:00 +0100')
  f('{{ toJson .GroupLabels }} {{ title "hello world" }}', '{"alertname":"Errors"} Hello World')
  f('{{ dict "a" 1 }} {{ append (list 1) 2 }}', 'map[a:1] [1 2]')
})

describe('any text', () => {
  const words = fc.constantFrom(
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '"a"',
    '.',
    '.x',
    '$v',
    ':=',
    '=',
    '|',
    '(',
    ')',
    'if',
    'else',
    'end',
    'range',
    'with',
    'define',
    'template',
    'block',
    'break',
    'len',
    'printf',
    '1',
    '1.5',
    'nil',
    'true',
    ',',
    '\n',
    '/*',
    '*/',
    'é',
  )
  it('is parsed and executed, or refused with a TemplateError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 25 }), async (parts) => {
        try {
          const set = new TemplateSet(alertmanagerFunctions(() => 0))
          set.add('t', parts.join(''))
          await set.execute('t', new GoMap([['x', 1n]]), { stepsMax: 10_000 })
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
