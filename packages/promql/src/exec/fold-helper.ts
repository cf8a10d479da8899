// How a thread offers the units of a fold to a helper thread, without waiting for it: the helper takes the offer when
// it gets to it, and may come too late. One word, shared by both, says how far an offer is; whoever changes it first
// from "offered" decides, so a helper never touches memory that is in use for something else.
import { loadKernels, type KernelExports } from '@watchfire/kernels'
import type { FoldHelper, FoldOffer } from '../contract.ts'
import { BOARD_BYTES, FoldBoard } from './fold-board.ts'

/** Phase of an offer, the lowest two bits of the word; the others number the offers. */
const PHASE = { withdrawn: 0, offered: 1, taken: 2, done: 3 } as const
/** The helper is gone in the middle of its work. */
const FAILED = -1
const NUMBER_MASK = 0x0fff_ffff
/** Time between two looks at the word, in case a notification was missed. */
const WAIT_MS = 100

export interface FoldMessage {
  /** Absent = the memory of the message before. */
  readonly memory?: WebAssembly.Memory
  readonly board: number
  /** The word of this offer while it is open. */
  readonly offered: number
}

export interface FoldHelperOptions {
  readonly post: (message: FoldMessage) => void
  /** One word, 0 to begin with. */
  readonly state: Int32Array
  /** Whether there is a processor to spare. */
  readonly isIdle: () => boolean
}

/** The side that has a query: hands folds to a helper behind `post`. */
export function createFoldHelper({ post, state, isIdle }: FoldHelperOptions): FoldHelper {
  let number = 0
  let known: WebAssembly.Memory | undefined
  return {
    offer(memory, board): FoldOffer | undefined {
      if (!isIdle() || Atomics.load(state, 0) === FAILED) return undefined
      number = (number + 1) & NUMBER_MASK
      const word = number * 4
      Atomics.store(state, 0, word + PHASE.offered)
      post({ board, offered: word + PHASE.offered, ...(memory === known ? {} : { memory }) })
      known = memory
      return { end: () => endOffer(state, word) }
    },
  }
}

function endOffer(state: Int32Array, word: number): void {
  const offered = word + PHASE.offered
  if (Atomics.compareExchange(state, 0, offered, word + PHASE.withdrawn) === offered) return
  while (Atomics.load(state, 0) === word + PHASE.taken) Atomics.wait(state, 0, word + PHASE.taken, WAIT_MS)
  if (Atomics.load(state, 0) === FAILED) throw new Error('a helper thread of the query ended')
}

/** The helper's side of one `createFoldHelper`: to be called with each of its messages. */
export function createFoldWorker(state: Int32Array): (message: FoldMessage) => void {
  let memory: WebAssembly.Memory | undefined
  let kernels: KernelExports | undefined
  return (message) => {
    if (message.memory !== undefined) {
      memory = message.memory
      kernels = undefined
    }
    const { board, offered } = message
    if (memory === undefined || Atomics.load(state, 0) !== offered) return
    kernels ??= loadKernels(memory)
    // A memory that grew may show its new size here a little later.
    if (board + BOARD_BYTES > memory.buffer.byteLength) return
    const word = offered - PHASE.offered
    if (Atomics.compareExchange(state, 0, offered, word + PHASE.taken) !== offered) return
    const work = new FoldBoard(memory, board, kernels)
    work.work(work.helperBuffers)
    Atomics.store(state, 0, word + PHASE.done)
    Atomics.notify(state, 0)
  }
}

/** For whoever sees a helper end: its offers fail, and there are no further ones. */
export function failFoldHelper(state: Int32Array): void {
  Atomics.store(state, 0, FAILED)
  Atomics.notify(state, 0)
}
