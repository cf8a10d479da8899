// A model registry in a folder: <root>/<name>/<version>/{model.onnx,model.json}. Names from outside are only ever compared
// with what was found by listing, so no client text becomes part of a path; links that lead out of the root are refused.
import { createHash } from 'node:crypto'
import { open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { SAFE_NAME, parseModelJson } from './model-json.ts'
import { RegistryError, compareVersions, pickVersion } from './types.ts'
import type { ModelRegistry, ModelVersion, RegistryFault, RegistryListing } from './types.ts'

export interface FolderRegistryOptions {
  /** Largest ONNX file, bytes. Default 512 MiB. */
  maxModelBytes?: number
  /** Most model versions listed. Default 1,000. */
  maxModelVersions?: number
}

/** Largest model.json, bytes. */
const MODEL_JSON_MAX_BYTES = 4 << 20

/** The registry in folder `root`; the folder is read at each call. */
export function createFolderRegistry(root: string, options: FolderRegistryOptions = {}): ModelRegistry {
  const maxModelBytes = options.maxModelBytes ?? 512 << 20
  const maxModelVersions = options.maxModelVersions ?? 1000

  async function entriesOf(name: string): Promise<RegistryListing> {
    const versions: ModelVersion[] = []
    const faults: RegistryFault[] = []
    for (const version of (await folders(join(root, name))).sort(compareVersions)) {
      try {
        const text = await readInside(root, join(root, name, version, 'model.json'), MODEL_JSON_MAX_BYTES)
        const model = parseModelJson(text.toString('utf8'))
        if (model.name !== name || model.version !== version)
          throw new RegistryError(`model.json says ${model.name} ${model.version}, its folder another name`)
        versions.push(model)
      } catch (error) {
        faults.push({ name, version, reason: (error as Error).message })
      }
    }
    return { versions, faults }
  }

  return {
    async list() {
      const versions: ModelVersion[] = []
      const faults: RegistryFault[] = []
      for (const name of (await folders(root)).sort()) {
        const found = await entriesOf(name)
        versions.push(...found.versions)
        faults.push(...found.faults)
        if (versions.length + faults.length > maxModelVersions)
          throw new RegistryError(`model folder ${root} holds more than ${maxModelVersions} versions`)
      }
      return { versions, faults }
    },
    async resolve(name, reference) {
      const known = (await folders(root)).includes(name)
      return pickVersion(name, known ? (await entriesOf(name)).versions : [], reference)
    },
    async fetch({ name, version, sha256 }) {
      if (!SAFE_NAME.test(name) || !SAFE_NAME.test(version))
        throw new RegistryError('model name or version is not a plain name')
      const path = join(root, name, version, 'model.onnx')
      const bytes = await readInside(root, path, maxModelBytes)
      const actual = createHash('sha256').update(bytes).digest('hex')
      if (actual !== sha256)
        throw new RegistryError(
          `${path} is damaged: its SHA-256 is ${actual.slice(0, 12)}…, model.json says ${sha256.slice(0, 12)}…`,
        )
      return bytes
    },
  }
}

async function folders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.filter((e) => e.isDirectory() && SAFE_NAME.test(e.name)).map((e) => e.name)
  } catch (cause) {
    throw new RegistryError(`cannot read model folder ${path}: ${(cause as Error).message}`, { cause })
  }
}

async function readInside(root: string, path: string, maxBytes: number): Promise<Buffer> {
  const real = await realpath(path).catch((cause: Error) => {
    throw new RegistryError(`cannot read ${path}: ${cause.message}`, { cause })
  })
  if (!real.startsWith((await realpath(root)) + sep))
    throw new RegistryError(`${path} leads out of the model folder`)
  const file = await open(real, 'r')
  try {
    const { size } = await file.stat()
    if (size > maxBytes) throw new RegistryError(`${path} has ${size} bytes, the limit is ${maxBytes}`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}
