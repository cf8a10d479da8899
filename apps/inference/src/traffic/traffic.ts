// Sample traffic: one loop a model that sends a request, waits as the wave says, and goes on whatever the answer was.
import { setTimeout as sleep } from 'node:timers/promises'
import { SHIPPED_MODELS_DIR } from '../app.ts'
import { makeRequest, readRows } from './requests.ts'
import type { ModelRows, RequestKind } from './requests.ts'
import { FLOOR_RATE_MIN, pauseMs, rateAt } from './wave.ts'

export interface TrafficOptions {
  /** The service, e.g. `http://127.0.0.1:8000`. */
  url: string
  /** Folder with the rows to replay. Default: the shipped models. */
  modelsDir?: string
  /** Rows to replay; overrides `modelsDir`. */
  models?: readonly ModelRows[]
  /** Length of the compressed day, ms. Default 600,000. */
  dayMs?: number
  /** Requests a second of a model at the top of the wave. Default 3. */
  peakRate?: number
  /** Requests a second of a model at the bottom. Default 0.4, never below 0.25. */
  floorRate?: number
  /** A model is refreshed this often, one after the other, ms; 0 = never. Default 150,000. */
  refreshMs?: number
  /** An answer that takes longer is given up, ms. Default 4,000. */
  timeoutMs?: number
  /** Numbers in [0, 1). Default: `Math.random`. */
  random?: () => number
  /** Told of each answer; status 0 is none. */
  onAnswer?: (kind: RequestKind | 'refresh', status: number) => void
}

export interface RunningTraffic {
  /** Answers by kind and status since the start, e.g. `predict 200`. */
  readonly answers: ReadonlyMap<string, number>
  /** Ends the traffic; requests under way are given up. */
  stop(): Promise<void>
}

/** Starts at once; a service that does not answer is tried again at the pace of the wave. Throws if there are no rows. */
export function startTraffic(options: TrafficOptions): RunningTraffic {
  const models = options.models ?? readRows(options.modelsDir ?? SHIPPED_MODELS_DIR)
  if (models.length === 0) throw new Error('there are no rows to replay: no model has a rows.json')
  const ending = new AbortController()
  const answers = new Map<string, number>()
  const note = (kind: RequestKind | 'refresh', status: number) => {
    const key = `${kind} ${status}`
    answers.set(key, (answers.get(key) ?? 0) + 1)
    options.onAnswer?.(kind, status)
  }
  const send = async (kind: RequestKind | 'refresh', path: string, body: unknown) =>
    note(kind, await post(options.url + path, body, options.timeoutMs ?? 4000, ending.signal))
  const loops = models.map((model, i) => modelLoop(model, i / models.length, options, send, ending.signal))
  const refreshMs = options.refreshMs ?? 150_000
  if (refreshMs > 0) loops.push(refreshLoop(models, refreshMs, send, ending.signal))
  return {
    answers,
    async stop() {
      ending.abort()
      await Promise.all(loops)
    },
  }
}

type Send = (kind: RequestKind | 'refresh', path: string, body: unknown) => Promise<void>

/** The pause runs from one request to the next, so a slow answer does not thin the traffic out. */
async function modelLoop(
  model: ModelRows,
  phase: number,
  options: TrafficOptions,
  send: Send,
  signal: AbortSignal,
): Promise<void> {
  const random = options.random ?? Math.random
  const wave = {
    dayMs: options.dayMs ?? 600_000,
    peakRate: options.peakRate ?? 3,
    floorRate: Math.max(FLOOR_RATE_MIN, options.floorRate ?? 0.4),
  }
  const began = performance.now()
  await pause(random() * Math.min(1000, wave.dayMs), signal)
  for (let count = 1; !signal.aborted; count++) {
    const request = makeRequest(model, count, random)
    const rest = pauseMs(rateAt(wave, performance.now() - began, phase), random())
    await Promise.all([send(request.kind, request.path, request.body), pause(rest, signal)])
  }
}

async function refreshLoop(
  models: readonly ModelRows[],
  refreshMs: number,
  send: Send,
  signal: AbortSignal,
): Promise<void> {
  for (let count = 0; ; count++) {
    await pause(count === 0 ? Math.min(20_000, refreshMs) : refreshMs, signal)
    if (signal.aborted) return
    await send('refresh', '/refresh', { model_name: models[count % models.length]!.name })
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

/** Status of the answer; 0 if there was none in time. */
async function post(url: string, body: unknown, timeoutMs: number, ending: AbortSignal): Promise<number> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'watchfire-traffic' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([ending, AbortSignal.timeout(timeoutMs)]),
    })
    await response.arrayBuffer()
    return response.status
  } catch {
    return 0
  }
}
