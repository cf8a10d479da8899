// The two requests of the API that discovery makes: list in pages, and watch as a stream of lines.
import { StringDecoder } from 'node:string_decoder'
import { HttpFetcher, HttpStatusError } from '../../outgoing/index.ts'
import type { KubeServer } from './access.ts'
import { at, childOf, listAt, optionalTextAt, textAt } from '../untrusted.ts'

/** Bounds of what a server may send. */
export interface ApiLimits {
  readonly pageBytes: number
  readonly lineBytes: number
  readonly objects: number
  readonly requestMs: number
}

export const DEFAULT_API_LIMITS: ApiLimits = {
  pageBytes: 256 * 1024 * 1024,
  lineBytes: 16 * 1024 * 1024,
  objects: 1_000_000,
  requestMs: 60_000,
}

/** Objects of one page. */
const PAGE_OBJECTS = 500

export interface Selection {
  readonly path: string
  readonly labelSelector: string
  readonly fieldSelector: string
}

export interface Listed {
  readonly items: readonly unknown[]
  readonly resourceVersion: string
}

/** `type` is ADDED, MODIFIED, DELETED or BOOKMARK. */
export interface WatchEvent {
  readonly type: string
  readonly object: unknown
}

/** A watch cannot go on from its version: list again. */
export class GoneError extends Error {
  override name = 'GoneError'
}

export class KubeApi {
  readonly limits: ApiLimits
  readonly #server: KubeServer
  readonly #fetcher: HttpFetcher

  constructor(server: KubeServer, userAgent: string, limits: ApiLimits = DEFAULT_API_LIMITS) {
    this.#server = server
    this.limits = limits
    this.#fetcher = new HttpFetcher({ http: server.http, userAgent })
  }

  /** One object; rejects with `HttpStatusError` when there is none. */
  async get(path: string, signal: AbortSignal, bytesMax: number): Promise<unknown> {
    const answer = await this.#fetcher.get({
      url: `${this.#server.url}${path}`,
      headers: { Accept: 'application/json' },
      timeoutMs: this.limits.requestMs,
      bytesMax,
      signal,
    })
    return JSON.parse(answer.body.toString('utf8'))
  }

  async list(selection: Selection, signal: AbortSignal): Promise<Listed> {
    const items: unknown[] = []
    let next = ''
    for (;;) {
      const page = await this.#page(selection, next, signal)
      for (const item of listAt(page, 'items')) items.push(item)
      if (items.length > this.limits.objects) throw new Error(`more than ${this.limits.objects} objects`)
      const meta = childOf(page, 'metadata')
      if (!meta || !Array.isArray(at(page, 'items') ?? []))
        throw new Error('the answer is no list of objects')
      next = textAt(meta, 'continue')
      if (next === '') return { items, resourceVersion: textAt(meta, 'resourceVersion') }
    }
  }

  /** Resolves when the server ends the watch; rejects with `GoneError` or what went wrong. */
  async watch(
    selection: Selection,
    resourceVersion: string,
    seconds: number,
    signal: AbortSignal,
    onEvent: (event: WatchEvent) => void,
  ): Promise<void> {
    const url = this.#url(selection, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(seconds),
    })
    const limit = new AbortController()
    const cancel = () => limit.abort(new Error('context canceled'))
    if (signal.aborted) cancel()
    signal.addEventListener('abort', cancel, { once: true })
    const fail = () => limit.abort(new Error('context deadline exceeded'))
    // A connection that died without a word must not be waited for.
    let deadline = setTimeout(fail, this.limits.requestMs)
    try {
      const answer = await this.#fetcher.open({ url, headers: { Accept: 'application/json' } }, limit.signal)
      clearTimeout(deadline)
      deadline = setTimeout(fail, (seconds + 30) * 1000)
      await this.#lines(answer.body as AsyncIterable<Buffer>, onEvent)
    } catch (error) {
      if (error instanceof HttpStatusError && error.status === 410) throw new GoneError(error.message)
      throw limit.signal.aborted && limit.signal.reason instanceof Error ? limit.signal.reason : error
    } finally {
      clearTimeout(deadline)
      signal.removeEventListener('abort', cancel)
    }
  }

  /** Connections are made anew, with certificates read again. */
  reconnect(): void {
    this.#fetcher.reconnect()
  }

  close(): void {
    this.#fetcher.close()
  }

  async #page(selection: Selection, next: string, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#fetcher.get({
      url: this.#url(selection, { limit: String(PAGE_OBJECTS), ...(next !== '' && { continue: next }) }),
      headers: { Accept: 'application/json' },
      timeoutMs: this.limits.requestMs,
      bytesMax: this.limits.pageBytes,
      signal,
    })
    return JSON.parse(answer.body.toString('utf8'))
  }

  #url({ path, labelSelector, fieldSelector }: Selection, query: Record<string, string>): string {
    const params = new URLSearchParams(query)
    if (labelSelector !== '') params.set('labelSelector', labelSelector)
    if (fieldSelector !== '') params.set('fieldSelector', fieldSelector)
    return `${this.#server.url}${path}?${params.toString()}`
  }

  async #lines(body: AsyncIterable<Buffer>, onEvent: (event: WatchEvent) => void): Promise<void> {
    const decoder = new StringDecoder('utf8')
    const parts: string[] = []
    let length = 0
    for await (const chunk of body) {
      const text = decoder.write(chunk)
      let from = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        parts.push(text.slice(from, end))
        const line = parts.join('')
        parts.length = 0
        length = 0
        from = end + 1
        if (line.trim() !== '') onEvent(eventOf(line))
      }
      parts.push(text.slice(from))
      length += text.length - from
      if (length > this.limits.lineBytes) throw new Error(`event larger than ${this.limits.lineBytes} bytes`)
    }
  }
}

function eventOf(line: string): WatchEvent {
  const raw: unknown = JSON.parse(line)
  const type = textAt(raw, 'type')
  const object = at(raw, 'object')
  if (type !== 'ERROR') return { type, object }
  // Gone, or another reason why the server cannot go on from here.
  throw new GoneError(`the server ended the watch: ${optionalTextAt(object, 'message') ?? 'unknown'}`)
}
