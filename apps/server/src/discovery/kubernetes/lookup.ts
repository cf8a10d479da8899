// What the building of a group may look up of other objects. Every look-up is remembered, found or not, so that the
// group is built again when that object comes, changes or goes.
import type { KubernetesSdConfig } from '../../config/index.ts'
import type { KubeNode, KubeObject, Pod, Service } from './objects.ts'

export interface Lookup {
  readonly attach: KubernetesSdConfig['attach']
  pod(key: string): Pod | undefined
  service(key: string): Service | undefined
  /** These four are undefined too when the configuration does not attach them. */
  node(name: string): KubeNode | undefined
  namespace(name: string): KubeObject | undefined
  replicaSet(key: string): KubeObject | undefined
  job(key: string): KubeObject | undefined
}

/** Which groups depend on which objects. Keys are `kind key`, e.g. `pod default/web-0`. */
export class Dependencies {
  readonly #users = new Map<string, Set<string>>()
  readonly #uses = new Map<string, Set<string>>()

  add(group: string, object: string): void {
    let users = this.#users.get(object)
    if (!users) this.#users.set(object, (users = new Set()))
    users.add(group)
    let uses = this.#uses.get(group)
    if (!uses) this.#uses.set(group, (uses = new Set()))
    uses.add(object)
  }

  /** Forgets what a group looked up. */
  clear(group: string): void {
    for (const object of this.#uses.get(group) ?? []) {
      const users = this.#users.get(object)
      users?.delete(group)
      if (users?.size === 0) this.#users.delete(object)
    }
    this.#uses.delete(group)
  }

  usersOf(object: string): Iterable<string> {
    return this.#users.get(object) ?? []
  }
}
