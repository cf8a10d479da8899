// What the maintenance worker does: plain data in, plain data out.
import type { DbHandle } from '../contract.ts'
import type { BlockMeta } from '../block/meta.ts'
import { compactBlocks } from './compactor.ts'
import { writeLateBlock } from './late-block.ts'
import { writeHeadBlock, type HeadRange } from './head-block.ts'

export type Job =
  | {
      /** Samples of the head, in order or those out of order that are sealed. */
      readonly kind: 'head' | 'late'
      readonly handle: DbHandle
      readonly ulid: string
      readonly range: HeadRange
      readonly segmentBytes?: number | undefined
    }
  | {
      readonly kind: 'compact'
      readonly dir: string
      readonly ulids: readonly string[]
      readonly ulid: string
      readonly segmentBytes?: number | undefined
    }

/** The new block's meta, undefined when nothing was left to write. */
export function runJob(job: Job): BlockMeta | undefined {
  const options = { segmentBytes: job.segmentBytes }
  if (job.kind === 'compact') return compactBlocks(job.dir, job.ulids, job.ulid, options)
  const write = job.kind === 'head' ? writeHeadBlock : writeLateBlock
  return write(job.handle, job.handle.dir, job.ulid, job.range, options)
}
