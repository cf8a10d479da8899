// ServiceMonitor and PodMonitor objects as they are listed: metadata checked, the spec as it came.
import { decodeObject, type KubeObject } from '../kubernetes/objects.ts'
import type { Resource } from '../kubernetes/index.ts'
import { at, objectOf, type JsonObject } from '../untrusted.ts'

const GROUP = '/apis/monitoring.coreos.com/v1'

export interface Monitor extends KubeObject {
  readonly spec: JsonObject
}

export type MonitorKind = 'serviceMonitor' | 'podMonitor'

function monitorResource(kind: MonitorKind, plural: string): Resource<Monitor> {
  return {
    kind,
    group: GROUP,
    plural,
    namespaced: true,
    decode(raw) {
      const object = decodeObject(raw)
      // Names become parts of paths and of the names of scrape pools.
      if (!object || !NAME.test(object.meta.name) || !NAME.test(object.meta.namespace)) return undefined
      return { ...object, spec: objectOf(at(raw, 'spec')) }
    },
  }
}
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

export const MONITORS: Readonly<Record<MonitorKind, Resource<Monitor>>> = {
  serviceMonitor: monitorResource('serviceMonitor', 'servicemonitors'),
  podMonitor: monitorResource('podMonitor', 'podmonitors'),
}
