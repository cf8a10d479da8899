// Kernels on the memory of an arena, one instance a memory.
import { loadKernels, type KernelExports } from '@watchfire/kernels'

const known = new WeakMap<WebAssembly.Memory, KernelExports>()

export function kernelsOf(memory: WebAssembly.Memory): KernelExports {
  let kernels = known.get(memory)
  if (!kernels) {
    kernels = loadKernels(memory)
    known.set(memory, kernels)
  }
  return kernels
}
