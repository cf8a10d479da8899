import { describe, expect, it } from 'vitest'
import { ConfigError } from '../config/index.ts'
import { parseRuleFile } from './index.ts'

describe('rule files', () => {
  it('are read with group labels merged below the rule labels', () => {
    const groups = parseRuleFile(
      `
groups:
  - name: g
    interval: 30s
    query_offset: 1m
    limit: 5
    labels: {team: ml, tier: one}
    rules:
      - record: job:up:sum
        expr: sum by(job)(up)
        labels: {tier: two}
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1m
        annotations: {summary: "{{ $labels.instance }} is down"}
`,
      'r.yml',
    )
    expect(groups).toEqual([
      {
        file: 'r.yml',
        name: 'g',
        intervalMs: 30_000,
        queryOffsetMs: 60_000,
        limit: 5,
        rules: [
          {
            kind: 'recording',
            name: 'job:up:sum',
            expr: 'sum by (job) (up)',
            labels: { team: 'ml', tier: 'two' },
          },
          {
            kind: 'alerting',
            name: 'Down',
            expr: 'up == 0',
            forMs: 300_000,
            keepFiringForMs: 60_000,
            labels: { team: 'ml', tier: 'one' },
            annotations: { summary: '{{ $labels.instance }} is down' },
          },
        ],
      },
    ])
    expect(parseRuleFile('', 'empty.yml')).toEqual([])
  })

  const f = (name: string, text: string, want: string) =>
    it(`are refused: ${name}`, () => {
      let message = ''
      try {
        parseRuleFile(text, 'r.yml')
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
        message = (error as Error).message
      }
      expect(message).toBe(want)
    })
  const rule = (text: string) => `groups:\n- name: g\n  rules:\n  - ${text}\n`
  f(
    'unknown field',
    rule('{record: a, exprr: up}'),
    'r.yml: yaml: unmarshal errors:\n  line 4: field exprr not found in type rulefmt.Rule',
  )
  f(
    'bad expression',
    rule('{record: a, expr: rate(up}'),
    'r.yml: 4:23: group "g", rule 1, "a": could not parse expression: 1:8: parse error: unclosed left parenthesis',
  )
  f(
    'bad template',
    rule('{alert: a, expr: up, annotations: {x: "{{ nofunc }}"}}'),
    'r.yml: 4:39: group "g", rule 1, "a": annotation "x": template: __alert_a:1: function "nofunc" not defined',
  )
  f(
    'both names',
    rule('{record: a, alert: b, expr: up}'),
    `r.yml: 4:14: group "g", rule 1, "a": only one of 'record' and 'alert' must be set`,
  )
  f(
    'no name',
    rule('{expr: up}'),
    `r.yml: 4:5: group "g", rule 1, "": one of 'record' or 'alert' must be set`,
  )
  f(
    'no expression',
    rule('{alert: a}'),
    `r.yml: 4:5: group "g", rule 1, "a": field 'expr' must be set in rule`,
  )
  f(
    'for in a recording rule',
    rule('{record: a, expr: up, for: 1m}'),
    `r.yml: 4:32: group "g", rule 1, "a": invalid field 'for' in recording rule`,
  )
  f(
    'label name',
    rule('{alert: a, expr: up, labels: {__name__: x}}'),
    'r.yml: 4:34: group "g", rule 1, "a": invalid label name: __name__',
  )
  f(
    'a group twice',
    'groups: [{name: a}, {name: a}]',
    'r.yml: 1:28: groupname: "a" is repeated in the same file',
  )
  f(
    'no YAML',
    'groups: [',
    'r.yml: yaml: line 1: Flow sequence in block collection must be sufficiently indented and end with a ]',
  )
})
