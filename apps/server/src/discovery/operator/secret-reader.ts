// Values of Secrets and ConfigMaps that monitors refer to. Kept for a short time, never logged: errors name the object
// and the key, not what is in it.
import { HttpStatusError } from '../../outgoing/index.ts'
import type { KubeApi } from '../kubernetes/index.ts'
import { at, childOf, textAt } from '../untrusted.ts'

/** Largest object, in bytes; Kubernetes itself allows 1 MiB of data, which base64 makes a third larger. */
const OBJECT_BYTES_MAX = 2 * 1024 * 1024
/** Time after which an object is read again. */
const KEEP_MS = 60_000
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** The object could not be asked for; later it may. What is only missing is an ordinary error. */
export class SecretUnreachable extends Error {
  override name = 'SecretUnreachable'
}

export type ReferenceKind = 'secret' | 'configMap'

export class SecretReader {
  readonly #api: KubeApi
  readonly #signal: AbortSignal
  readonly #objects = new Map<string, { readonly at: number; readonly object: Promise<unknown> }>()

  constructor(api: KubeApi, signal: AbortSignal) {
    this.#api = api
    this.#signal = signal
  }

  /** True when something was read, so that it has to be looked at again later. */
  get used(): boolean {
    return this.#objects.size > 0
  }

  /** The text at `{name, key}`; undefined when the reference is not there or has no name. */
  async read(kind: ReferenceKind, namespace: string, reference: unknown): Promise<string | undefined> {
    const name = textAt(reference, 'name')
    const key = textAt(reference, 'key')
    if (name === '') return undefined
    if (!NAME.test(name)) throw new Error(`invalid name of a ${kind}`)
    const object = await this.#object(kind, namespace, name)
    const given = at(childOf(object, 'data'), key)
    if (typeof given !== 'string') {
      if (at(reference, 'optional') === true) return undefined
      throw new Error(`key ${JSON.stringify(key)} in ${kind} ${namespace}/${name} not found`)
    }
    return kind === 'secret' ? Buffer.from(given, 'base64').toString('utf8') : given
  }

  /** Forgets what was not read again for long. */
  prune(): void {
    for (const [path, { at: since }] of this.#objects)
      if (performance.now() - since > KEEP_MS) this.#objects.delete(path)
  }

  #object(kind: ReferenceKind, namespace: string, name: string): Promise<unknown> {
    const plural = kind === 'secret' ? 'secrets' : 'configmaps'
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`
    const known = this.#objects.get(path)
    if (known && performance.now() - known.at <= KEEP_MS) return known.object
    const object = this.#api.get(path, this.#signal, OBJECT_BYTES_MAX).catch((error: unknown) => {
      this.#objects.delete(path)
      const status = error instanceof HttpStatusError ? error.status : 0
      const what = `unable to get ${kind} ${namespace}/${name}`
      if (status === 404 || status === 403) throw new Error(`${what}: HTTP status ${status}`)
      // The cause may quote the answer; it stays out.
      throw new SecretUnreachable(status > 0 ? `${what}: HTTP status ${status}` : what)
    })
    this.#objects.set(path, { at: performance.now(), object })
    return object
  }
}
