export type { BlockStats, Db, DbHandle, DbOptions, DbReader, DbStats, HeadCardinality } from './contract.ts'
export { openDb, openDbSync } from './db.ts'
export { openReader, releaseReaders } from './query/db-reader.ts'
export { makeFolder } from './make-folder.ts'
