import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAlertmanager, type RunningAlertmanager } from '../start.ts'
import { tabulate } from './format.ts'
import { runAmtool } from './index.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
let dir: string
let running: RunningAlertmanager
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'watchfire-amtool-'))
  running = await startAlertmanager({ port: 0, logger: quiet })
})
afterEach(async () => {
  await running.stop()
  rmSync(dir, { recursive: true })
})

async function amtool(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await runAmtool(argv, {
    print: (text) => void (out += text),
    warn: (text) => void (err += text),
    configFiles: [join(dir, 'config.yml')],
  })
  return { code, out, err }
}

describe('amtool', () => {
  it('adds and finds alerts and silences', async () => {
    const url = `--alertmanager.url=${running.url}`
    expect(await amtool('alert', 'add', 'Drift', 'model=a', '--annotation=summary="x y"', url)).toEqual({
      code: 0,
      out: '',
      err: '',
    })
    const alerts = await amtool('alert', url)
    expect(alerts.out).toMatch(
      /^Alertname {2}Starts At {16}Summary {2}State {3}\nDrift {6}.* UTC {2}x y {6}active {2}\n$/,
    )
    const added = await amtool(
      'silence',
      'add',
      'Drift',
      'model=~a|b',
      '-c',
      'why',
      '-a',
      'me',
      '-d',
      '2h',
      url,
    )
    const id = added.out.trim()
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect((await amtool('silence', 'query', '-q', '--created-by=me', url)).out).toBe(`${id}\n`)
    expect((await amtool('alert', 'query', 'Drift', url)).out.split('\n')).toHaveLength(2)
    const longer = await amtool('silence', 'update', '-d', '3h', '-q', id, url)
    const newId = longer.out.trim()
    expect((await amtool('silence', 'expire', newId, url)).code).toBe(0)
    writeFileSync(join(dir, 's.json'), (await amtool('silence', 'query', '--expired', '-o', 'json', url)).out)
    expect(JSON.parse((await amtool('silence', 'query', '--expired', '-o', 'json', url)).out)).toMatchObject([
      { id: newId, comment: 'why' },
    ])
    expect((await amtool('cluster', 'show', url)).out).toBe('Cluster Status:  disabled\nNode Name:       \n')
    expect((await amtool('config', 'show', url)).out).toContain('receiver: inbox')
  })

  it('reads defaults from its file, and says what is wrong', async () => {
    writeFileSync(
      join(dir, 'config.yml'),
      `alertmanager.url: ${running.url}\ncomment_required: false\nauthor: robot\n`,
    )
    expect((await amtool('silence', 'add', 'a=b')).code).toBe(0)
    expect(JSON.parse((await amtool('silence', '-o', 'json')).out)).toMatchObject([{ createdBy: 'robot' }])
    const error = async (...argv: string[]) => (await amtool(...argv)).err.trim()
    expect(await error('silence', 'add')).toBe('amtool: error: no matchers specified')
    expect(await error('alert', '--bogus')).toBe("amtool: error: unknown long flag '--bogus'")
    expect(await error('nothing')).toBe('amtool: error: expected command but got "nothing"')
    expect(await error('silence', 'add', 'a=b', '--end=2020-01-01T00:00:00Z')).toContain(
      'silence cannot start after it ends',
    )
    expect(await error('silence', 'query', 'x', 'a=~[')).toMatch(
      /\[GET \/silences\]\[400\] getSilencesBadRequest/,
    )
    expect((await amtool('silence', 'add', '--help')).out).toContain(
      'usage: amtool silence add [<flags>] [<matcher-groups>...]',
    )
  })

  it('checks files, shows and tests routes, renders templates', async () => {
    const file = join(dir, 'am.yml')
    writeFileSync(
      file,
      `route: {receiver: a, routes: [{receiver: b, matchers: [x="1"], continue: true}, {receiver: c, match_re: {x: "1|2"}}]}
receivers: [{name: a}, {name: b}, {name: c}]
`,
    )
    expect((await amtool('check-config', file)).out).toBe(
      `Checking '${file}'  SUCCESS\nFound:\n - global config\n - route\n - 0 inhibit rules\n - 3 receivers\n - 0 templates\n\n`,
    )
    expect((await amtool('config', 'routes', `--config.file=${file}`)).out).toBe(`Routing tree:
.
└── default-route  receiver: a
    ├── {x="1"}  continue: true  receiver: b
    └── {x=~"^(?:1|2)$"}  receiver: c

`)
    const test = await amtool(
      'config',
      'routes',
      'test',
      `--config.file=${file}`,
      '--verify.receivers=b',
      'x=1',
    )
    expect([test.code, test.out]).toEqual([
      1,
      'b,c\nWARNING: Expected receivers did not match resolved receivers.\n',
    ])
    writeFileSync(join(dir, 'x.tmpl'), '{{ define "x" }}{{ .Receiver }}<{{ len .Alerts }}>{{ end }}')
    const render = [
      'template',
      'render',
      `--template.glob=${dir}/*.tmpl`,
      '--template.text={{ template "x" . }}',
    ]
    expect((await amtool(...render)).out).toBe('receiver<2>')
    writeFileSync(file, 'route: {}\n')
    expect(await amtool('check-config', file)).toMatchObject({
      code: 1,
      err: 'amtool: error: failed to validate 1 file(s)\n\n',
    })
  })

  it('sets tables as Go’s tabwriter does', () => {
    expect(tabulate([['a', 'bb', ''], ['ccc', 'd', ''], ['', 'é', ''], ['end'], ['x', 'y']])).toBe(
      'a    bb  \nccc  d   \n     é   \nend\nx  y\n',
    )
  })
})
