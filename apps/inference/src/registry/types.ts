// The contract between the service and whatever keeps its models: a folder today, a registry server (MLflow) as well.
// A registry knows versions and hands out checked bytes; it loads nothing and serves nothing.

/** Registry stages as MLflow names them. */
export type Stage = 'None' | 'Staging' | 'Production' | 'Archived'

/** A row of input and what this very version answered to it when it was trained. */
export interface Sample {
  readonly features: readonly number[]
  readonly prediction: number
}

/** All that is known of a model version without loading it. */
export interface ModelVersion {
  readonly name: string
  readonly version: string
  readonly stage: Stage
  /** Further names of this version within its model (`champion`). */
  readonly aliases: readonly string[]
  readonly algorithm: string
  readonly dataset: { readonly name: string; readonly source: string; readonly licence: string }
  /** What a prediction is: a class (number of the class) or a value. */
  readonly output: 'class' | 'value'
  /** Names of the classes, by number. */
  readonly classes: readonly string[]
  readonly featureCount: number
  readonly features: readonly string[]
  /** Name of the model's output that holds the predictions. */
  readonly outputName: string
  /** RFC 3339. */
  readonly trainedAt: string
  readonly metrics: Readonly<Record<string, number>>
  readonly samples: readonly Sample[]
  /** Hex SHA-256 of the ONNX bytes. */
  readonly sha256: string
}

/** An entry that is there but cannot be used. */
export interface RegistryFault {
  readonly name: string
  readonly version: string
  readonly reason: string
}

export interface RegistryListing {
  readonly versions: readonly ModelVersion[]
  readonly faults: readonly RegistryFault[]
}

export interface ModelRegistry {
  /** Everything there is, read anew. Entries that cannot be used are listed as faults. Throws RegistryError. */
  list(): Promise<RegistryListing>
  /**
   * The version a reference means: version, alias or stage (in this order; stages in any case), or without one what is
   * served by default. Throws UnknownModelError.
   */
  resolve(name: string, reference?: string): Promise<ModelVersion>
  /** The ONNX bytes, verified against the checksum. Throws RegistryError. */
  fetch(version: ModelVersion): Promise<Uint8Array>
}

/** The registry has no such model or version. */
export class UnknownModelError extends Error {
  readonly code = 'unknown_model'
}

/** The registry, or an entry of it, cannot be read or is damaged. */
export class RegistryError extends Error {
  readonly code = 'registry'
}

/** Finds what a reference means among the versions of one model, as every registry must. */
export function pickVersion(
  name: string,
  versions: readonly ModelVersion[],
  reference: string | undefined,
): ModelVersion {
  if (versions.length === 0) throw new UnknownModelError(`model ${quote(name)} is not in the registry`)
  if (reference === undefined || reference === '') return defaultVersion(versions)
  const found =
    versions.find((v) => v.version === reference) ??
    versions.find((v) => v.aliases.includes(reference)) ??
    newest(versions.filter((v) => v.stage.toLowerCase() === reference.toLowerCase()))
  if (found === undefined)
    throw new UnknownModelError(
      `model ${quote(name)} has no version, alias or stage ${quote(reference)} (versions: ${versions.map((v) => v.version).join(', ')})`,
    )
  return found
}

/** Newest of stage Production, or newest of all. */
export function defaultVersion(versions: readonly ModelVersion[]): ModelVersion {
  return newest(versions.filter((v) => v.stage === 'Production')) ?? newest(versions)!
}

function newest(versions: readonly ModelVersion[]): ModelVersion | undefined {
  return [...versions].sort((a, b) => compareVersions(b.version, a.version))[0]
}

/** Numbers inside versions count as numbers: 10 comes after 9. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

/** A name from outside, short enough and safe to print in a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
