// The command lines of the service and of the sample traffic. Both run until they are told to stop: by SIGTERM, SIGINT, or
// the end of the channel to the process that started them. Their result is the exit code.
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { SHIPPED_MODELS_DIR } from './app.ts'
import { DEFAULT_HOST, DEFAULT_PORT, startInference } from './start.ts'
import { startTraffic } from './traffic/index.ts'

const INFERENCE_HELP = `usage: inference [flags]

Serves ONNX models: predictions, metrics, documentation at /docs.

  --port=${DEFAULT_PORT}             port to listen on, 0 takes a free one
  --host=${DEFAULT_HOST}        address to listen on
  --models-dir=DIR        folder of models, <name>/<version>/{model.onnx,model.json} (default: the shipped models)
  --threads=1             threads inside one inference
  --max-rows=5000         most rows of one prediction
  --body-limit=16777216   largest request body, bytes
  --traffic               also send sample traffic to this service
  --log-level=warn        trace, debug, info, warn, error, fatal or silent
  --help                  this text
`

/** Runs the service; resolves with the exit code when it has ended. */
export async function runInference(argv: readonly string[]): Promise<number> {
  const flags = parse(argv, {
    port: String(DEFAULT_PORT),
    host: DEFAULT_HOST,
    'models-dir': SHIPPED_MODELS_DIR,
    threads: '1',
    'max-rows': '5000',
    'body-limit': String(16 << 20),
    'log-level': 'warn',
    traffic: false,
  })
  if (typeof flags === 'string') return usage(flags, INFERENCE_HELP)
  const stopped = stopSignal()
  try {
    const inference = await startInference({
      port: whole(flags, 'port', 0, 65_535),
      host: flags.host as string,
      modelsDir: flags['models-dir'] as string,
      threads: whole(flags, 'threads', 1, 64),
      maxRows: whole(flags, 'max-rows', 1, 1_000_000),
      bodyLimitBytes: whole(flags, 'body-limit', 1024, 1 << 30),
      logger: pino({ name: 'inference', level: level(flags['log-level'] as string) }, pino.destination(2)),
    })
    const traffic = flags.traffic
      ? startTraffic({ url: inference.url, modelsDir: flags['models-dir'] as string })
      : undefined
    process.stdout.write(`inference service listening on ${inference.url} (documentation at /docs)\n`)
    await stopped
    await traffic?.stop()
    await inference.close()
    return 0
  } catch (error) {
    return fail('inference', error)
  }
}

const TRAFFIC_HELP = `usage: traffic [flags]

Sends rows of real data sets to an inference service, in a wave like a day, with a small share of bad requests.

  --url=http://127.0.0.1:${DEFAULT_PORT}   the service
  --models-dir=DIR              folder of models with rows.json (default: the shipped models)
  --day=600                     length of the compressed day, seconds
  --peak-rate=3                 requests a second of each model at the top of the wave
  --refresh=150                 seconds between refreshes of a model, 0 = never
  --help                        this text
`

/** Runs the sample traffic; resolves with the exit code when it has ended. */
export async function runTraffic(argv: readonly string[]): Promise<number> {
  const flags = parse(argv, {
    url: `http://127.0.0.1:${DEFAULT_PORT}`,
    'models-dir': SHIPPED_MODELS_DIR,
    day: '600',
    'peak-rate': '3',
    refresh: '150',
  })
  if (typeof flags === 'string') return usage(flags, TRAFFIC_HELP)
  const stopped = stopSignal()
  try {
    const url = new URL(flags.url as string)
    const traffic = startTraffic({
      url: url.origin,
      modelsDir: flags['models-dir'] as string,
      dayMs: whole(flags, 'day', 10, 86_400) * 1000,
      peakRate: whole(flags, 'peak-rate', 1, 1000),
      refreshMs: whole(flags, 'refresh', 0, 86_400) * 1000,
    })
    await stopped
    await traffic.stop()
    return 0
  } catch (error) {
    return fail('traffic', error)
  }
}

type Flags = Readonly<Record<string, string | boolean>>

/** The flags over their defaults; a text is what to say instead of running ('' for --help). */
function parse(argv: readonly string[], defaults: Flags): Flags | string {
  const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } }
  for (const [name, value] of Object.entries(defaults))
    options[name] = { type: typeof value === 'boolean' ? 'boolean' : 'string' }
  try {
    const { values } = parseArgs({ args: [...argv], options, allowPositionals: false })
    if (values.help) return ''
    return { ...defaults, ...(values as Record<string, string | boolean>) }
  } catch (error) {
    return (error as Error).message
  }
}

function usage(problem: string, help: string): number {
  if (problem === '') {
    process.stdout.write(help)
    return 0
  }
  process.stderr.write(`${problem}\n\n${help}`)
  return 2
}

function fail(command: string, error: unknown): number {
  const { code, message } = error as NodeJS.ErrnoException
  const hint = code === 'EADDRINUSE' ? ' (another program uses this port; choose one with --port)' : ''
  process.stderr.write(`${command}: ${message}${hint}\n`)
  return 1
}

function whole(flags: Flags, name: string, min: number, max: number): number {
  const text = flags[name] as string
  const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max))
    throw new Error(`--${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`)
  return value
}

function level(name: string): string {
  if (name !== 'silent' && !(name in pino.levels.values))
    throw new Error(`--log-level must be one of ${Object.keys(pino.levels.values).join(', ')}, silent`)
  return name
}

/** Resolves at the first SIGTERM or SIGINT, or when the channel to the parent process closes. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, () => resolve())
  })
}
