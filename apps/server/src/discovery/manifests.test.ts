// The manifests of deploy/kubernetes: shape, rights for all that discovery asks for, and a configuration that loads.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { parseConfig } from '../config/index.ts'
import { parseFlags } from '../flags.ts'
import { RESOURCES } from './kubernetes/resources.ts'
import { MONITORS } from './operator/monitor.ts'
import { at, childOf, listAt, objectOf, textAt, textsAt, type JsonObject } from './untrusted.ts'

const dir = join(import.meta.dirname, '../../../../deploy/kubernetes')
const files = readdirSync(dir).filter((name) => name !== 'kustomization.yml')
const objects = files.flatMap((name) =>
  parseAllDocuments(readFileSync(join(dir, name), 'utf8')).map((document) => {
    expect(document.errors).toEqual([])
    return objectOf(document.toJS())
  }),
)

function one(kind: string): JsonObject {
  const found = objects.filter((object) => object.kind === kind)
  expect(found).toHaveLength(1)
  return found[0]!
}

/** A path of names through an object. */
const path = (raw: unknown, ...names: string[]) => names.reduce((value, name) => at(value, name), raw)

const template = path(one('StatefulSet'), 'spec', 'template')
const containers = listAt(path(template, 'spec'), 'containers')
const container = (name: string) => containers.find((item) => textAt(item, 'name') === name)

describe('the manifests', () => {
  it('are objects with a kind, a version and a name, all of them in the list', () => {
    for (const object of objects) {
      expect(textAt(object, 'apiVersion')).toMatch(/^(?:[a-z0-9.]+\/)?v\d/)
      expect(textAt(object, 'kind')).not.toBe('')
      expect(textAt(childOf(object, 'metadata'), 'name')).toMatch(/^[a-z0-9-]+$/)
    }
    const listed = readFileSync(join(dir, 'kustomization.yml'), 'utf8')
    for (const name of files) expect(listed.includes(name)).toBe(name !== 'monitor-secrets.yml')
  })

  it('give the right to list and watch every object of every role and monitor, and not to read secrets', () => {
    const rules = listAt(one('ClusterRole'), 'rules')
    for (const { group, plural } of [...Object.values(RESOURCES), ...Object.values(MONITORS)]) {
      const name = group === '/api/v1' ? '' : group.split('/')[2]!
      const rule = rules.find(
        (item) => textsAt(item, 'apiGroups').includes(name) && textsAt(item, 'resources').includes(plural),
      )
      expect(textsAt(rule, 'verbs'), plural).toEqual(expect.arrayContaining(['list', 'watch']))
    }
    expect(rules.flatMap((rule) => textsAt(rule, 'resources'))).not.toContain('secrets')
  })

  it('bind the roles to the account that the pod runs as', () => {
    const account = textAt(path(template, 'spec'), 'serviceAccountName')
    expect(textAt(childOf(one('ServiceAccount'), 'metadata'), 'name')).toBe(account)
    for (const [kind, role] of [
      ['ClusterRoleBinding', 'ClusterRole'],
      ['RoleBinding', 'Role'],
    ] as const) {
      const binding = one(kind)
      expect(textAt(childOf(binding, 'roleRef'), 'name')).toBe(textAt(childOf(one(role), 'metadata'), 'name'))
      expect(listAt(binding, 'subjects')).toEqual([
        { kind: 'ServiceAccount', name: account, namespace: 'watchfire' },
      ])
    }
  })

  it('let the service and the set select the pod, and name its ports', () => {
    const labels = path(template, 'metadata', 'labels')
    expect(path(one('Service'), 'spec', 'selector')).toEqual(labels)
    expect(path(one('StatefulSet'), 'spec', 'selector', 'matchLabels')).toEqual(labels)
    expect(path(one('StatefulSet'), 'spec', 'replicas')).toBe(1)
    const ports = containers.flatMap((item) => listAt(item, 'ports').map((port) => textAt(port, 'name')))
    for (const port of listAt(path(one('Service'), 'spec'), 'ports'))
      expect(ports).toContain(textAt(port, 'targetPort'))
  })

  it('start the containers without rights they do not need, with probes, limits and mounted volumes', () => {
    const spec = path(template, 'spec')
    expect(path(spec, 'securityContext')).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 })
    const volumes = [
      ...listAt(spec, 'volumes').map((volume) => textAt(volume, 'name')),
      ...listAt(path(one('StatefulSet'), 'spec'), 'volumeClaimTemplates').map((claim) =>
        textAt(childOf(claim, 'metadata'), 'name'),
      ),
    ]
    expect(containers).toHaveLength(2)
    for (const item of containers) {
      expect(path(item, 'securityContext')).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
      })
      expect(path(item, 'readinessProbe', 'httpGet', 'path')).toBe('/-/ready')
      expect(path(item, 'livenessProbe', 'httpGet', 'path')).toBe('/-/healthy')
      expect(path(item, 'resources', 'limits', 'memory')).toBeDefined()
      for (const mount of listAt(item, 'volumeMounts')) expect(volumes).toContain(textAt(mount, 'name'))
    }
  })

  it('have flags and a configuration that the server takes', () => {
    const flags = parseFlags(textsAt(container('server'), 'args'))
    expect(flags).toMatchObject({ configFile: '/etc/watchfire/prometheus.yml', storagePath: '/data/tsdb' })
    const text = textAt(childOf(one('ConfigMap'), 'data'), 'prometheus.yml')
    const config = parseConfig(text, flags.configFile)
    const all = { matchLabels: {}, matchExpressions: [] }
    expect(config.kubernetesOperator).toMatchObject({
      serviceMonitors: all,
      serviceMonitorNamespaces: all,
      podMonitors: all,
      podMonitorNamespaces: all,
      allowArbitraryFiles: false,
    })
  })
})
