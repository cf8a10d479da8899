// A copy of the objects of one kind that follows the cluster: list, then watch from the version of the list; list
// again when the version is gone; try again with growing pauses when the server fails.
import { HttpStatusError } from '../../outgoing/index.ts'
import { reasonOf } from '../context.ts'
import type { KubernetesEvent } from '../events.ts'
import { GoneError, type KubeApi, type Selection, type WatchEvent } from './api-client.ts'
import type { KubeObject } from './objects.ts'
import { keyOf, pathOf, type Resource } from './resources.ts'
import { childOf, textAt } from '../untrusted.ts'

export interface InformerOptions<T extends KubeObject> {
  readonly api: KubeApi
  readonly resource: Resource<T>
  /** '' = all. */
  readonly namespace: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly onEvent: (event: KubernetesEvent, key: string) => void
  /** The first list is in. */
  readonly onSynced: () => void
  /** A failed list or watch; it is tried again. */
  readonly onFailure: (reason: string) => void
  /** Shortest and longest pause after failures. Default 0.8 s and 30 s. */
  readonly backoffMs?: { readonly min: number; readonly max: number }
}

/** A watch that ends sooner than this does not count as success. */
const WATCH_MS_MIN = 1000
/** Length of a watch as asked for, in s, and as much again by chance. */
const WATCH_SECONDS = 300

export class Informer<T extends KubeObject> {
  readonly #options: InformerOptions<T>
  readonly #selection: Selection
  readonly #stop = new AbortController()
  #objects = new Map<string, T>()
  #version = ''
  #synced = false
  #pauseMs = 0

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#selection = {
      path: pathOf(options.resource, options.namespace),
      labelSelector: options.labelSelector ?? '',
      fieldSelector: options.fieldSelector ?? '',
    }
  }

  get synced(): boolean {
    return this.#synced
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  values(): IterableIterator<T> {
    return this.#objects.values()
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        if (this.#version === '') await this.#list()
        await this.#watch()
      } catch (error) {
        if (signal.aborted) return
        // What the server refuses it may refuse for ever from this version on; a lost connection goes on from there.
        if (error instanceof GoneError || error instanceof HttpStatusError) this.#version = ''
        // Certificates may have been replaced.
        else this.#options.api.reconnect()
        this.#options.onFailure(`${this.#selection.path}: ${reasonOf(error)}`)
        await this.#pause()
      }
    }
  }

  async #list(): Promise<void> {
    const { api, resource } = this.#options
    const { items, resourceVersion } = await api.list(this.#selection, this.#stop.signal)
    if (this.#stop.signal.aborted) return
    const old = this.#objects
    const next = new Map<string, T>()
    for (const item of items) {
      const object = resource.decode(item)
      if (object) next.set(keyOf(object), object)
    }
    this.#objects = next
    // An empty version would be a watch from any point.
    this.#version = resourceVersion || '0'
    for (const key of next.keys()) this.#tell(old.has(key) ? 'update' : 'add', key)
    for (const key of old.keys()) if (!next.has(key)) this.#tell('delete', key)
    if (this.#synced) return
    this.#synced = true
    this.#options.onSynced()
  }

  async #watch(): Promise<void> {
    const began = performance.now()
    const seconds = WATCH_SECONDS + Math.floor(Math.random() * WATCH_SECONDS)
    let events = 0
    await this.#options.api.watch(this.#selection, this.#version, seconds, this.#stop.signal, (event) => {
      events++
      this.#pauseMs = 0
      this.#apply(event)
    })
    if (this.#stop.signal.aborted) return
    if (performance.now() - began >= WATCH_MS_MIN) {
      this.#pauseMs = 0
      return
    }
    if (events === 0) this.#options.onFailure(`${this.#selection.path}: very short watch, no events received`)
    await this.#pause()
  }

  #apply({ type, object: raw }: WatchEvent): void {
    const version = textAt(childOf(raw, 'metadata'), 'resourceVersion')
    if (version !== '') this.#version = version
    if (type === 'BOOKMARK') return
    const object = this.#options.resource.decode(raw)
    if (!object) return
    const key = keyOf(object)
    if (type === 'DELETED') {
      if (this.#objects.delete(key)) this.#tell('delete', key)
      return
    }
    if (type !== 'ADDED' && type !== 'MODIFIED') return
    const known = this.#objects.has(key)
    this.#objects.set(key, object)
    this.#tell(known ? 'update' : 'add', key)
  }

  #tell(event: KubernetesEvent, key: string): void {
    this.#options.onEvent(event, key)
  }

  /** Waits, longer after every failure in a row. */
  #pause(): Promise<void> {
    const { min, max } = this.#options.backoffMs ?? { min: 800, max: 30_000 }
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, min), max)
    const wait = this.#pauseMs * (1 + Math.random())
    return new Promise((resolve) => {
      const timer = setTimeout(done, wait)
      timer.unref()
      const { signal } = this.#stop
      function done() {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
