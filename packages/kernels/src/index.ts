export {
  DECODE,
  GUARD_BYTES,
  HEAP_BASE,
  HISTOGRAM_SLOT_BYTES,
  HISTOGRAM_STATE_BYTES,
  KERNEL_ERROR,
  MAX_PAGES,
  POINT_TEXT_BYTES,
  SCAN,
  SCAN_ROW_BYTES,
  WINDOW,
  XOR_APPEND,
  XOR_STATE_BYTES,
  histogramImageBytes,
  type HistogramShape,
  type KernelExports,
  type WindowFunction,
} from './contract.ts'
export { loadKernels } from './load.ts'
export { MemoryBudgetError, createArena, type Arena, type ArenaOptions } from './arena.ts'
