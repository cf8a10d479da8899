// Where models come from.
export { createFolderRegistry, type FolderRegistryOptions } from './folder.ts'
export {
  RegistryError,
  UnknownModelError,
  compareVersions,
  defaultVersion,
  pickVersion,
  quote,
  type ModelRegistry,
  type ModelVersion,
  type RegistryFault,
  type RegistryListing,
  type Sample,
  type Stage,
} from './types.ts'
