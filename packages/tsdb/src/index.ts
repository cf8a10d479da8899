export type { Db, DbHandle, DbOptions, DbReader, DbStats, HeadCardinality } from './contract.ts'
