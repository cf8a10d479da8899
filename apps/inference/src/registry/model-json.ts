// Reads model.json, the description beside each ONNX file. Nothing of it is trusted before it is checked here.
import type { ModelVersion, Sample, Stage } from './types.ts'
import { RegistryError } from './types.ts'

const STAGES: readonly Stage[] = ['None', 'Staging', 'Production', 'Archived']

/** Names and versions that may become label values and path parts. */
export const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** Features a row of a model may have. */
export const FEATURES_MAX = 10_000

/** The description in `text`; throws RegistryError that names the field at fault. */
export function parseModelJson(text: string): ModelVersion {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new RegistryError(`model.json is not JSON: ${(cause as Error).message}`, { cause })
  }
  const root = object(parsed, 'model.json')
  const dataset = object(root.dataset, 'dataset')
  const featureCount = count(root.n_features, 'n_features')
  const features = strings(root.features, 'features')
  if (features.length !== featureCount)
    throw new RegistryError(`model.json: ${features.length} features but n_features ${featureCount}`)
  const output = string(root.output, 'output')
  if (output !== 'class' && output !== 'value')
    throw new RegistryError(`model.json: output is ${JSON.stringify(output)}, not "class" or "value"`)
  const sha256 = string(root.sha256, 'sha256')
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RegistryError('model.json: sha256 is not 64 hex digits')
  return {
    name: safeName(root.name, 'name'),
    version: safeName(root.version, 'version'),
    stage: stage(root.stage),
    aliases: strings(root.aliases ?? [], 'aliases'),
    algorithm: string(root.algorithm, 'algorithm'),
    dataset: {
      name: string(dataset.name, 'dataset.name'),
      source: string(dataset.source, 'dataset.source'),
      licence: string(dataset.licence, 'dataset.licence'),
    },
    output,
    classes: strings(root.classes ?? [], 'classes'),
    featureCount,
    features,
    outputName: string(root.output_name, 'output_name'),
    trainedAt: string(root.trained_at, 'trained_at'),
    metrics: numbers(root.metrics),
    samples: samples(root.samples, featureCount),
    sha256,
  }
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RegistryError(`${field} is not an object`)
  return value as Record<string, unknown>
}

function string(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw new RegistryError(`model.json: ${field} is not a text`)
  return value
}

function safeName(value: unknown, field: string): string {
  const text = string(value, field)
  if (!SAFE_NAME.test(text))
    throw new RegistryError(`model.json: ${field} ${JSON.stringify(text.slice(0, 80))} is not a plain name`)
  return text
}

function strings(value: unknown, field: string): string[] {
  if (!Array.isArray(value)) throw new RegistryError(`model.json: ${field} is not a list`)
  return value.map((item) => string(item, `an item of ${field}`))
}

function count(value: unknown, field: string): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > FEATURES_MAX)
    throw new RegistryError(`model.json: ${field} is not a whole number from 1 to ${FEATURES_MAX}`)
  return value as number
}

function stage(value: unknown): Stage {
  const found = STAGES.find((name) => name === (value ?? 'None'))
  if (found === undefined) throw new RegistryError(`model.json: stage is none of ${STAGES.join(', ')}`)
  return found
}

function numbers(value: unknown): Record<string, number> {
  const result: Record<string, number> = {}
  for (const [name, number] of Object.entries(object(value ?? {}, 'metrics')))
    if (typeof number === 'number') result[name] = number
  return result
}

function samples(value: unknown, featureCount: number): Sample[] {
  if (!Array.isArray(value)) throw new RegistryError('model.json: samples is not a list')
  return value.map((item, i) => {
    const { features, prediction } = object(item, `samples[${i}]`)
    const fits = Array.isArray(features) && features.length === featureCount
    if (!fits || !features.every((f) => typeof f === 'number') || typeof prediction !== 'number')
      throw new RegistryError(`model.json: samples[${i}] is not ${featureCount} numbers and a prediction`)
    return { features: features as number[], prediction }
  })
}
