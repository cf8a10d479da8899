// Loads the WebAssembly module: compiled once per thread, instantiated once per memory, synchronously.
import { readFileSync } from 'node:fs'
import type { KernelExports } from './contract.ts'

const WASM = new URL('../wasm/kernels.wasm', import.meta.url)
let compiled: WebAssembly.Module | undefined

function compile(): WebAssembly.Module {
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = new Uint8Array(readFileSync(WASM))
  } catch (cause) {
    throw new Error(`cannot read ${WASM.pathname}: run the build first`, { cause })
  }
  return new WebAssembly.Module(bytes)
}

/**
 * The kernels on a shared memory (declared with at most MAX_PAGES). Instantiating writes the module's
 * read-only data below HEAP_BASE. Addresses may be passed signed or unsigned.
 */
export function loadKernels(memory: WebAssembly.Memory): KernelExports {
  compiled ??= compile()
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory, abort } })
  const raw = exports as unknown as KernelExports
  return { ...raw, crc32c: (crc, address, length) => raw.crc32c(crc, address, length) >>> 0 }
}

function abort(): never {
  throw new Error('BUG: a kernel aborted')
}
