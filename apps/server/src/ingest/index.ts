export { IngestClient, type IngestClientHooks } from './ingest-client.ts'
export { IngestCore, type IngestDependencies, type OpenDb } from './ingest-core.ts'
export { serveIngest } from './ingest-server.ts'
export { DEFAULT_RETENTION_MS, type IngestOptions } from './options.ts'
export type {
  ExemplarSeries,
  ExemplarsRequest,
  Ingest,
  RuleSample,
  TargetHealth,
  TargetMetadata,
  TargetStatus,
  TargetsSnapshot,
} from './contract.ts'
