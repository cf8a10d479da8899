// Meta labels that several roles share.
import { sanitizeLabelName } from '../context.ts'
import type { Container, KubeObject, ObjectMeta, Pod } from './objects.ts'
import type { Lookup } from './lookup.ts'

export const META = '__meta_kubernetes_'

/** Labels of one target or group while they are put together. */
export type LabelSet = Record<string, string>

/** `<resource>_label_*`, `_labelpresent_*`, `_annotation_*`, `_annotationpresent_*`. */
export function addLabelsAndAnnotations(labels: LabelSet, meta: ObjectMeta, resource: string): void {
  for (const [kind, map] of [
    ['label', meta.labels],
    ['annotation', meta.annotations],
  ] as const)
    for (const [name, value] of map) {
      const safe = sanitizeLabelName(name)
      labels[`${META}${resource}_${kind}_${safe}`] = value
      labels[`${META}${resource}_${kind}present_${safe}`] = 'true'
    }
}

/** The name, labels and annotations of an object. */
export function addObjectLabels(labels: LabelSet, meta: ObjectMeta, resource: string): void {
  labels[`${META}${resource}_name`] = meta.name
  addLabelsAndAnnotations(labels, meta, resource)
}

export function addNodeLabels(labels: LabelSet, name: string | undefined, lookup: Lookup): void {
  const node = name === undefined ? undefined : lookup.node(name)
  if (node) addObjectLabels(labels, node.meta, 'node')
}

export function addNamespaceLabels(labels: LabelSet, name: string, lookup: Lookup): void {
  const namespace = lookup.namespace(name)
  if (namespace) addLabelsAndAnnotations(labels, namespace.meta, 'namespace')
}

/** What role service and everything behind a service have of it. */
export function serviceLabels({ meta }: KubeObject): LabelSet {
  const labels: LabelSet = { [`${META}namespace`]: meta.namespace }
  addObjectLabels(labels, meta, 'service')
  return labels
}

export function podLabels(pod: Pod, lookup: Lookup): LabelSet {
  const { meta } = pod
  const labels: LabelSet = {
    [`${META}pod_ip`]: pod.ip,
    [`${META}pod_ready`]: pod.ready,
    [`${META}pod_phase`]: pod.phase,
    [`${META}pod_node_name`]: pod.nodeName,
    [`${META}pod_host_ip`]: pod.hostIp,
    [`${META}pod_uid`]: meta.uid,
  }
  addObjectLabels(labels, meta, 'pod')
  const owner = meta.controller
  if (!owner) return labels
  if (owner.kind !== '') labels[`${META}pod_controller_kind`] = owner.kind
  if (owner.name !== '') labels[`${META}pod_controller_name`] = owner.name
  const key = `${meta.namespace}/${owner.name}`
  if (owner.kind === 'ReplicaSet') {
    const above = lookup.replicaSet(key)?.meta.controller
    if (above?.kind === 'Deployment') labels[`${META}pod_deployment_name`] = above.name
  }
  if (owner.kind === 'Job') {
    if (lookup.attach.job) labels[`${META}pod_job_name`] = owner.name
    const above = lookup.attach.cronJob ? lookup.job(key)?.meta.controller : undefined
    if (above?.kind === 'CronJob') labels[`${META}pod_cronjob_name`] = above.name
  }
  return labels
}

/** What targets behind a service have of the container whose port they are. */
export function addContainerPort(
  labels: LabelSet,
  container: Container,
  port: { readonly name: string; readonly number: number; readonly protocol: string },
): void {
  labels[`${META}pod_container_name`] = container.name
  labels[`${META}pod_container_image`] = container.image
  labels[`${META}pod_container_port_name`] = port.name
  labels[`${META}pod_container_port_number`] = String(port.number)
  labels[`${META}pod_container_port_protocol`] = port.protocol
  labels[`${META}pod_container_init`] = String(container.isInit)
}
