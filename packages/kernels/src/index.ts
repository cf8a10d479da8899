export {
  DECODE,
  KERNEL_ERROR,
  WINDOW,
  XOR_APPEND,
  XOR_STATE_BYTES,
  type KernelExports,
  type WindowFunction,
} from './contract.ts'
